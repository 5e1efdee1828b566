"""Gzips that compress nothing, and the reading of any gzip."""

import gzip
import struct
import tracemalloc
import zlib
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers.tar_streams import Endless, Sink, Trickle, read_bytes

from issbox.bundle.tar import stored_gzip
from issbox.bundle.tar.gunzip import Gunzip, unpacked
from issbox.bundle.tar.stored_gzip import StoredGzip, stored_size
from issbox.errors import BundleDamagedError, BundleError, BundleIncompleteError, OversizedError

pieces = st.lists(st.integers(1, 2000), min_size=1, max_size=5)
around_blocks = st.builds(
    lambda blocks, more: max(0, blocks * 65_535 + more), st.integers(0, 5), st.integers(-2, 2) | st.integers(-60_000, 9)
)
"""Sizes at which something ends or begins."""


def stored(data: bytes, sizes: list[int]) -> bytes:
    sink = Sink()
    out = StoredGzip(sink)
    source = Trickle(data, sizes)
    buffer = memoryview(bytearray(300_000))
    while count := source.readinto(buffer):
        out.write(buffer[:count])
    out.finish()
    return bytes(sink.data)


@given(st.binary(max_size=3000), pieces)
@settings(deadline=None)
def test_what_is_stored_is_read_by_any_gunzip(data: bytes, sizes: list[int]) -> None:
    packed = stored(data, sizes)
    assert gzip.decompress(packed) == data
    assert len(packed) == stored_size(len(data))
    assert packed == stored(data, [70_000])


@pytest.mark.parametrize("size", [0, 1, 65_534, 65_535, 65_536, 2 * 65_535, 2 * 65_535 + 1, 200_000])
@pytest.mark.parametrize("piece", [1000, 65_535, 65_536, 70_000])
def test_blocks_of_every_length_are_stored(size: int, piece: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    packed = stored(data[:size], [piece])
    assert gzip.decompress(packed) == data[:size]
    assert len(packed) == stored_size(size)
    assert read_bytes(Gunzip(Trickle(packed, [piece]))) == data[:size]


def by_the_book(data: bytes) -> bytes:
    """Make the same gzip by the words of RFC 1951 and 1952: recuts of chunks rely on every byte of it."""
    blocks = [data[at : at + 65_535] for at in range(0, len(data) - 65_534, 65_535)]
    rest = data[len(blocks) * 65_535 :]
    body = b"".join(b"\0\xff\xff\0\0" + block for block in blocks)
    last = b"\1" + struct.pack("<HH", len(rest), len(rest) ^ 0xFFFF) + rest
    return b"\x1f\x8b\x08\0\0\0\0\0\x04\xff" + body + last + struct.pack("<II", zlib.crc32(data), len(data))


@given(around_blocks, st.lists(around_blocks.filter(bool), min_size=1, max_size=3))
@settings(deadline=None, max_examples=50)
def test_every_byte_of_a_gzip_is_laid_down(size: int, sizes: list[int]) -> None:
    data = Random(size).randbytes(size)
    packed = stored(data, sizes)
    assert packed == by_the_book(data)
    assert len(packed) == stored_size(size)


@given(st.binary(max_size=3000), pieces)
@settings(deadline=None)
def test_the_checksum_of_zlib_gives_the_same_gzip(data: bytes, sizes: list[int]) -> None:
    packed = stored(data, sizes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored_gzip, "crc32", zlib.crc32)
        assert stored(data, sizes) == packed


@given(
    st.lists(st.tuples(st.binary(max_size=1000), st.integers(0, 9)), min_size=1, max_size=4),
    pieces,
    st.integers(1, 2000),
)
@settings(deadline=None)
def test_any_gzip_is_read(members: list[tuple[bytes, int]], sizes: list[int], step: int) -> None:
    packed = b"".join(gzip.compress(data, level) for data, level in members)
    expected = b"".join(data for data, _ in members)
    assert read_bytes(Gunzip(Trickle(packed, sizes)), step) == expected
    assert read_bytes(unpacked(Trickle(packed, [1])), step) == expected


def test_what_was_compressed_far_is_read() -> None:
    data = bytes(1_000_000)
    assert read_bytes(Gunzip(Trickle(gzip.compress(data, 9))), 1000) == data


@given(st.binary(max_size=50).filter(lambda data: data[:2] != b"\x1f\x8b"), pieces)
def test_what_is_no_gzip_is_left_as_it_is(data: bytes, sizes: list[int]) -> None:
    assert read_bytes(unpacked(Trickle(data, sizes)), 1) == data
    assert read_bytes(unpacked(Trickle(data, sizes))) == data


@given(st.binary(max_size=500), st.integers(0, 9), st.data())
def test_a_cut_gzip_is_incomplete(data: bytes, level: int, choose: st.DataObject) -> None:
    packed = gzip.compress(data, level)
    cut = packed[: choose.draw(st.integers(0, len(packed) - 1))]
    with pytest.raises(BundleIncompleteError):
        read_bytes(Gunzip(Trickle(cut)))


@given(st.binary(min_size=1, max_size=500), st.integers(0, 9), st.data())
def test_a_flip_never_gives_other_bytes(data: bytes, level: int, choose: st.DataObject) -> None:
    packed = bytearray(gzip.compress(data, level))
    packed[choose.draw(st.integers(0, len(packed) - 1))] ^= 1 << choose.draw(st.integers(0, 7))
    try:
        found = read_bytes(Gunzip(Trickle(bytes(packed))))
    except BundleError:
        return
    assert found == data


@pytest.mark.parametrize("garbage", [b"\0x", bytes(70_000) + b"x", b"\x1f", b"hello", b"\x1f\x8b\x07"])
def test_what_lies_behind_a_gzip_is_refused(garbage: bytes) -> None:
    for sizes in ([1], [1000]):
        with pytest.raises((BundleDamagedError, BundleIncompleteError), match="gzip"):
            read_bytes(Gunzip(Trickle(gzip.compress(b"data") + garbage, sizes)))


@given(st.integers(1, 200_000), pieces)
@settings(deadline=None, max_examples=20)
def test_zeros_that_fill_up_a_tape_are_passed_over(count: int, sizes: list[int]) -> None:
    source = Trickle(gzip.compress(b"data") + bytes(count), [size + 500 for size in sizes])
    found = Gunzip(source)
    assert read_bytes(found) == b"data"
    assert read_bytes(source) == b""
    assert read_bytes(found) == b""


def test_but_not_zeros_without_end() -> None:
    with pytest.raises(OversizedError, match="does not end"):
        read_bytes(Gunzip(Endless(gzip.compress(b"data"))))


@pytest.mark.parametrize("step", [1, 512, 65_536])
def test_a_bomb_is_unpacked_in_little_memory(step: int) -> None:
    size = 20_000_000
    packed = zlib.compress(bytes(size), 9, 31)
    source = Gunzip(Trickle(packed))
    buffer = memoryview(bytearray(step))
    tracemalloc.start()
    try:
        for _ in range(200):
            source.readinto(buffer)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000
