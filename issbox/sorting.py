"""Sorting more than memory shall hold: sorted runs of it lie on the disk, and are merged while they are read."""

import heapq
from array import array
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, Final, TypeVar

from issbox.scratch import ScratchFile

_Item = TypeVar("_Item")

RUN: Final = 2_000
"""Items sorted in memory at once; a million, more than most things have, make five hundred runs."""
_NUMBERS: Final = 8_192
"""The same for numbers, which are smaller."""
_BLOCK: Final = 4_096
"""Bytes of each run that are read at once."""
_END: Final = b"\0"
"""Ends an item in the file."""


def sorted_on_disk(
    items: Iterable[_Item],
    key: Callable[[_Item], Any],
    *,
    encode: Callable[[_Item], bytes],
    decode: Callable[[bytes], _Item],
    scratch: Path | None = None,
    run: int = RUN,
) -> Iterator[_Item]:
    """Give items sorted, those with the same key in the order in which they came, in the memory of one `run` of them.

    More of them go to a file in `scratch`, by default the system's temporary directory, which is gone when the
    iteration ends. No item may be encoded with a zero byte. Raises what the disk says, and what `items` raises.
    """
    incoming = iter(items)
    batch = sorted(islice(incoming, run), key=key)
    if len(batch) < run:
        yield from batch
        return
    file, runs = ScratchFile(scratch), list[range]()
    while batch:
        runs.append(file.add(encode(item) + _END for item in batch))
        batch.clear()  # before the next run is in memory
        batch = sorted(islice(incoming, run), key=key)
    yield from heapq.merge(*(map(decode, _items(file, part)) for part in runs), key=key)


def _items(file: ScratchFile, part: range) -> Iterator[bytes]:
    rest = b""
    for block in file.blocks(part, _BLOCK):
        *whole, rest = (rest + block).split(_END)
        yield from whole


class RepeatedNumbers:
    """Is told numbers of 64 bits, and knows afterwards which of them came more than once, in flat memory."""

    def __init__(self, scratch: Path | None = None, run: int = _NUMBERS) -> None:
        """Take the directory for a file that is made when there are more than `run` of them."""
        self._scratch = scratch
        self._run = run
        self._latest = array("q")
        self._file: ScratchFile | None = None
        self._runs: list[range] = []

    def add(self, number: int) -> None:
        """Take the next number; raises what the disk says."""
        self._latest.append(number)
        if len(self._latest) == self._run:
            if self._file is None:
                self._file = ScratchFile(self._scratch)
            self._runs.append(self._file.add([array("q", sorted(self._latest)).tobytes()]))
            del self._latest[:]

    def repeated(self) -> Iterator[int]:
        """Give the numbers that came more than once, ascending, some of them several times."""
        runs = (self._numbers(part) for part in self._runs)
        return (number for number, other in pairwise(heapq.merge(*runs, sorted(self._latest))) if number == other)

    def _numbers(self, part: range) -> Iterator[int]:
        assert self._file is not None, "a run has been written to it"
        for block in self._file.blocks(part, _BLOCK):
            yield from array("q", block)
