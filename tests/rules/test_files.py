"""The ways to touch a disk."""

import errno
import hashlib
import io
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from issbox.errors import (
    BusyError,
    InvalidValueError,
    NoSpaceError,
    OperatingSystemError,
    PermissionDeniedError,
    UnsafePathError,
)
from issbox.files import (
    BLOCK,
    FileLock,
    Fillable,
    atomic_write,
    copy_and_digest,
    digest_file,
    error_from_os,
    open_regular,
    remove_tree,
    require_space,
    safe_join,
)
from issbox.unlinking import unlink_files


def test_an_atomic_write_appears_whole_with_its_mode(tmp_path: Path) -> None:
    target = tmp_path / "key"
    with atomic_write(target, mode=0o600) as out:
        out.write(b"secret")
        assert not target.exists()
        assert [path.stat().st_mode & 0o777 for path in tmp_path.iterdir()] == [0o600]
    assert target.read_bytes() == b"secret"
    assert target.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [target]


def test_a_failed_atomic_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")

    def fail() -> None:
        with atomic_write(target) as out:
            out.write(b"new")
            raise OSError(errno.EIO, "gone")

    with pytest.raises(OSError, match="gone"):
        fail()
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1])
def test_copy_and_digest_agree_with_hashlib(size: int) -> None:
    data = os.urandom(size)
    out = io.BytesIO()
    seen: list[int] = []
    digest = copy_and_digest(io.BytesIO(data), out, advance=seen.append)
    assert out.getvalue() == data
    assert digest.sha256 == hashlib.sha256(data).hexdigest()
    assert digest.size == sum(seen) == size


class Lent(Fillable):
    """Has three bytes of memory to be filled, and keeps what was put there."""

    def __init__(self) -> None:
        self.memory = memoryview(bytearray(3))
        self.kept = b""

    def room(self, least: int = 1, /) -> memoryview:
        assert least == 1
        return self.memory

    def fill(self, count: int, /) -> None:
        self.kept += self.memory[:count]


@pytest.mark.parametrize("data", [b"", b"abc", b"abcdefgh"])
def test_what_lends_memory_is_filled(data: bytes) -> None:
    out = Lent()
    assert copy_and_digest(io.BytesIO(data), out).sha256 == hashlib.sha256(data).hexdigest()
    assert out.kept == data


def test_a_source_that_never_ends_is_left_soon_after_the_limit() -> None:
    with open_endless() as source:
        assert copy_and_digest(source, None, limit=10).size <= 10 + BLOCK


def open_endless() -> io.FileIO:
    return io.FileIO("/dev/zero")


def test_safe_join_stays_below_its_root(tmp_path: Path) -> None:
    assert safe_join(tmp_path, "a/b") == tmp_path / "a/b"
    with pytest.raises(UnsafePathError):
        safe_join(tmp_path, "../b")


def test_links_pipes_and_devices_are_no_regular_files(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "link", tmp_path / "pipe", Path("/dev/null"), tmp_path):
        with pytest.raises((InvalidValueError, IsADirectoryError)):
            open_regular(path)


def test_digest_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert digest_file(tmp_path / "a").sha256 == hashlib.sha256(b"abc").hexdigest()


def test_read_only_trees_can_be_removed(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "sub" / "file").write_bytes(b"x")
    (tree / "link").symlink_to(tmp_path)
    (tree / "sub").chmod(0o500)
    remove_tree(tree)
    remove_tree(tree)
    assert list(tmp_path.iterdir()) == []


def test_nothing_behind_a_link_is_removed_with_a_tree(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "file").write_bytes(b"x")
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "link").symlink_to(other)
    (tree / "sub" / "link").symlink_to(other / "file")
    os.mkfifo(tree / "sub" / "pipe")
    remove_tree(tree)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "other"]
    (tmp_path / "link").symlink_to(other)
    unlink_files(tmp_path / "link")
    unlink_files(tmp_path / "missing")
    assert (other / "file").exists()


def test_a_large_directory_is_removed_in_little_memory(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        tree = tmp_path / "tree"
        tree.mkdir()
        for number in range(count):
            (tree / f"a-file-with-quite-a-long-name-{number}").touch()
        tracemalloc.start()
        try:
            remove_tree(tree)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            assert not tree.exists()

    few, many = peak(100), peak(3_000)
    assert many < 2 * few


def test_too_little_space_names_both_sizes(tmp_path: Path) -> None:
    require_space(tmp_path, 1, "a test")
    with pytest.raises(NoSpaceError, match=r"a test needs .* are free"):
        require_space(tmp_path, 1 << 60, "a test")


def test_a_lock_is_held_against_another_process_and_ends_with_it(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    program = (
        "import sys; from pathlib import Path; from issbox.files import FileLock\n"
        "lock = FileLock(Path(sys.argv[1])); print(lock.try_acquire(), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        assert not FileLock(lock).try_acquire()
        with pytest.raises(BusyError, match="being changed"), FileLock(lock, busy="it is being changed"):
            pass
        holder.kill()
        holder.wait()
        with FileLock(lock):
            pass


def test_shared_locks_stand_beside_each_other(tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock", shared=True), FileLock(tmp_path / "lock", shared=True):
        assert not FileLock(tmp_path / "lock").try_acquire()


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, NoSpaceError),
        (errno.EDQUOT, NoSpaceError),
        (errno.EACCES, PermissionDeniedError),
        (errno.EROFS, PermissionDeniedError),
        (errno.EIO, OperatingSystemError),
    ],
)
def test_errors_of_the_operating_system_are_translated(number: int, expected: type[Exception]) -> None:
    error = error_from_os(OSError(number, os.strerror(number), "/some/path"))
    assert type(error) is expected
    assert "/some/path" in str(error)
    assert ("(to the account " in str(error)) is (number == errno.EACCES)
