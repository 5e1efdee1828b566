"""Tar streams: what is written is what every tar reads, and what no tar may say is refused."""

import gzip
import tarfile
import tracemalloc
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers.bundle_strategies import paths
from makers.tar_streams import (
    FILES,
    NOW,
    Endless,
    Sink,
    Trickle,
    compressions,
    long_paths,
    made_by_tarfile,
    member,
    read_bytes,
    read_members,
    stream_of,
    tree_by_tarfile,
    trees,
)

from issbox.bundle.members import Member
from issbox.bundle.stages import WriteBehind
from issbox.bundle.tar.headers import MAX_EXTENSION, MAX_TRAILING_ZEROS, encode_header, header_size
from issbox.bundle.tar.reading import reading_pipe
from issbox.bundle.tar.stored_gzip import stored_size
from issbox.bundle.tar.tar_reader import TarReader
from issbox.bundle.tar.toc_checks import Compression
from issbox.bundle.tar.writing import END_SIZE, TarStream, member_size, tar_stream
from issbox.errors import (
    BundleDamagedError,
    BundleError,
    BundleIncompleteError,
    DigestMismatchError,
    OversizedError,
    UnsafeFileError,
    UnsafePathError,
)
from issbox.files import BLOCK, Digest

Tree = Mapping[str, bytes]
pieces = st.lists(st.integers(1, 3000), min_size=1, max_size=5)


def members_of(data: bytes, limit: int | None = None) -> list[tuple[str, bytes]]:
    return read_members(TarReader(Trickle(data), limit))


@given(trees, compressions, pieces)
@settings(max_examples=50, deadline=None)
def test_what_is_written_is_read_again(files: Tree, compression: Compression, sizes: list[int]) -> None:
    data = stream_of(files, compression)
    assert read_members(reading_pipe(Trickle(data, sizes))) == list(files.items())


@given(trees)
@settings(max_examples=50, deadline=None)
def test_python_reads_it(files: Tree) -> None:
    with tarfile.open(fileobj=BytesIO(stream_of(files))) as tar:
        found = {info.name: _contents(tar, info) for info in tar}
        assert found == files
        for info in tar:
            assert (info.type, info.mode, info.uid, info.gid, info.uname, info.gname) == (b"0", 0o644, 0, 0, "", "")
            assert info.mtime == NOW.timestamp()


def _contents(tar: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    source = tar.extractfile(info)
    assert source is not None
    return source.read()


@given(trees)
@settings(max_examples=50, deadline=None)
def test_the_size_is_known_before(files: Tree) -> None:
    size = sum(member_size(path, len(data)) for path, data in files.items()) + END_SIZE
    assert len(stream_of(files)) == size
    assert len(stream_of(files, Compression.GZIP)) == stored_size(size)


@given(trees, compressions)
@settings(max_examples=20, deadline=None)
def test_the_same_files_give_the_same_bytes_when_memory_is_filled_in_place(
    files: Tree, compression: Compression
) -> None:
    assert made_in_place(files, compression) == stream_of(files, compression)


@pytest.mark.parametrize("size", [4 * 65_535, BLOCK - 512, BLOCK, BLOCK + 1, 3 * BLOCK - 1024, 1_000_003])
def test_a_stream_of_a_large_file_is_what_it_must_be(size: int) -> None:
    files = {"a": b"x", "b": Random(size).randbytes(size), "c": bytes(range(200))}
    modified = int(NOW.timestamp())
    each = (encode_header(path, len(data), modified) + data + bytes(-len(data) % 512) for path, data in files.items())
    plain = b"".join(each) + bytes(END_SIZE)
    for make in (stream_of, made_in_place):
        assert make(files, Compression.NONE) == plain
        assert gzip.decompress(make(files, Compression.GZIP)) == plain


@pytest.mark.parametrize("compression", Compression)
def test_small_files_go_down_a_pipe_in_large_pieces(compression: Compression) -> None:
    sizes = []

    class Pipe:
        def write(self, data: memoryview, /) -> None:
            sizes.append(len(data))

    with tar_stream(Pipe(), compression, NOW) as tar:
        for number in range(500):
            tar.add(member(f"Packages/{number}", bytes(3000)))
    assert set(sizes[:-1]) == {BLOCK}
    assert 0 < sizes[-1] <= BLOCK


def made_in_place(files: Tree, compression: Compression) -> bytes:
    sink = Sink()
    with WriteBehind(sink) as behind, tar_stream(behind, compression, NOW) as tar:
        for path, data in files.items():
            tar.add(member(path, data))
    return bytes(sink.data)


@given(trees, st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]))
@settings(max_examples=50, deadline=None)
def test_what_other_tars_write_is_read(files: Tree, form: int) -> None:
    assert members_of(tree_by_tarfile(files, form)) == list(files.items())


