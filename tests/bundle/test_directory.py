"""Bundles in directories: written whole or not at all, read without trusting what lies there."""

import errno
import hashlib
import io
import multiprocessing
import os
import re
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import cast

import createrepo_c
import pytest
from makers.bundles import (
    PACKAGES,
    SampleBundle,
    SampleRepository,
    flip_byte,
    make_bundle,
    read_lines,
    read_manifest,
    sample_content,
    sign_again,
    sign_table,
    trust,
)
from makers.hostile import a_package

from issbox.bundle.check import Limits, open_bundle, open_head
from issbox.bundle.members import Member
from issbox.bundle.pieces import Piece
from issbox.bundle.signature import SigningKey
from issbox.bundle.staged import StagedDirectory
from issbox.bundle.tree_writer import TreeWriter
from issbox.bundle.verifying import check_contents, verify
from issbox.errors import (
    AlreadyExistsError,
    BadManifestError,
    BundleDamagedError,
    BundleError,
    BundleIncompleteError,
    BusyError,
    DigestMismatchError,
    InvalidValueError,
    NameClashError,
    NoSpaceError,
    OperatingSystemError,
    OversizedError,
    UnsafeFileError,
    UnsafePathError,
)
from issbox.files import Digest, Readable, copy_and_digest
from issbox.manifest import TABLE_NAME, EntryKind
from issbox.progress import Silent

TWO = SampleBundle((SampleRepository(), SampleRepository(label="extras", packages={"horn-1-1.noarch.rpm": b"tuut"})))


