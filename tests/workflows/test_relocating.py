"""Moving and removing, killed at every point where a kill leaves something half done."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from issbox import files
from issbox.errors import InterruptedByUserError, NoSpaceError, OperatingSystemError
from issbox.workflows.inbox.relocating import relocate, remove

NUMBER = 7


def move(source: Path, directory: Path, *, ours: bool = True) -> Path | None:
    return relocate(source, directory, NUMBER, ours=lambda _: ours, advance=lambda _: None)


def contents(path: Path) -> dict[str, bytes]:
    return {str(each.relative_to(path)): each.read_bytes() for each in path.rglob("*") if each.is_file()}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    bundle = tmp_path / "inbox" / "bundle"
    (bundle / "inner").mkdir(parents=True)
    (bundle / "inner" / "file").write_bytes(b"12345")
    (bundle / "head").write_bytes(b"1")
    return bundle


@pytest.fixture
def other_disk() -> Iterator[Path]:
    """A directory on another file system than the temporary directory of the tests."""
    base = Path("/dev/shm")
    if not base.is_dir() or base.stat().st_dev == Path(os.environ.get("TMPDIR", "/tmp")).stat().st_dev:
        pytest.skip("there is no second file system here")
    directory = base / f"issbox-test-{os.getpid()}"
    directory.mkdir()
    yield directory
    shutil.rmtree(directory)


def test_it_moves_by_rename(bundle: Path, tmp_path: Path) -> None:
    number = bundle.stat().st_ino
    target = move(bundle, tmp_path / "archive" / "made")
    assert target == tmp_path / "archive" / "made" / "bundle"
    assert target.stat().st_ino == number
    assert not bundle.exists()


def test_a_name_that_is_taken_gets_the_number(bundle: Path, tmp_path: Path) -> None:
    taken = tmp_path / "archive" / "bundle"
    taken.mkdir(parents=True)
    ours = {bundle, tmp_path / "archive" / "bundle.7"}
    target = relocate(bundle, taken.parent, NUMBER, ours=lambda path: path in ours, advance=lambda _: None)
    assert target == tmp_path / "archive" / "bundle.7"
    assert contents(target)["inner/file"] == b"12345"


def test_a_very_long_name_still_fits(bundle: Path, tmp_path: Path) -> None:
    long = bundle.rename(bundle.with_name("ö" * 127))
    target = move(long, tmp_path / "archive")
    assert target is not None
    assert len(os.fsencode(f"{target.name}.reason.txt")) <= 255
    assert contents(target)["head"] == b"1"


def test_moved_before_the_kill_is_found_again(bundle: Path, tmp_path: Path) -> None:
    first = move(bundle, tmp_path / "archive")
    assert move(bundle, tmp_path / "archive") == first


def test_something_new_at_the_old_place_is_left_alone_after_a_kill(bundle: Path, tmp_path: Path) -> None:
    first = move(bundle, tmp_path / "archive")
    bundle.mkdir()
    (bundle / "new").touch()
    assert move(bundle, tmp_path / "archive") == first
    assert (bundle / "new").exists()


def test_what_is_not_ours_is_left_alone(bundle: Path, tmp_path: Path) -> None:
    assert move(bundle, tmp_path / "archive", ours=False) is None
    assert bundle.exists()


def test_what_is_gone_is_nowhere(bundle: Path, tmp_path: Path) -> None:
    shutil.rmtree(bundle)
    assert move(bundle, tmp_path / "archive") is None


@pytest.mark.parametrize("kind", ["link", "pipe", "file"])
def test_things_that_are_no_directories_move_too(tmp_path: Path, kind: str) -> None:
    thing = tmp_path / "thing"
    if kind == "link":
        thing.symlink_to("/nowhere")
    elif kind == "pipe":
        os.mkfifo(thing)
    else:
        thing.write_bytes(b"1")
    target = move(thing, tmp_path / "quarantine")
    assert target is not None
    assert os.path.lexists(target)
    assert not os.path.lexists(thing)


def test_another_file_system_gets_a_copy_that_appears_whole(bundle: Path, other_disk: Path) -> None:
    (bundle / "link").symlink_to("head")
    os.mkfifo(bundle / "pipe")
    os.utime(bundle / "head", ns=(10**18, 10**18))
    target = move(bundle, other_disk)
    assert target == other_disk / "bundle.7"
    assert contents(target) == {"head": b"1", "inner/file": b"12345", "link": b"1"}
    assert (target / "link").is_symlink()
    assert (target / "head").stat().st_mtime_ns == 10**18
    assert list(bundle.parent.iterdir()) == []
    assert list(other_disk.iterdir()) == [target]


def test_a_copy_that_was_stopped_leaves_everything_as_it_was(bundle: Path, other_disk: Path) -> None:
    before = contents(bundle)

    def stop(_: int) -> None:
        raise InterruptedByUserError("stop")

    with pytest.raises(InterruptedByUserError):
        relocate(bundle, other_disk, NUMBER, ours=lambda _: True, advance=stop)
    assert contents(bundle) == before
    assert list(bundle.parent.iterdir()) == [bundle]
    assert list(other_disk.iterdir()) == []


@pytest.mark.parametrize(("free", "fits"), [(5, False), (6, True)])
def test_nothing_is_copied_where_it_would_not_fit(
    bundle: Path, other_disk: Path, monkeypatch: pytest.MonkeyPatch, free: int, fits: bool
) -> None:
    monkeypatch.setattr(files, "free_space", lambda _: free)
    if fits:
        assert move(bundle, other_disk) == other_disk / "bundle.7"
        return
    with pytest.raises(NoSpaceError, match="moving bundle needs 6 B"):
        move(bundle, other_disk)
    assert contents(bundle) == {"head": b"1", "inner/file": b"12345"}
    assert list(other_disk.iterdir()) == []


def test_a_pipe_never_goes_to_another_disk(tmp_path: Path, other_disk: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="cannot be copied"):
        move(pipe, other_disk)
    assert list(tmp_path.iterdir()) == [pipe]


def test_nothing_is_written_over(bundle: Path, tmp_path: Path) -> None:
    for name in ("bundle", "bundle.7"):
        (tmp_path / "archive" / name).mkdir(parents=True)
    with pytest.raises(FileExistsError):
        relocate(bundle, tmp_path / "archive", NUMBER, ours=lambda path: path == bundle, advance=lambda _: None)
    assert contents(bundle)["head"] == b"1"


def test_a_copy_that_fails_says_why_at_the_first_file(bundle: Path, other_disk: Path) -> None:
    for number in range(50):
        (bundle / "inner" / f"more-{number}").write_bytes(b"12345")
    before = contents(bundle)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3, limits[1]))
    try:
        with pytest.raises(OperatingSystemError, match="File too large") as raised:
            move(bundle, other_disk)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert str(raised.value).count("File too large") == 1
    assert contents(bundle) == before
    assert list(other_disk.iterdir()) == []


def test_what_comes_to_the_old_place_while_a_copy_fails_is_left_alone(tmp_path: Path, other_disk: Path) -> None:
    image = tmp_path / "inbox" / "bundle.iso"
    image.parent.mkdir()
    image.write_bytes(b"old")

    def drop(_: int) -> None:
        image.write_bytes(b"new")
        raise InterruptedByUserError("stop")

    with pytest.raises(InterruptedByUserError):
        relocate(image, other_disk, NUMBER, ours=lambda _: True, advance=drop)
    assert image.read_bytes() == b"new"
    moved = move(image, other_disk)
    assert moved == other_disk / "bundle.iso.7"
    assert (moved.read_bytes(), image.read_bytes()) == (b"old", b"new")


def test_directories_nested_too_deeply_are_said_to_be(bundle: Path, other_disk: Path) -> None:
    place = os.open(bundle, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=place)
        below = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = below
    os.close(place)
    try:
        with pytest.raises(OSError, match="nested too deeply"):
            move(bundle, other_disk)
        assert (bundle / "head").exists()
        with pytest.raises(OSError, match="nested too deeply"):
            remove(bundle, NUMBER, ours=lambda _: True)
    finally:
        subprocess.run(["rm", "-rf", bundle.parent], check=True)


KILLED = """
import os, signal, sys
from pathlib import Path
from issbox.workflows.inbox import relocating

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