def test_long_names_of_ustar_are_read() -> None:
    files = {f"{'d' * 90}/{'e' * 60}/{'f' * 99}": b"data"}
    assert members_of(tree_by_tarfile(files, tarfile.USTAR_FORMAT)) == list(files.items())


@given(trees, st.data())
@settings(max_examples=100, deadline=None)
def test_a_cut_stream_is_incomplete(files: Tree, choose: st.DataObject) -> None:
    data = stream_of(files)
    cut = data[: choose.draw(st.integers(0, len(data) - 1))]
    with pytest.raises(BundleIncompleteError, match="ends"):
        members_of(cut)


@given(st.binary(max_size=2000) | st.binary(min_size=512, max_size=512).map(lambda block: block * 3))
@settings(deadline=None)
def test_what_is_no_tar_is_refused(data: bytes) -> None:
    if not data.strip(b"\0"):
        return
    with pytest.raises(BundleError):
        members_of(data)


@given(st.integers(0, 511), st.integers(0, 7))
def test_a_flip_in_a_header_is_damage(offset: int, bit: int) -> None:
    data = bytearray(stream_of({"a/b": b"data"}))
    data[offset] ^= 1 << bit
    if 148 <= offset < 156:  # some flips of the checksum's own field write the same number in another way
        with suppress(BundleDamagedError):
            assert members_of(bytes(data)) == [("a/b", b"data")]
        return
    with pytest.raises(BundleDamagedError, match="header at byte 0"):
        members_of(bytes(data))


@pytest.mark.parametrize("path", ["a", "a" * 100, "a" * 101, "\u00e4" * 50, "\u00e4" * 51, f"{'d' * 60}/{'e' * 60}"])
@pytest.mark.parametrize("size", [0, 1, 8**11 - 1, 8**11, 2**53])
def test_the_size_of_a_header_is_known_before(path: str, size: int) -> None:
    assert header_size(path, size) == len(encode_header(path, size, 1_700_000_000))


@given(
    paths | long_paths | st.text("aé/", min_size=98, max_size=102),
    st.integers(0, 1 << 20) | st.integers((8 << 30) - 2, (8 << 30) + 2),
    st.integers(0, 1 << 31) | st.integers((8 << 30) - 2, (8 << 30) + 2),
)
def test_a_header_is_the_one_that_python_makes(path: str, size: int, modified: int) -> None:
    info = tarfile.TarInfo(path)
    info.size, info.mtime, info.mode = size, modified, 0o644
    assert encode_header(path, size, modified) == info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def test_a_header_of_every_size_is_read() -> None:
    for size in (0, 1, 8**11 - 1, 8**11, 2**53):
        found = next(iter(TarReader(Trickle(encode_header("a", size, 0)), None)))
        assert (found.path, found.size) == ("a", size)
    info = tarfile.TarInfo("a")
    info.size = 8**11
    assert next(iter(TarReader(Trickle(info.tobuf(tarfile.GNU_FORMAT)), None))).size == 8**11


