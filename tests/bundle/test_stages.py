"""Threads between the halves of a stream: the same bytes, and no error lost."""

import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers.tar_streams import Sink, Trickle, read_bytes

from issbox.bundle.stages import ReadAhead, WriteBehind
from issbox.files import BLOCK

sizes = st.lists(st.integers(0, 3 * BLOCK) | st.integers(0, 50), max_size=6)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def some_bytes(size: int) -> bytes:
    return (b"%d " * 7 % (1, 2, 3, 4, 5, 6, size))[:size].ljust(size, bytes([size % 251]))


@given(sizes)
@settings(max_examples=25, deadline=None)
def test_everything_is_written_in_order(each: list[int]) -> None:
    sink = Sink()
    parts = [some_bytes(size) for size in each]
    with WriteBehind(sink) as out:
        for part in parts:
            reused = memoryview(bytearray(part))
            out.write(reused)
            reused[:] = bytes(len(part))
    assert bytes(sink.data) == b"".join(parts)


@given(sizes, st.integers(1, 3 * BLOCK))
@settings(max_examples=25, deadline=None)
def test_memory_is_filled_in_place_and_every_out_gets_it_in_order(each: list[int], step: int) -> None:
    sinks = [Sink(), Sink(), Sink()]
    data = b"".join(some_bytes(size) for size in each)
    with WriteBehind(*sinks) as out:
        left = memoryview(data)
        while left.nbytes:
            room = out.room()
            count = min(len(room), len(left), step)
            assert count
            room[:count] = left[:count]
            out.fill(count)
            left = left[count:]
    assert all(bytes(sink.data) == data for sink in sinks)


@given(sizes, st.lists(st.integers(1, BLOCK), min_size=1, max_size=3), st.integers(1, 2 * BLOCK))
@settings(max_examples=25, deadline=None)
def test_everything_is_read_in_order(each: list[int], pieces: list[int], step: int) -> None:
    data = b"".join(some_bytes(size) for size in each)
    with ReadAhead(Trickle(data, [piece + 1000 for piece in pieces])) as source:
        assert read_bytes(source, step + 1000) == data
        assert source.readinto(memoryview(bytearray(1))) == 0


class Full(Sink):
    def write(self, data: memoryview, /) -> None:
        super().write(data)
        if len(self.data) > 3 * BLOCK:
            raise OSError("full")


def test_an_error_of_the_writer_is_raised_by_a_later_write() -> None:
    sink = Full()
    written = 0
    try:
        with WriteBehind(sink) as out:
            for _ in range(1000):
                out.write(memoryview(bytes(BLOCK)))
                written += 1
    except OSError as error:
        assert str(error) == "full"  # noqa: PT017 - the count shows that a write raised it
    assert 3 < written < 30
    assert len(sink.data) == 4 * BLOCK


@pytest.mark.parametrize("place", [0, 1])
def test_an_error_of_one_out_is_the_end_of_all(place: int) -> None:
    sinks = [Sink(), Sink()]
    sinks.insert(place, Full())
    with pytest.raises(OSError, match="full"), WriteBehind(*sinks) as out:
        out.write(memoryview(bytes(100 * BLOCK)))
    behind = [len(sink.data) for sink in sinks[place + 1 :]]
    assert len(sinks[place].data) == 4 * BLOCK
    assert all(size < 4 * BLOCK for size in behind)


def test_an_error_of_the_writer_is_raised_at_the_end_at_the_latest() -> None:
    sink = Full()
    with pytest.raises(OSError, match="full"), WriteBehind(sink) as out:
        out.write(memoryview(bytes(3 * BLOCK + 1)))


def test_nothing_more_is_written_after_an_error_outside() -> None:
    sink = Sink()
    with suppress(KeyError), WriteBehind(sink) as out:
        out.write(memoryview(bytes(100)))
        raise KeyError
    assert bytes(sink.data) == b""


def test_an_error_of_the_reader_comes_when_everything_before_it_is_read() -> None:
    class Broken(Trickle):
        def readinto(self, buffer: memoryview, /) -> int:
            count = super().readinto(buffer)
            if not count:
                raise OSError("pulled away")
            return count

    with ReadAhead(Broken(b"abc" * BLOCK)) as source:
        buffer = memoryview(bytearray(3 * BLOCK))
        found = 0
        while found < 3 * BLOCK:
            found += source.readinto(buffer)
        for _ in range(2):
            with pytest.raises(OSError, match="pulled away"):
                source.readinto(buffer)


def test_reading_may_end_early() -> None:
    with ReadAhead(Trickle(bytes(100 * BLOCK))) as source:
        assert source.readinto(memoryview(bytearray(10))) == 10
    with ReadAhead(Trickle(bytes(100 * BLOCK))):
        pass
