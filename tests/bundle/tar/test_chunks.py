"""Chunks: divided exactly, whole or not there at all, and each damage called by its chunk."""

import os
import resource
import signal
import tempfile
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers.bundles import flip_byte, new_key
from makers.tar_streams import FILES, NOW, chunked, compressions, member, read_bytes, read_members, stream_of, write_set

from issbox.bundle.members import Member
from issbox.bundle.opening import form_at
from issbox.bundle.signature import SigningKey
from issbox.bundle.tar.chunk_writer import ChunkWriter, chunk_digits
from issbox.bundle.tar.reading import reading_chunks
from issbox.bundle.tar.toc import decode_toc
from issbox.bundle.tar.toc_checks import MAX_CHUNKS, Compression, Toc
from issbox.bundle.tar.writing import tar_stream
from issbox.errors import (
    BadManifestError,
    BundleDamagedError,
    BundleError,
    BundleIncompleteError,
    DigestMismatchError,
    InvalidValueError,
    OperatingSystemError,
    UnsafeFileError,
)
from issbox.files import Digest
from issbox.model import BundleForm

KEY = new_key()
NONE, GZIP = Compression.NONE, Compression.GZIP


def write(parent: Path, data: bytes, size: int | None, **words: object) -> Toc:
    with ChunkWriter(parent, "set", NONE, size, **words) as chunks:  # type: ignore[arg-type]  # words are its own
        chunks.write(memoryview(data))
        return chunks.finish("bundle-1", KEY)


def open_files() -> list[str]:
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


def names(parent: Path) -> list[str]:
    return sorted(path.name for path in parent.iterdir())


@given(st.binary(min_size=1, max_size=60), st.none() | st.integers(1, 70), st.lists(st.integers(1, 20), min_size=1))
@settings(max_examples=50, deadline=None)
def test_a_stream_is_divided_exactly(data: bytes, size: int | None, pieces: list[int]) -> None:
    with tempfile.TemporaryDirectory(dir=_memory()) as scratch:
        parent = Path(scratch)
        with ChunkWriter(parent, "set", NONE, size) as chunks:
            left = data
            while left:
                part, left = left[: pieces[0]], left[pieces[0] :]
                pieces = [*pieces[1:], pieces[0]]
                chunks.write(memoryview(part))
            toc = chunks.finish("bundle-1", KEY)
        written = [(parent / chunk.name).read_bytes() for chunk in toc.chunks]
        assert b"".join(written) == data
        assert [(len(part), sha256(part).hexdigest()) for part in written] == [(c.size, c.sha256) for c in toc.chunks]
        if size is None:
            assert names(parent) == ["set.tar", "set.toc.json", "set.toc.json.sig"]
        else:
            assert {len(part) for part in written[:-1]} <= {size}
            assert [chunk.name for chunk in toc.chunks] == [f"set.tar.{n:03d}" for n in range(1, len(written) + 1)]
            assert len(names(parent)) == len(written) + 2
        assert decode_toc((parent / "set.toc.json").read_bytes(), "set.toc.json") == toc
        with chunked(toc, parent) as source:
            assert read_bytes(source, max(pieces)) == data


