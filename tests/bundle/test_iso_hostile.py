"""Images that somebody prepared, or that a bad medium changed."""

import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers.images import needs, read_image, run, sample_files, write_image, write_tree

from issbox.bundle.iso.reading import IsoImage
from issbox.bundle.iso.records import read_records
from issbox.errors import (
    BundleDamagedError,
    BundleError,
    BundleIncompleteError,
    NameClashError,
    NotABundleError,
    OversizedError,
    UnsafeFileError,
    UnsafePathError,
)
from issbox.names import path_problem

_FILES = {path: data for path, data in sample_files().items() if not path.startswith("many/") or len(path) < 30}


def _record(block: int, size: int, identifier: bytes, ridge: bytes, flags: int = 0) -> bytes:
    name = identifier + (b"" if len(identifier) % 2 else b"\0")
    body = struct.pack("<BI", 0, block) + struct.pack(">I", block) + struct.pack("<I", size) + struct.pack(">I", size)
    body += bytes(7) + bytes([flags, 0, 0]) + b"\1\0\0\1" + bytes([len(identifier)]) + name + ridge
    body += b"\0" * ((len(body) + 1) % 2)
    return bytes([len(body) + 1]) + body


def _changed(record: bytes, place: int) -> bytes:
    return record[:place] + b"\1" + record[place + 1 :]


def _entry(signature: bytes, body: bytes) -> bytes:
    return signature + bytes([len(body) + 4, 1]) + body


def _both(number: int) -> bytes:
    return struct.pack("<I", number) + struct.pack(">I", number)


