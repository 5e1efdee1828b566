"""Archives of Pulp: the table of contents, the pieces, and what is in them."""

import json
import os
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers.katello import EXPORT, REAL, Archive, write_archive

from issbox.bundle.katello import pulp_archive
from issbox.bundle.katello.pieces import PieceStream
from issbox.bundle.katello.pulp_archive import PulpArchive, open_archive
from issbox.bundle.katello.toc import read_toc
from issbox.errors import (
    BadManifestError,
    BundleDamagedError,
    BundleError,
    BundleIncompleteError,
    NameClashError,
    OversizedError,
    UnlistedFileError,
    UnsafeFileError,
    UnsafePathError,
    UnsupportedExportError,
)

A, B = "a" * 64, "b" * 64


def sample() -> Archive:
    archive = Archive()
    archive.add("versions.json", b"[]")
    archive.add(f"artifact/aa/{'a' * 62}", b"first" * 700)
    archive.add(f"artifact/5c4c0c66-6825-43ce-b95c-9092ec87cf1b/bb/{'b' * 62}", b"second" * 300)
    archive.add("pulpcore.app.modelresource.ArtifactResource.json", b"[]")
    archive.add("repository-base_1/rows.json", b"[1]")
    return archive


def opened(toc: Path, max_files: int = 100) -> PulpArchive:
    return open_archive(toc.parent, read_toc(toc.parent, toc.name), max_files=max_files)


def artifacts(archive: PulpArchive) -> dict[str, bytes]:
    found = {}
    for digest, size, source in archive.read_through(lambda _: True):
        buffer, out = memoryview(bytearray(1000)), b""
        while count := source.readinto(buffer):
            out += buffer[:count]
        assert len(out) == size
        found[digest] = out
    return found


EXPECTED = {A: b"first" * 700, B: b"second" * 300}


@settings(max_examples=40, deadline=None)
@given(chunk_size=st.one_of(st.none(), st.integers(200, 30_000)), checksum=st.sampled_from(["crc32", "sha256"]))
def test_any_chunk_size_gives_the_same_contents(
    tmp_path_factory: pytest.TempPathFactory, chunk_size: int | None, checksum: str
) -> None:
    toc = write_archive(tmp_path_factory.mktemp("x"), sample().data(), chunk_size=chunk_size, checksum=checksum)
    archive = opened(toc)
    assert artifacts(archive) == EXPECTED
    assert archive.document("repository-base_1/rows.json") == b"[1]"
    assert archive.directories() == {"repository-base_1"}


def test_more_than_ten_thousand_pieces_stay_in_order(tmp_path: Path) -> None:
    archive = Archive()
    archive.add("versions.json", b'["the bytes that tell the order"]')
    toc = write_archive(tmp_path, archive.data(), chunk_size=1)
    assert len(json.loads(toc.read_text())["files"]) == 10_240
    assert opened(toc).document("versions.json") == b'["the bytes that tell the order"]'


def test_a_real_archive_is_read(tmp_path: Path) -> None:
    toc = next((REAL / "complete").glob("*-toc.json"))
    archive = opened(toc)
    assert len(archive.toc.pieces) > 3
    assert archive.directories() == {"repository-base-7_1", "repository-tree-7_1"}
    assert len(artifacts(archive)) == 8


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_one_flipped_bit_anywhere_names_its_piece(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("x")
    toc = write_archive(root, sample().data(), chunk_size=3000)
    piece = data.draw(st.sampled_from(sorted(root.glob("*.tar.*"))))
    at = data.draw(st.integers(0, piece.stat().st_size - 1))
    changed = bytearray(piece.read_bytes())
    changed[at] ^= 1 << data.draw(st.integers(0, 7))
    piece.write_bytes(changed)
    with pytest.raises(BundleDamagedError, match=piece.name):
        artifacts(opened(toc))


def test_every_damaged_piece_is_named(tmp_path: Path) -> None:
    toc = write_archive(tmp_path, sample().data(), chunk_size=1000)
    wrong = sorted(tmp_path.glob("*.tar.*"))[1::3]
    for piece in wrong:
        piece.write_bytes(bytes(each ^ 1 for each in piece.read_bytes()))
    with pytest.raises(BundleDamagedError) as raised:
        artifacts(opened(toc))
    assert all(piece.name in str(raised.value) for piece in wrong)


def test_missing_and_cut_pieces_are_named_at_once(tmp_path: Path) -> None:
    toc = write_archive(tmp_path, sample().data(), chunk_size=1000)
    pieces = sorted(tmp_path.glob("*.tar.*"))
    pieces[2].unlink()
    os.truncate(pieces[4], 999)
    with pytest.raises(BundleIncompleteError) as raised:
        opened(toc)
    assert f"missing: {pieces[2].name}; not whole: {pieces[4].name} (999 bytes" in str(raised.value)


def change_toc(toc: Path, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
    document = json.loads(toc.read_text())
    document["files"] = change(document["files"])
    toc.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda files: {f"../{name}": each for name, each in files.items()}, UnsafePathError),
        (lambda files: {f"/etc/{name}": each for name, each in files.items()}, UnsafePathError),
        (lambda files: {f"x\0{name}": each for name, each in files.items()}, UnsafePathError),
        (lambda _: {"passwd": "0"}, BadManifestError),
        (lambda _: {}, BadManifestError),
        (lambda files: {f"{EXPORT}.tar.gz": "0", **files}, UnsupportedExportError),
        (lambda files: dict.fromkeys(files, "no sum"), BadManifestError),
        (lambda files: dict.fromkeys(files, "123456789"), BadManifestError),
        (lambda files: dict(list(files.items())[1:]), BadManifestError),
        (lambda files: files | {"other.tar.0001": "0"}, BadManifestError),
    ],
)
def test_a_table_of_contents_is_not_believed(
    tmp_path: Path, change: Callable[[dict[str, str]], dict[str, str]], error: type[BundleError]
) -> None:
    toc = write_archive(tmp_path, sample().data(), chunk_size=3000)
    change_toc(toc, change)
    with pytest.raises(error):
        opened(toc)