def _memory() -> str | None:
    """A directory in memory, where making each chunk durable costs nothing."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def test_numbers_beyond_999_stay_in_order(tmp_path: Path) -> None:
    data = bytes(index % 251 for index in range(1003))
    toc = write(tmp_path, data, 1, only={1, 999, 1000, 1001, 1003})
    assert [chunk.name for chunk in toc.chunks][997:] == [f"set.tar.{n}" for n in range(998, 1004)]
    for number in (1, 999, 1000, 1001, 1003):
        assert (tmp_path / toc.chunks[number - 1].name).read_bytes() == data[number - 1 : number]
    assert len(names(tmp_path)) == 5 + 2


def test_with_enough_digits_the_shell_orders_them_too(tmp_path: Path) -> None:
    assert [chunk_digits(size, 10) for size in (1, 9990, 9991, 99_991)] == [3, 3, 4, 5]
    toc = write(tmp_path, bytes(1003), 1, digits=chunk_digits(1003, 1), only=set())
    listed = [chunk.name for chunk in toc.chunks]
    assert listed == sorted(listed)


def test_single_chunks_are_made_once_more(tmp_path: Path) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    first.mkdir()
    again.mkdir()
    toc = write(first, bytes(range(200)), 7)
    assert write(again, bytes(range(200)), 7, only={2, 5}) == toc
    assert names(again) == ["set.tar.002", "set.tar.005", "set.toc.json", "set.toc.json.sig"]
    for name in names(again):
        assert (again / name).read_bytes() == (first / name).read_bytes()


def test_more_chunks_than_can_be_listed_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="too small"):
        write(tmp_path, bytes(MAX_CHUNKS + 1), 1, only=set())
    assert names(tmp_path) == []


@pytest.mark.parametrize("size", [0, -1])
def test_a_chunk_that_holds_nothing_is_refused(tmp_path: Path, size: int) -> None:
    with pytest.raises(InvalidValueError, match="nothing"):
        ChunkWriter(tmp_path, "set", GZIP, size)


def test_files_are_readable_by_all(tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        write(tmp_path, b"data", 3)
    finally:
        os.umask(old)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o644}


class TestUnfinished:
    """What is left when writing does not come to its end: nothing that says it is complete."""

    def test_an_error_leaves_no_table_of_contents_and_nothing_open(self, tmp_path: Path) -> None:
        wrong = Member("a", Digest(4, "0" * 64), member("a", b"data").open)
        before = open_files()

        def write_both() -> None:
            with (
                ChunkWriter(tmp_path, "set", GZIP, 100) as chunks,
                tar_stream(chunks, GZIP, NOW) as tar,
            ):
                tar.add(member("b", os.urandom(1000)))
                tar.add(wrong)

        with pytest.raises(DigestMismatchError):
            write_both()
        assert "set.toc.json" not in names(tmp_path)
        assert open_files() == before

    def test_a_bundle_id_that_none_may_have_leaves_no_table_of_contents(self, tmp_path: Path) -> None:
        with ChunkWriter(tmp_path, "set", GZIP, 100) as chunks:
            chunks.write(memoryview(bytes(250)))
            with pytest.raises(BadManifestError, match="bundle_id"):
                chunks.finish("no label", KEY)
        assert names(tmp_path) == ["set.tgz.001", "set.tgz.002", "set.tgz.003"]

    @pytest.mark.parametrize("size", [None, 150_000])
    def test_a_write_that_fails_is_named_as_the_bundle_will_be(self, tmp_path: Path, size: int | None) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            with pytest.raises(OperatingSystemError, match="final/set"):
                write(tmp_path, bytes(200_000), size, shown=Path("final"))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, before)
        assert "set.toc.json" not in names(tmp_path)

    def test_no_file_that_is_there_is_written_over(self, tmp_path: Path) -> None:
        (tmp_path / "set.tgz.002").write_text("older")
        with pytest.raises(OperatingSystemError, match=r"set\.tgz\.002: File exists"):
            write_set(tmp_path, KEY, GZIP, 100)
        assert (tmp_path / "set.tgz.002").read_text() == "older"


class TestDamage:
    """Reading stops at the damage and says where it is."""

    @pytest.fixture
    def toc(self, tmp_path: Path, key: SigningKey) -> Toc:
        return write_set(tmp_path, key)

    def test_whole_chunks_give_every_file(self, tmp_path: Path, toc: Toc) -> None:
        with reading_chunks(chunked(toc, tmp_path)) as tar:
            assert read_members(tar) == list(FILES.items())

    @given(compressions, st.integers(30, 9000), st.data())
    @settings(max_examples=60, deadline=None)
    def test_a_flip_anywhere_is_named(self, compression: Compression, size: int, choose: st.DataObject) -> None:
        with tempfile.TemporaryDirectory(dir=_memory()) as scratch:
            parent = Path(scratch)
            toc = write_set(parent, KEY, compression, size)
            place = choose.draw(st.integers(0, toc.size - 1))
            chunk = toc.chunks[place // size]
            flip_byte(parent / chunk.name, place % size)
            with pytest.raises(BundleDamagedError, match=f"the chunk {chunk.name} has SHA-256"):
                self.read(parent, toc)

    @given(compressions, st.integers(30, 9000), st.data())
    @settings(max_examples=30, deadline=None)
    def test_the_first_of_several_is_named_at_the_latest(
        self, compression: Compression, size: int, choose: st.DataObject
    ) -> None:
        with tempfile.TemporaryDirectory(dir=_memory()) as scratch:
            parent = Path(scratch)
            toc = write_set(parent, KEY, compression, size)
            places = choose.draw(st.sets(st.integers(0, toc.size - 1), min_size=1, max_size=4))
            for place in places:
                flip_byte(parent / toc.chunks[place // size].name, place % size)
            first = toc.chunks[min(places) // size]
            with pytest.raises(BundleDamagedError, match=f"the chunk {first.name} has SHA-256"):
                self.read(parent, toc)

    @staticmethod
    def read(parent: Path, toc: Toc) -> None:
        with reading_chunks(chunked(toc, parent)) as tar:
            found = read_members(tar)
            if found != list(FILES.items()):
                raise DigestMismatchError("as an importer finds it")

    def test_a_chunk_that_is_fine_takes_no_blame(self, tmp_path: Path, toc: Toc) -> None:
        def refuse_the_first() -> None:
            with reading_chunks(chunked(toc, tmp_path)) as tar:
                next(iter(tar))
                raise DigestMismatchError("something else")

        with pytest.raises(DigestMismatchError, match="something else"):
            refuse_the_first()

    def test_reading_may_stop_early(self, tmp_path: Path, toc: Toc) -> None:
        flip_byte(tmp_path / toc.chunks[-1].name, 5)
        with reading_chunks(chunked(toc, tmp_path)) as tar:
            assert next(iter(tar)).path == next(iter(FILES))

    def test_all_missing_chunks_are_named(self, tmp_path: Path, toc: Toc) -> None:
        gone = [toc.chunks[0].name, toc.chunks[3].name]
        for name in gone:
            (tmp_path / name).unlink()
        count = len(toc.chunks)
        with pytest.raises(BundleIncompleteError, match=f"2 of {count} chunks are missing: {gone[0]}, {gone[1]}$"):
            self.read(tmp_path, toc)

    def test_a_folder_that_is_not_there_has_no_chunks(self, tmp_path: Path, toc: Toc) -> None:
        with pytest.raises(BundleIncompleteError, match="chunks are missing"):
            self.read(tmp_path / "elsewhere", toc)

    @pytest.mark.parametrize("change", [-1, 1, -700])
    def test_chunks_of_another_size_are_named(self, tmp_path: Path, toc: Toc, change: int) -> None:
        for chunk in (toc.chunks[1], toc.chunks[2]):
            os.truncate(tmp_path / chunk.name, chunk.size + change)
        said = ", ".join(f"{chunk.name} has {700 + change} bytes instead of 700" for chunk in toc.chunks[1:3])
        with pytest.raises(BundleDamagedError, match=said):
            self.read(tmp_path, toc)

    def test_two_that_took_each_others_name_are_named(self, tmp_path: Path, toc: Toc) -> None:
        one, other = (tmp_path / toc.chunks[index].name for index in (1, 3))
        one.rename(tmp_path / "aside")
        other.rename(one)
        (tmp_path / "aside").rename(other)
        with pytest.raises(BundleDamagedError, match=f"the chunk {one.name} holds what belongs into {other.name}"):
            self.read(tmp_path, toc)

    def test_a_link_is_not_followed(self, tmp_path: Path, toc: Toc) -> None:
        chunk = tmp_path / toc.chunks[1].name
        chunk.rename(tmp_path / "aside")
        chunk.symlink_to("aside")
        with pytest.raises(UnsafeFileError, match=chunk.name):
            self.read(tmp_path, toc)

    def test_a_pipe_is_not_waited_for(self, tmp_path: Path, toc: Toc) -> None:
        chunk = tmp_path / toc.chunks[1].name
        chunk.unlink()
        os.mkfifo(chunk)
        with pytest.raises(UnsafeFileError, match=chunk.name):
            self.read(tmp_path, toc)

    @pytest.mark.parametrize("size", [0, 699, 701])
    def test_a_chunk_that_changes_while_it_is_read_is_named(self, tmp_path: Path, toc: Toc, size: int) -> None:
        last = toc.chunks[2]
        with chunked(toc, tmp_path) as source:
            source.readinto(memoryview(bytearray(700)))
            os.truncate(tmp_path / last.name, size)
            with pytest.raises(BundleDamagedError, match=f"the chunk {last.name} has {size} bytes"):
                read_bytes(source, 300)
            with pytest.raises(BundleDamagedError, match=last.name):
                source.readinto(memoryview(bytearray(1)))

    def test_a_chunk_that_goes_away_meanwhile_is_missing(self, tmp_path: Path, toc: Toc) -> None:
        with chunked(toc, tmp_path) as source:
            (tmp_path / toc.chunks[2].name).unlink()
            with pytest.raises(BundleIncompleteError, match=toc.chunks[2].name):
                read_bytes(source)

    def test_a_stream_that_was_signed_wrong_blames_no_chunk(self, tmp_path: Path) -> None:
        with ChunkWriter(tmp_path, "wrong", NONE, 512) as chunks:
            chunks.write(memoryview(stream_of({"a": b"data"})[:-512]))
            toc = chunks.finish("bundle-1", KEY)
        with (
            pytest.raises(BundleIncompleteError, match="tar stream ends"),
            reading_chunks(chunked(toc, tmp_path)) as tar,
        ):
            read_members(tar)

    def test_the_limit_counts_unpacked_bytes(self, tmp_path: Path, toc: Toc) -> None:
        with pytest.raises(BundleError, match="allowed"), reading_chunks(chunked(toc, tmp_path), 2000) as tar:
            read_members(tar)


@pytest.mark.parametrize(("compression", "form"), [(NONE, BundleForm.TAR), (GZIP, BundleForm.TGZ)])
def test_the_form_of_a_set_is_what_its_table_says_whatever_its_name(
    tmp_path: Path, compression: Compression, form: BundleForm
) -> None:
    with ChunkWriter(tmp_path, "old.tgz-copy", compression, 20) as chunks:
        chunks.write(memoryview(b"x" * 50))
        chunks.finish("bundle-1", KEY)
    assert form_at(tmp_path / "old.tgz-copy.toc.json") is form