def _named(name: bytes, mode: int = 0o100444, *more: bytes) -> bytes:
    return _entry(b"NM", b"\0" + name) + _entry(b"PX", _both(mode) + bytes(24)) + b"".join(more)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Give an image of which nothing is wrong."""
    return write_image(tmp_path_factory.mktemp("whole") / "volume.iso", _FILES).read_bytes()


@pytest.fixture
def craft(whole: bytes, tmp_path: Path) -> Callable[..., Path]:
    """Give a function that makes an image whose root directory has these records after `.` and `..`."""

    def make(*records: bytes, sectors: dict[int, bytes] | None = None) -> Path:
        image = bytearray(whole)
        root = int.from_bytes(image[16 * 2048 + 158 :][:4], "little")
        start = root * 2048
        own = bytes(image[start : start + 2048])
        dots = own[: own[0]] + own[own[0] : own[0] + own[own[0]]]
        image[start : start + 2048] = (dots + b"".join(records)).ljust(2048, b"\0")
        for number, data in (sectors or {}).items():
            image[number * 2048 : number * 2048 + 2048] = data.ljust(2048, b"\0")
        path = tmp_path / "crafted.iso"
        path.write_bytes(image)
        return path

    return make


_ROOT = 24
"""Sector of the root directory in these images, which the first test below checks."""


def test_a_crafted_image_is_read_as_any(craft: Callable[..., Path], whole: bytes) -> None:
    assert int.from_bytes(whole[16 * 2048 + 158 :][:4], "little") == _ROOT
    image = craft(_record(16, 5, b"1", _named(b"one")), _record(16, 6, b"2", _named(b"two")))
    assert read_image(image) == {"one": b"\1CD00", "two": b"\1CD001"}


@pytest.mark.parametrize(
    ("ridge", "error"),
    [
        (_named(b".."), UnsafePathError),
        (_named(b"."), UnsafePathError),
        (_named(b"a/b"), UnsafePathError),
        (_named(b"/etc"), UnsafePathError),
        (_named(b"a\0b"), UnsafePathError),
        (_named(b"a\nb"), UnsafePathError),
        (_named(b"\x1b[31m"), UnsafePathError),
        (_named(b"\xff\xfe"), UnsafePathError),
        (_named(b"\xed\xa0\x80"), UnsafePathError),
        (_named(b"link", 0o120777), UnsafeFileError),
        (_named(b"device", 0o060600), UnsafeFileError),
        (_named(b"pipe", 0o010600), UnsafeFileError),
        (_named(b"both", 0o040555), BundleDamagedError),
        (_named(b"link", 0o100444, _entry(b"SL", b"\0\0\4root")), UnsafeFileError),
        (_named(b"zipped", 0o100444, _entry(b"ZF", b"pz\4\x0f" + _both(9))), UnsafeFileError),
        (b"", BundleDamagedError),
        (_entry(b"NM", b"\2"), BundleDamagedError),
        (_entry(b"NM", b"\1half"), BundleDamagedError),
        (_entry(b"NM", b""), BundleDamagedError),
        (_named(b"one") + _entry(b"NM", b"\0two"), BundleDamagedError),
        (_entry(b"NM", b"\0mode") + _entry(b"PX", b"\1\0\0\0"), BundleDamagedError),
        (_entry(b"NM", b"\0mode") + _entry(b"PX", struct.pack("<II", 0o100444, 7)), BundleDamagedError),
        (b"NM\xf0\1\0long", BundleDamagedError),
        (b"NM\3\1\0short", BundleDamagedError),
        (_named(b"far", 0o100444, _entry(b"CE", _both(2**32 - 1) + _both(0) + _both(10))), BundleIncompleteError),
        (_named(b"wide", 0o100444, _entry(b"CE", _both(16) + _both(0) + _both(2**31))), BundleDamagedError),
        (_named(b"gone", 0o040555, _entry(b"CL", _both(2**31))), BundleIncompleteError),
        (_named(b"file", 0o040555, _entry(b"CL", _both(16))), BundleError),
    ],
)
def test_an_entry_that_no_bundle_has_is_refused(
    ridge: bytes, error: type[BundleError], craft: Callable[..., Path]
) -> None:
    with pytest.raises(error):
        read_image(craft(_record(16, 5, b"1", _named(b"fine")), _record(16, 5, b"2", ridge)))


def test_a_record_that_goes_on_in_itself_is_refused(craft: Callable[..., Path]) -> None:
    loop = _entry(b"CE", _both(40) + _both(0) + _both(28))
    with pytest.raises(BundleDamagedError, match="goes on"):
        read_image(craft(_record(16, 5, b"1", _named(b"loop", 0o100444, loop)), sectors={40: loop}))


def test_a_name_in_pieces_is_put_together_but_not_for_ever(craft: Callable[..., Path]) -> None:
    def parts(count: int) -> bytes:
        pieces = [_entry(b"NM", b"\1" + b"n" * 100) for _ in range(count)]
        return b"".join(pieces) + _entry(b"NM", b"\0end")

    def image(count: int) -> Path:
        area = parts(count)
        return craft(_record(16, 5, b"1", _entry(b"CE", _both(40) + _both(0) + _both(len(area)))), sectors={40: area})

    assert list(read_image(image(2))) == ["n" * 200 + "end"]
    with pytest.raises(UnsafePathError, match="too long"):
        read_image(image(3))
    with pytest.raises(BundleDamagedError):
        read_image(image(15))


def test_one_name_twice_is_refused(craft: Callable[..., Path]) -> None:
    with pytest.raises(NameClashError, match="'same'"):
        read_image(craft(_record(16, 5, b"1", _named(b"same")), _record(16, 5, b"2", _named(b"same"))))


@pytest.mark.parametrize(
    "records",
    [
        [_record(16, 2048, b"1", _named(b"a"), 0x80)],
        [_record(16, 2048, b"1", _named(b"a"), 0x80), _record(17, 5, b"2", _named(b"b"))],
        [_record(16, 2048, b"1", _named(b"a"), 0x82), _record(17, 5, b"1", _named(b"a"), 2)],
        [b"\x21" + bytes(40)],
        [b"\xff" + bytes(40)],
        [_changed(_record(16, 5, b"1", _named(b"a")), 2)],
        [_record(16, 5, b"1", _named(b"associated"), 0x04)],
        [_changed(_record(16, 5, b"1", _named(b"attributes")), 1)],
    ],
    ids=[
        "rest-missing",
        "other-rest",
        "directory-in-parts",
        "too-short",
        "too-long",
        "two-blocks",
        "associated",
        "attributes",
    ],
)
def test_records_that_contradict_themselves_are_refused(records: list[bytes], craft: Callable[..., Path]) -> None:
    with pytest.raises(BundleDamagedError):
        read_image(craft(*records))


def test_parts_of_a_file_are_one_file(craft: Callable[..., Path], whole: bytes) -> None:
    image = craft(
        _record(16, 2048, b"1", _named(b"a"), 0x80),
        _record(20, 2048, b"1", _named(b"a"), 0x80),
        _record(17, 100, b"1", _named(b"a")),
    )
    sectors = [whole[number * 2048 :][:2048] for number in (16, 20, 17)]
    assert read_image(image) == {"a": sectors[0] + sectors[1] + sectors[2][:100]}


@pytest.mark.parametrize("size", [2048, 2**32 - 2048])
def test_directories_within_themselves_end(size: int, craft: Callable[..., Path]) -> None:
    again = [_record(_ROOT, size, name, _named(name, 0o040555), 2) for name in (b"a", b"b")]
    with pytest.raises(BundleError), IsoImage(craft(*again)) as image:
        list(image.walk())
    with IsoImage(craft(*again)) as image, pytest.raises(BundleError):
        image.find("a/" * 500 + "x")


def test_moved_directories_within_one_another_end(craft: Callable[..., Path]) -> None:
    moved = [_record(0, 0, name, _named(name, 0o040555, _entry(b"CL", _both(_ROOT)))) for name in (b"a", b"b", b"c")]
    with pytest.raises(BundleError), IsoImage(craft(*moved)) as image:
        list(image.walk())


def test_files_that_share_bytes_are_fine_and_those_beyond_the_end_are_cut(craft: Callable[..., Path]) -> None:
    image = craft(
        _record(16, 9, b"1", _named(b"a")), _record(16, 9, b"2", _named(b"b")), _record(2**31, 9, b"3", _named(b"c"))
    )
    with IsoImage(image) as opened:
        assert [file.path for file in opened.walk()] == ["a", "b", "c"]
        assert opened.open("a").readall() == opened.open("b").readall()
        with pytest.raises(BundleIncompleteError, match="'c' is cut"):
            opened.open("c")


def test_endless_entries_are_refused(craft: Callable[..., Path]) -> None:
    image = craft(*(_record(16, 9, b"%d" % number, _named(b"%d" % number)) for number in range(15)))
    with IsoImage(image, max_entries=14) as opened, pytest.raises(OversizedError):
        list(opened.walk())


@needs("xorriso", "xorriso")
def test_links_in_images_of_others_are_refused(tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "tree", {"a": b"a"})
    (tree / "link").symlink_to("/etc/passwd")
    run("xorriso", "-as", "mkisofs", "-quiet", "-R", "-o", tmp_path / "volume.iso", tree)
    with pytest.raises(UnsafeFileError, match="'link' is a symbolic link"):
        read_image(tmp_path / "volume.iso")


@needs("xorriso", "xorriso")
def test_an_image_without_rock_ridge_is_refused(tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "tree", {"a": b"a"})
    image = tmp_path / "volume.iso"
    run("xorriso", "-rockridge", "off", "-as", "mkisofs", "-quiet", "--norock", "-o", image, tree)
    with pytest.raises(NotABundleError, match="no Rock Ridge names"):
        IsoImage(image)


def _extents(image: Path) -> dict[str, list[tuple[int, int]]]:
    with IsoImage(image) as opened:
        return {file.path: [(extent.offset, extent.size) for extent in file.extents] for file in opened.walk()}


@pytest.fixture(scope="module")
def metadata(whole: bytes, tmp_path_factory: pytest.TempPathFactory) -> int:
    """Give where the directories of the whole image end and its files begin."""
    image = tmp_path_factory.mktemp("extents") / "volume.iso"
    image.write_bytes(whole)
    return min(offset for extents in _extents(image).values() for offset, size in extents)


def _survey(image: Path) -> dict[str, bytes]:
    """Read all that can be read; whatever is wrong must be a BundleError."""
    found: dict[str, bytes] = {}
    try:
        with IsoImage(image) as opened:
            for file in opened.walk():
                assert path_problem(file.path) is None
                try:
                    found[file.path] = opened.open(file).readall()
                    assert len(found[file.path]) == file.size
                except BundleError:
                    continue
    except BundleError:
        pass
    return found


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_flipped_bytes_never_give_other_bytes_for_a_file(
    data: st.DataObject, whole: bytes, metadata: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A flip outside of a file's bytes gives the file, no file, or an error that says so, and no other bytes.

    A file may come to be called otherwise: the names that are read are compared with the signed table.
    """
    image = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(16 * 2048, metadata - 1))
        image[place] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path_factory.getbasetemp() / "flipped.iso"
    path.write_bytes(image)
    for name, content in _survey(path).items():
        assert content == _FILES.get(name, content)


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_random_bytes_in_the_directories_give_only_errors(
    data: st.DataObject, whole: bytes, metadata: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    image = bytearray(whole)
    place = data.draw(st.integers(16 * 2048, metadata - 1))
    noise = random.Random(data.draw(st.integers())).randbytes(data.draw(st.integers(1, 4096)))
    image[place : place + len(noise)] = noise
    path = tmp_path_factory.getbasetemp() / "noise.iso"
    path.write_bytes(image[: len(whole)])
    _survey(path)


@given(size=st.integers(0, 2**21))
@settings(max_examples=100, deadline=None)
def test_a_cut_image_gives_whole_files_or_errors(
    size: int, whole: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.iso"
    path.write_bytes(whole[:size])
    found = _survey(path)
    assert found.items() <= _FILES.items()
    if size >= len(whole):
        assert found == _FILES


@given(sector=st.binary(max_size=2048))
def test_any_bytes_as_a_directory_are_records_or_damaged(sector: bytes) -> None:
    try:
        for record in read_records(sector, "it"):
            assert record.identifier
    except BundleDamagedError:
        pass