where, source, directory = sys.argv[1:]
if where == "while copying":
    advance = die
else:
    advance = lambda _: None
if where == "before the new name":
    relocating.sync_filesystem = die
elif where == "after the new name":
    relocating.sync_directory = die
relocating.relocate(Path(source), Path(directory), 7, ours=lambda _: True, advance=advance)
"""


@pytest.mark.parametrize("where", ["while copying", "before the new name", "after the new name"])
def test_a_killed_copy_is_finished_by_the_next_call(bundle: Path, other_disk: Path, where: str) -> None:
    before = contents(bundle)
    killed = subprocess.run([sys.executable, "-c", KILLED, where, bundle, other_disk], check=False)
    assert killed.returncode == -9
    assert not bundle.exists()
    assert move(bundle, other_disk) == other_disk / "bundle.7"
    assert contents(other_disk / "bundle.7") == before
    assert list(bundle.parent.iterdir()) == []
    assert list(other_disk.iterdir()) == [other_disk / "bundle.7"]
    assert move(bundle, other_disk) == other_disk / "bundle.7"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may rename anything")
def test_a_directory_copied_from_read_only_media_moves(bundle: Path, tmp_path: Path) -> None:
    bundle.chmod(0o555)
    assert move(bundle, tmp_path / "archive") == tmp_path / "archive" / "bundle"


def test_removing_takes_read_only_directories_too(bundle: Path) -> None:
    (bundle / "inner").chmod(0o555)
    bundle.chmod(0o555)
    assert remove(bundle, NUMBER, ours=lambda _: True)
    assert list(bundle.parent.iterdir()) == []
    assert not remove(bundle, NUMBER, ours=lambda _: True)


def test_a_killed_removal_is_finished_and_takes_nothing_new_with_it(bundle: Path) -> None:
    bundle.rename(bundle.with_name(".issbox-7.leaving"))
    bundle.mkdir()
    assert remove(bundle, NUMBER, ours=lambda _: True)
    assert list(bundle.parent.iterdir()) == [bundle]


def test_removing_leaves_alone_what_is_not_ours(bundle: Path) -> None:
    assert not remove(bundle, NUMBER, ours=lambda _: False)
    assert bundle.exists()