def test_what_is_not_read_of_a_file_is_passed_over() -> None:
    reader = TarReader(Trickle(stream_of(FILES), [100]), None)
    found = []
    for each in reader:
        found.append(each.path)
        each.readinto(memoryview(bytearray(7)))
    assert found == list(FILES)


def test_a_source_that_changed_is_noticed() -> None:
    good = member("a", b"data")
    for data in (b"dat", b"datum", b"Data"):
        changed = Member("a", good.digest, member("a", data).open)
        with pytest.raises(DigestMismatchError, match="'a'"):
            TarStream(Sink(), NOW).add(changed)


def test_progress_counts_the_bytes_of_the_file() -> None:
    seen: list[int] = []
    tar = TarStream(Sink(), datetime(2026, 1, 1, tzinfo=UTC))
    tar.add(Member("a", Digest(5, sha256(b"hello").hexdigest()), member("a", b"hello").open), advance=seen.append)
    assert sum(seen) == 5
    assert tar.size == 1024


def test_reading_takes_the_same_memory_for_any_number_of_files() -> None:
    data = stream_of({f"a/{number}": b"data" for number in range(3000)})
    source = Trickle(data)
    tracemalloc.start()
    try:
        assert sum(1 for _ in TarReader(source, None)) == 3000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


class TestHostile:
    """Tars that were made to do harm."""

    @pytest.mark.parametrize(
        ("kind", "what"),
        [
            (tarfile.SYMTYPE, "symbolic link"),
            (tarfile.LNKTYPE, "hard link"),
            (tarfile.CHRTYPE, "character device"),
            (tarfile.BLKTYPE, "block device"),
            (tarfile.FIFOTYPE, "named pipe"),
            (tarfile.GNUTYPE_SPARSE, "sparse"),
            (tarfile.CONTTYPE, "unknown type"),
            (tarfile.GNUTYPE_LONGLINK, "unknown type"),
            (b"V", "unknown type"),
            (b"M", "unknown type"),
        ],
    )
    def test_only_files_and_directories_are_taken(self, kind: bytes, what: str) -> None:
        info = tarfile.TarInfo("a/evil")
        info.type, info.linkname = kind, "/etc/passwd"
        with pytest.raises(UnsafeFileError, match=f"'a/evil' at byte 0 is .*{what}"):
            members_of(info.tobuf(tarfile.PAX_FORMAT) + bytes(1024))

    @pytest.mark.parametrize(
        "path",
        [
            "/etc/passwd",
            "../a",
            "a/../../b",
            "a/..",
            "a//b",
            "a/./b",
            "a\\b",
            "a\nb",
            "..",
            ".",
            "a/",
            "./",
            "",
            "x" * 256,
            "/" * 3,
            "././a",
            "a/" * 600 + "a",
        ],
    )
    @pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
    def test_a_path_that_no_bundle_may_have_is_refused(self, path: str, form: int) -> None:
        info = tarfile.TarInfo("x")
        info.size = 1
        data = self.named(path.encode(), form) + b"d".ljust(512, b"\0") + bytes(1024)
        with pytest.raises(UnsafePathError):
            members_of(data)

    @staticmethod
    def named(path: bytes, form: int) -> bytes:
        """Give the header of a file of one byte with any bytes as its path, as a long one."""
        info = tarfile.TarInfo("x")
        info.size = 1
        if form == tarfile.PAX_FORMAT:
            return pax(b"x", record(b"path", path)) + info.tobuf(tarfile.PAX_FORMAT)
        return long_name(path + b"\0") + info.tobuf(tarfile.GNU_FORMAT)

    def test_a_path_that_is_no_utf8_is_refused(self) -> None:
        for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
            with pytest.raises(UnsafePathError, match="UTF-8"):
                members_of(self.named(b"a\xff", form) + b"d".ljust(512, b"\0") + bytes(1024))

    @pytest.mark.parametrize("path", ["a", "./a", "./", ".", "./a/", "a/b/c/"])
    def test_directories_are_passed_over(self, path: str) -> None:
        def add(tar: tarfile.TarFile) -> None:
            info = tarfile.TarInfo(path)
            info.type = tarfile.DIRTYPE
            tar.addfile(info)
            tar.addfile(tarfile.TarInfo("./a/file"))

        assert members_of(made_by_tarfile(add)) == [("a/file", b"")]

    @pytest.mark.parametrize("path", ["/", "/etc", "../", "a/../b"])
    def test_but_not_those_outside(self, path: str) -> None:
        info = tarfile.TarInfo(path)
        info.type = tarfile.DIRTYPE
        with pytest.raises(UnsafePathError):
            members_of(info.tobuf(tarfile.PAX_FORMAT) + bytes(1024))

    def test_a_directory_with_contents_is_damage(self) -> None:
        info = tarfile.TarInfo("a")
        info.type, info.size = tarfile.DIRTYPE, 512
        with pytest.raises(BundleDamagedError, match="has contents"):
            members_of(info.tobuf(tarfile.PAX_FORMAT) + bytes(2048))

    @pytest.mark.parametrize("kind", [b"x", b"g", b"L"])
    def test_a_huge_header_is_not_read(self, kind: bytes) -> None:
        info = tarfile.TarInfo("x")
        info.type, info.size = kind, MAX_EXTENSION + 1
        with pytest.raises(OversizedError):
            members_of(info.tobuf(tarfile.GNU_FORMAT) + bytes(MAX_EXTENSION + 2048))

    @pytest.mark.parametrize(
        "data",
        [
            b"x",
            b"5 a=b\n",
            b"99 a=b\n",
            b"6 a=bc",
            b"6 a-bc\n",
            b" 6 a=b\n",
            b"-6 a=b\n",
            b"5 =b\n",
            b"0 \n",
            b"\0" * 20,
            b"7 a=b\nx",
            b"9 size=x\n",
            b"10 size=-1\n",
            b"8 size=\n",
            b"29 size=" + b"9" * 20 + b"\n",
        ],
    )
    def test_a_broken_pax_header_is_damage(self, data: bytes) -> None:
        with pytest.raises(BundleDamagedError, match="pax header at byte 0"):
            members_of(pax(b"x", data) + tarfile.TarInfo("a").tobuf(tarfile.PAX_FORMAT) + bytes(1024))

    @given(st.binary(max_size=100))
    @settings(deadline=None)
    def test_a_pax_header_is_read_or_refused(self, data: bytes) -> None:
        stream = pax(b"x", data) + tarfile.TarInfo("a").tobuf(tarfile.PAX_FORMAT) + bytes(1024)
        with suppress(BundleError):
            assert len(members_of(stream)) == 1

    def test_a_sparse_file_of_gnu_is_refused(self) -> None:
        with pytest.raises(UnsafeFileError, match="sparse"):
            members_of(pax(b"x", record(b"GNU.sparse.major", b"1")) + tarfile.TarInfo("a").tobuf(tarfile.PAX_FORMAT))

    def test_a_global_header_may_say_nothing_of_a_file(self) -> None:
        rest = tarfile.TarInfo("a").tobuf(tarfile.PAX_FORMAT) + bytes(1024)
        assert members_of(pax(b"g", record(b"comment", b"made by git")) + rest) == [("a", b"")]
        for name, value in ((b"path", b"b"), (b"size", b"5")):
            with pytest.raises(BundleDamagedError, match="several files"):
                members_of(pax(b"g", record(name, value)) + rest)

    @pytest.mark.parametrize("twice", [b"x", b"L"])
    def test_a_header_that_comes_twice_is_damage(self, twice: bytes) -> None:
        one = pax(b"x", record(b"path", b"b")) if twice == b"x" else long_name(b"b\0")
        with pytest.raises(BundleDamagedError, match="repeats"):
            members_of(one + one + tarfile.TarInfo("a").tobuf(tarfile.PAX_FORMAT) + bytes(1024))

    def test_a_header_that_announces_nothing_is_damage(self) -> None:
        with pytest.raises(BundleDamagedError, match="announced"):
            members_of(pax(b"x", record(b"path", b"b")) + bytes(1024))

    @pytest.mark.parametrize("behind", [b"x", bytes(5000) + b"x", stream_of({"b": b""})])
    def test_what_lies_behind_the_end_is_refused(self, behind: bytes) -> None:
        with pytest.raises(BundleDamagedError, match="behind the end of the tar stream at byte 1024"):
            members_of(stream_of({"a": b"b"}) + behind)

    def test_a_tape_that_is_filled_up_is_read_to_its_end(self) -> None:
        source = Trickle(stream_of({"a": b"b"}) + bytes(20 * 512), [700])
        assert read_members(TarReader(source, None)) == [("a", b"b")]
        assert read_bytes(source) == b""

    def test_but_zeros_without_end_are_refused(self) -> None:
        with pytest.raises(OversizedError, match="does not end"):
            read_members(TarReader(Endless(stream_of({"a": b"b"})), None))
        with pytest.raises(OversizedError, match="allowed"):
            read_members(TarReader(Endless(stream_of({"a": b"b"})), MAX_TRAILING_ZEROS // 100))

    def test_one_block_of_zeros_is_no_end(self) -> None:
        with pytest.raises(BundleIncompleteError):
            members_of(stream_of({"a": b"b"})[:-512])
        with pytest.raises(BundleDamagedError, match="behind the end"):
            members_of(bytes(512) + stream_of({"a": b"b"}))

    @given(trees, st.data())
    @settings(max_examples=30, deadline=None)
    def test_the_limit_is_kept(self, files: Tree, choose: st.DataObject) -> None:
        data = stream_of(files)
        assert members_of(data, len(data)) == list(files.items())
        with pytest.raises(OversizedError):
            members_of(data, choose.draw(st.integers(0, len(data) - 1)))

    def test_a_file_larger_than_the_limit_is_refused_before_it_is_read(self) -> None:
        reader = TarReader(Trickle(encode_header("a", 1 << 50, 0)), 1 << 40)
        with pytest.raises(OversizedError, match=r"1\.0 TiB"):
            next(iter(reader))

    def test_an_old_tar_without_a_magic_is_refused(self) -> None:
        block = bytearray(tarfile.TarInfo("a").tobuf(tarfile.USTAR_FORMAT))
        block[257:265] = bytes(8)
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
        with pytest.raises(BundleDamagedError, match="neither"):
            members_of(bytes(block) + bytes(1024))


@pytest.mark.parametrize("kind", [tarfile.DIRTYPE, tarfile.XGLTYPE])
def test_headers_without_end_and_without_a_file_are_too_many(kind: bytes) -> None:
    info = tarfile.TarInfo("directory")
    info.type = kind
    with pytest.raises(OversizedError, match="headers without a file"):
        read_members(TarReader(BytesIO(info.tobuf(tarfile.USTAR_FORMAT) * 20_000), None))


def record(name: bytes, value: bytes) -> bytes:
    length = len(name) + len(value) + 3
    digits = len(str(length))
    while len(str(length + digits)) != digits:
        digits = len(str(length + digits))
    return b"%d %s=%s\n" % (length + digits, name, value)


def pax(kind: bytes, data: bytes) -> bytes:
    return _extension(kind, data)


def long_name(data: bytes) -> bytes:
    return _extension(b"L", data)


def _extension(kind: bytes, data: bytes) -> bytes:
    info = tarfile.TarInfo("header")
    info.type, info.size = kind, len(data)
    return info.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % 512)