def test_pieces_are_plain_files(tmp_path: Path) -> None:
    toc = write_archive(tmp_path, sample().data())
    tar = tmp_path / f"{EXPORT}.tar"
    tar.rename(tmp_path / "elsewhere")
    tar.symlink_to("elsewhere")
    with pytest.raises(UnsafeFileError):
        opened(toc)
    tar.unlink()
    os.mkfifo(tar)
    with pytest.raises(UnsafeFileError):
        opened(toc)


@pytest.mark.parametrize(
    ("name", "kind", "link", "error"),
    [
        ("../escape.json", tarfile.REGTYPE, "", UnsafePathError),
        ("/etc/escape.json", tarfile.REGTYPE, "", UnsafePathError),
        ("artifact/../../x.json", tarfile.REGTYPE, "", UnsafePathError),
        ("rows.json", tarfile.SYMTYPE, "/etc/passwd", UnsafeFileError),
        ("rows.json", tarfile.LNKTYPE, "versions.json", UnsafeFileError),
        ("rows.json", tarfile.CHRTYPE, "", UnsafeFileError),
        ("rows.json", tarfile.FIFOTYPE, "", UnsafeFileError),
        ("somewhere", tarfile.DIRTYPE, "", UnsafeFileError),
        ("artifact/aa/short", tarfile.REGTYPE, "", UnlistedFileError),
        ("setup.sh", tarfile.REGTYPE, "", UnlistedFileError),
        ("a/b/c.json", tarfile.REGTYPE, "", UnlistedFileError),
        ("versions.json", tarfile.REGTYPE, "", NameClashError),
        (f"artifact/aa/{'a' * 62}", tarfile.REGTYPE, "", NameClashError),
    ],
)
def test_members_are_not_believed(tmp_path: Path, name: str, kind: bytes, link: str, error: type[BundleError]) -> None:
    archive = sample()
    archive.add(name, b"", kind, link)
    with pytest.raises(error):
        opened(write_archive(tmp_path, archive.data()))


def test_an_archive_cut_between_members_is_damaged(tmp_path: Path) -> None:
    data = sample().data()
    toc = write_archive(tmp_path, data[: data.index(b"repository-base_1")])
    with pytest.raises(BundleDamagedError, match="cut or damaged"):
        opened(toc)


def test_a_header_that_promises_terabytes_costs_nothing(tmp_path: Path) -> None:
    data = bytearray(sample().data())
    long_name = tarfile.TarInfo("././@LongLink")
    long_name.type, long_name.size = tarfile.GNUTYPE_LONGNAME, 1 << 42
    toc = write_archive(tmp_path, long_name.tobuf(tarfile.GNU_FORMAT) + bytes(data))
    with pytest.raises(BundleDamagedError):
        opened(toc)


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_headers_of_headers_without_end_are_refused(tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("header")
    info.type, info.size = kind, 12
    header = info.tobuf() + b"12 path=abc\n".ljust(tarfile.BLOCKSIZE, b"\0")
    with pytest.raises(BundleDamagedError, match="cannot be read"):
        opened(write_archive(tmp_path, header * 2000 + sample().data()))


def test_a_file_with_holes_is_refused(tmp_path: Path) -> None:
    archive = sample()
    archive.add("rows.json", b"[]")
    archive.members[-1][0].pax_headers = {"GNU.sparse.map": "0,2"}
    with pytest.raises(UnsafeFileError):
        opened(write_archive(tmp_path, archive.data()))


def test_a_document_that_is_read_whole_is_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = opened(write_archive(tmp_path, sample().data()))
    monkeypatch.setattr(pulp_archive, "_SMALL", 2)
    with pytest.raises(OversizedError):
        archive.document("repository-base_1/rows.json")


def test_no_more_is_read_at_once_than_fits_into_memory(tmp_path: Path) -> None:
    toc = write_archive(tmp_path, sample().data())
    with closing(PieceStream(tmp_path, read_toc(tmp_path, toc.name))) as stream:
        assert len(stream.read(8 << 20)) == stream.size
        with pytest.raises(BundleDamagedError):
            stream.read((8 << 20) + 1)


def test_the_number_of_members_is_bounded(tmp_path: Path) -> None:
    with pytest.raises(OversizedError):
        opened(write_archive(tmp_path, sample().data()), max_files=4)


def test_an_archive_of_something_else_is_refused(tmp_path: Path) -> None:
    archive = Archive()
    archive.add("notes.json", b"[]")
    with pytest.raises(BadManifestError, match=r"versions\.json"):
        opened(write_archive(tmp_path, archive.data()))


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=3000))
def test_bytes_that_are_no_archive_are_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    with pytest.raises(BundleError):
        opened(write_archive(tmp_path_factory.mktemp("x"), data))