class Counting(Silent):
    """Adds up what it is told."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.expected = (0, 0)
        self.files = self.size = 0
        self._lock = threading.Lock()

    def step(self, name: str, message: str = "") -> None:
        self.steps.append(name)

    def expect(self, *, files: int, size: int) -> None:
        self.expected = (files, size)

    def advance(self, *, files: int = 0, size: int = 0) -> None:
        with self._lock:
            self.files += files
            self.size += size


class Endless(io.RawIOBase):
    """A source that never ends."""

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # narrower: only what is used
        return len(buffer)


class Broken(io.RawIOBase):
    """A source on a medium that was taken away."""

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # narrower: only what is used
        raise OSError(5, "Input/output error", "/media/disk/file")


def read(piece: Piece) -> bytes:
    """Give the bytes of a piece."""
    out = io.BytesIO()
    with piece.open() as source:
        copy_and_digest(source, out)
    return out.getvalue()


def member(path: str, data: bytes, source: object = None) -> Member:
    """Describe a file that has these bytes, or is said to have them."""
    digest = Digest(len(data), hashlib.sha256(data).hexdigest())
    return Member(path, digest, lambda: nullcontext(cast("Readable", source or io.BytesIO(data))))


def tree_of(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def test_a_bundle_is_read_as_it_was_written(tmp_path: Path, key: SigningKey) -> None:
    bundle = open_bundle(make_bundle(tmp_path, key, TWO), trust(key))
    entries = list(bundle.entries())
    assert [entry.path for entry in entries] == sorted(entry.path for entry in entries)
    assert bundle.manifest.files.count == len(entries)
    assert bundle.manifest.files.size == sum(entry.size for entry in entries)
    assert [repository.version.packages for repository in bundle.manifest.repositories] == [2, 1]
    packages = {piece.path: read(piece) for piece in bundle.pieces(lambda each: each.kind is EntryKind.PACKAGE)}
    assert packages["custom/tools/base/Packages/bell-1.0-1.noarch.rpm"] == PACKAGES["bell-1.0-1.noarch.rpm"]
    assert packages["custom/tools/extras/Packages/horn-1-1.noarch.rpm"] == b"tuut"
    assert (bundle.path / "custom/tools/listing").read_text() == "base\nextras"
    assert (bundle.path / "listing").read_text() == "custom"


def test_verify_reads_every_byte_and_says_what_it_found(tmp_path: Path, key: SigningKey) -> None:
    path = make_bundle(tmp_path, key, TWO)
    progress = Counting()
    report = verify(path, trust(key), Limits(), progress)
    lines = read_lines(path)
    assert (report.files, report.size) == (len(lines), sum(line["size"] for line in lines))
    assert progress.expected == (progress.files, progress.size) == (report.files, report.size)
    assert (report.trusted, report.key_id) == (True, key.key_id)
    repomd = (path / "custom/tools/extras/repodata/repomd.xml").read_bytes()
    extras = report.repositories[1]
    assert (extras.path, extras.packages, extras.repomd_sha256) == (
        "custom/tools/extras",
        1,
        hashlib.sha256(repomd).hexdigest(),
    )


def test_without_keys_verify_says_only_that_the_bundle_fits_itself(tmp_path: Path, key: SigningKey) -> None:
    path = make_bundle(tmp_path, key)
    assert not verify(path, None, Limits(), Silent()).trusted
    flip_byte(a_package(path), 0)
    with pytest.raises(BundleDamagedError):
        verify(path, None, Limits(), Silent())


def test_any_changed_file_is_found_by_verify_and_named(tmp_path: Path, key: SigningKey) -> None:
    path = make_bundle(tmp_path, key)
    for line in read_lines(path):
        flip_byte(path / line["path"], line["size"] // 2)
        with pytest.raises(BundleDamagedError, match=line["path"]):
            verify(path, trust(key), Limits(), Silent())
        flip_byte(path / line["path"], line["size"] // 2)


def test_createrepo_c_reads_the_tree_in_place(tmp_path: Path, key: SigningKey) -> None:
    bundle = make_bundle(tmp_path, key)
    metadata = createrepo_c.Metadata()
    metadata.locate_and_load_xml(str(bundle / "custom/tools/base"))
    names = {metadata.get(package_id).name for package_id in metadata.keys()}  # noqa: SIM118  it is no mapping
    assert names == {"bell", "drum"}


def test_files_are_for_everybody_to_read(tmp_path: Path, key: SigningKey) -> None:
    before = os.umask(0o077)
    try:
        bundle = make_bundle(tmp_path, key)
    finally:
        os.umask(before)
    for path in [bundle, *bundle.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o755 if path.is_dir() else 0o644), path


def test_a_file_system_without_modes_is_good_enough(
    tmp_path: Path, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, mode: int) -> None:
        raise PermissionError(1, "Operation not permitted", str(self))

    # What vfat answers; mounting one takes more rights than tests have.
    monkeypatch.setattr(Path, "chmod", refuse)
    before = os.umask(0o077)
    try:
        open_bundle(make_bundle(tmp_path, key), trust(key))
    finally:
        os.umask(before)


def test_several_threads_may_add(tmp_path: Path) -> None:
    files = {f"Packages/{number % 5}/p{number}-1-1.noarch.rpm": os.urandom(3000) for number in range(60)}
    with StagedDirectory(tmp_path, "bundle") as staged:
        writer = TreeWriter(staged.path, staged.final)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda item: writer.add(member(*item)), files.items()))
        path = staged.finish()
    assert {str(each.relative_to(path)): each.read_bytes() for each in path.rglob("*.rpm")} == files


def test_nothing_is_seen_before_it_is_whole_and_nothing_is_left_of_a_failure(tmp_path: Path) -> None:
    def fail_half_way() -> None:
        with StagedDirectory(tmp_path, "bundle") as staged:
            TreeWriter(staged.path, staged.final).add(member("custom/a/b", b"x"))
            assert [path.name for path in tmp_path.iterdir()] == [".bundle.part"]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_half_way()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_writer_left_is_removed(tmp_path: Path, key: SigningKey) -> None:
    (tmp_path / ".bundle.part/custom/old").mkdir(parents=True)
    (tmp_path / ".bundle.part/custom/old/file").write_bytes(b"old")
    path = make_bundle(tmp_path, key)
    open_bundle(path, trust(key))
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def _hold(parent: Path, ready: "multiprocessing.synchronize.Event", done: "multiprocessing.synchronize.Event") -> None:
    with StagedDirectory(parent, "bundle"):
        ready.set()
        done.wait(10)


def test_two_processes_do_not_write_one_bundle(tmp_path: Path, key: SigningKey) -> None:
    context = multiprocessing.get_context("fork")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path, ready, done))
    other.start()
    try:
        assert ready.wait(10)
        with pytest.raises(BusyError):
            make_bundle(tmp_path, key)
    finally:
        done.set()
        other.join()
    make_bundle(tmp_path, key)


def test_a_name_that_is_taken_is_refused(tmp_path: Path, key: SigningKey) -> None:
    (tmp_path / "bundle").symlink_to("nowhere")
    with pytest.raises(AlreadyExistsError):
        make_bundle(tmp_path, key)
    with StagedDirectory(tmp_path, "late") as staged:
        (tmp_path / "late").mkdir()
        with pytest.raises(AlreadyExistsError):
            staged.finish()
    assert {path.name for path in tmp_path.iterdir()} == {"bundle", "late"}


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "/a", "a" * 250, "a\nb"])
def test_a_bundle_has_a_plain_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidValueError):
        StagedDirectory(tmp_path, name)


def test_a_place_that_is_not_there_is_an_error_in_words(tmp_path: Path, key: SigningKey) -> None:
    with pytest.raises(OperatingSystemError, match="No such file or directory"):
        make_bundle(tmp_path / "missing", key)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[TreeWriter]:
    with StagedDirectory(tmp_path, "bundle") as staged:
        yield TreeWriter(staged.path, staged.final)


def test_a_source_that_is_not_what_was_expected_leaves_no_file(tmp_path: Path, writer: TreeWriter) -> None:
    for source in (io.BytesIO(b"evil"), io.BytesIO(b"goo"), Endless()):
        with pytest.raises(DigestMismatchError, match="custom/x"):
            writer.add(member("custom/x", b"good", source))
    assert tree_of(tmp_path / ".bundle.part") == {"custom"}
    writer.add(member("custom/x", b"good"))
    assert (tmp_path / ".bundle.part/custom/x").read_bytes() == b"good"


def test_a_source_that_breaks_is_an_error_in_words(tmp_path: Path, writer: TreeWriter) -> None:
    with pytest.raises(OperatingSystemError, match="/media/disk/file: Input/output error"):
        writer.add(member("custom/x", b"good", Broken()))
    assert tree_of(tmp_path / ".bundle.part") == {"custom"}


@pytest.mark.parametrize("path", ["/etc/x", "../x", "a//b", "a\\b", ""])
def test_the_writer_leaves_its_directory_never(writer: TreeWriter, path: str) -> None:
    with pytest.raises(UnsafePathError):
        writer.add(member(path, b"x"))


def test_a_full_disk_is_told_with_the_place(tmp_path: Path, writer: TreeWriter) -> None:
    class Full(io.RawIOBase):
        def readinto(self, buffer: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # as a write says it, without a name

    with pytest.raises(NoSpaceError, match=re.escape(str(tmp_path / "bundle"))):
        writer.add(member("a", b"x", Full()))


def test_a_file_and_a_directory_cannot_have_one_name(writer: TreeWriter) -> None:
    writer.add(member("a", b"x"))
    with pytest.raises(NameClashError):
        writer.add(member("a/b", b"x"))


def test_no_head_is_signed_that_a_reader_would_refuse(tmp_path: Path, key: SigningKey) -> None:
    good = sample_content()
    for path, error in (
        ("LISTING", NameClashError),
        ("lost+found", UnsafePathError),
        ("custom/tools/base/more.rpm", BadManifestError),
        ("issbox-parts/x", NameClashError),
        ("issbox-volume.json", NameClashError),
    ):
        package = path.endswith(".rpm")
        more = (EntryKind.PACKAGE, 0, b"x") if package else (EntryKind.DOCUMENT, None, b"x")
        with pytest.raises(error):
            replace(good, files={**good.files, path: more}).head(key, tmp_path)


def test_what_changes_after_the_check_is_noticed_on_opening(tmp_path: Path, key: SigningKey) -> None:
    bundle = open_bundle(make_bundle(tmp_path, key), trust(key))
    first, second, third, fourth, *_ = bundle.pieces(lambda entry: "/repodata/" in entry.path)
    path = bundle.path / first.path
    path.unlink()
    os.mkfifo(path)
    (bundle.path / second.path).unlink()
    os.truncate(bundle.path / third.path, 1 << 43)  # 8 TiB of nothing: to read it all would take hours
    (bundle.path / fourth.path).write_bytes(b"x" * fourth.digest.size)
    for piece, error in (
        (first, UnsafeFileError),
        (second, BundleIncompleteError),
        (third, OversizedError),
        (fourth, BundleDamagedError),
    ):
        with pytest.raises(error):
            check_contents(piece)


def test_a_directory_that_becomes_a_link_after_the_check_is_not_followed(tmp_path: Path, key: SigningKey) -> None:
    bundle = open_bundle(make_bundle(tmp_path, key), trust(key))
    piece = next(bundle.pieces(lambda entry: entry.kind is EntryKind.PACKAGE))
    (bundle.path / "custom").rename(tmp_path / "moved")
    (bundle.path / "custom").symlink_to("../moved")
    with pytest.raises(UnsafeFileError):
        read(piece)


def test_a_table_that_changes_after_the_check_changes_nothing(tmp_path: Path, key: SigningKey) -> None:
    path = make_bundle(tmp_path, key)
    bundle = open_bundle(path, trust(key))
    table = path / TABLE_NAME
    good = table.read_bytes()
    before = list(bundle.entries())
    table.write_bytes(_other_digest(good))
    assert list(bundle.entries()) == before
    table.unlink()
    assert [piece.path for piece in bundle.pieces()] == [each.path for each in before if each.carried]
    copied = io.BytesIO()
    bundle.copy_table(copied)
    assert copied.getvalue() == good


def test_a_table_that_changes_before_it_is_read_is_refused(tmp_path: Path, key: SigningKey) -> None:
    path = make_bundle(tmp_path, key)
    table = path / TABLE_NAME
    good = table.read_bytes()
    for bad in (_other_digest(good), good + b"\n", good[:-1]):
        bundle = open_head(path, trust(key))
        table.write_bytes(bad)
        with pytest.raises(BundleDamagedError, match="not the one that was signed"):
            list(bundle.entries())
        table.write_bytes(good)
        assert len(list(bundle.entries())) == bundle.manifest.files.count


def _other_digest(table: bytes) -> bytes:
    place = table.index(b'"sha256":"') + len(b'"sha256":"')
    return table[:place] + (b"0" if table[place : place + 1] != b"0" else b"1") + table[place + 1 :]


def test_an_incremental_bundle_lacks_the_files_it_only_lists(tmp_path: Path, key: SigningKey) -> None:
    path = make_bundle(tmp_path, key)
    lines = read_lines(path)
    package = a_package(path)
    for line in lines:
        if line["path"].endswith(package.name):
            line["volume"] = None
    manifest = read_manifest(path)
    manifest["bundle"] |= {"kind": "incremental", "base": {"bundle": "an earlier one"}}
    sign_again(path, key, manifest)
    sign_table(path, key, lines)
    with pytest.raises(BundleError, match="1 file is not in the signed file table"):
        open_bundle(path, trust(key))
    package.unlink()
    bundle = open_bundle(path, trust(key))
    assert len(list(bundle.pieces())) == len(lines) - 1
    assert verify(path, trust(key), Limits(), Silent()).files == len(lines) - 1


def test_directories_may_be_nested_as_deep_as_a_path_and_no_deeper(tmp_path: Path, key: SigningKey) -> None:
    path = make_bundle(tmp_path, key)
    descriptor = os.open(path, os.O_RDONLY)
    for _ in range(600):
        os.mkdir("d", dir_fd=descriptor)
        inner = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)
    with pytest.raises(UnsafePathError, match="longer than any"):
        open_bundle(path, trust(key))
