"""What is sorted on the disk comes as if memory had held it, and the memory it takes does not grow with it."""

import os
import tempfile
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issbox.errors import NoSpaceError, OperatingSystemError
from issbox.scratch import ScratchFile
from issbox.sorting import RepeatedNumbers, sorted_on_disk

Pair = tuple[int, str]


def encode(pair: Pair) -> bytes:
    return f"{pair[0]} {pair[1]}".encode()


def decode(data: bytes) -> Pair:
    number, _, text = data.decode().partition(" ")
    return int(number), text


def first(pair: Pair) -> int:
    return pair[0]


words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=3)


@given(st.lists(st.tuples(st.integers(0, 5), words)), st.integers(1, 5))
@settings(deadline=None)
def test_items_come_sorted_and_those_with_one_key_in_their_order(pairs: list[Pair], run: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        found = list(sorted_on_disk(pairs, first, encode=encode, decode=decode, scratch=Path(place), run=run))
        assert found == sorted(pairs, key=first)
        assert list(Path(place).iterdir()) == []


@given(st.lists(st.integers(-3, 3) | st.integers(-(2**63), 2**63 - 1)), st.integers(1, 5))
@settings(deadline=None)
def test_numbers_that_came_more_than_once_are_known(numbers: list[int], run: int) -> None:
    repeated = RepeatedNumbers(run=run)
    for number in numbers:
        repeated.add(number)
    assert set(repeated.repeated()) == {number for number, count in Counter(numbers).items() if count > 1}


def peak(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def sort(count: int, scratch: Path) -> None:
    pairs = ((number * 7919 % count, "x" * 50) for number in range(count))
    assert sum(1 for _ in sorted_on_disk(pairs, first, encode=encode, decode=decode, scratch=scratch)) == count


def look_for_repeated(count: int, scratch: Path) -> None:
    repeated = RepeatedNumbers(scratch)
    for number in range(count):
        repeated.add(number * 7919 % count)
    assert list(repeated.repeated()) == []


@pytest.mark.parametrize("work", [sort, look_for_repeated])
def test_memory_hardly_grows_with_what_is_sorted(work: Callable[[int, Path], None], tmp_path: Path) -> None:
    few, many = (peak(partial(work, count, tmp_path)) for count in (10_000, 50_000))
    assert many < 2 * few


def test_a_scratch_file_gives_back_what_was_written(tmp_path: Path) -> None:
    file = ScratchFile(tmp_path)
    first_part = file.add([b"ab", b"", b"c" * 70_000])
    file.write(memoryview(b"rest"))
    assert (len(first_part), file.size) == (70_002, 70_006)
    assert b"".join(file.blocks(first_part, 1_000)) == b"ab" + b"c" * 70_000
    assert file.read(70_000, 100) == b"ccrest"
    assert list(file.blocks(range(5, 5), 10)) == []


def test_what_the_disk_says_names_the_directory(tmp_path: Path) -> None:
    with pytest.raises(OperatingSystemError, match="missing"):
        ScratchFile(tmp_path / "missing")


def test_a_full_disk_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int, _data: Iterable[int]) -> int:
        raise OSError(28, "No space left on device")

    file = ScratchFile(tmp_path)
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(NoSpaceError, match=str(tmp_path)):
        file.write(b"x")
