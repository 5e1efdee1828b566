"""Sorting the packages of a repository by path in flat memory: primary metadata lists them in any order."""

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from issbox.yum.primary import PackageEntry

_RUN: Final = 10_000
"""Packages sorted in memory at once; a million, more than any repository may have, make a hundred files."""
_path = attrgetter("path")
_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(PackageEntry)


def sorted_by_path(entries: Iterable[PackageEntry], scratch: Path, run: int = _RUN) -> Iterator[PackageEntry]:
    """Give the entries sorted by path, the last one of those with the same path.

    More than one `run` of them goes to files in `scratch`, which are gone when the iteration ends.
    """
    incoming = iter(entries)
    with ExitStack() as files:
        runs: list[Iterator[PackageEntry]] = []
        while batch := sorted(islice(incoming, run), key=_path):
            whole = len(batch) < run and not runs
            runs.append(iter(batch) if whole else _written(batch, files.enter_context(_new_file(scratch))))
        last: PackageEntry | None = None
        for entry in heapq.merge(*runs, key=_path):  # of equals the first run's comes first
            if last is not None and last.path != entry.path:
                yield last
            last = entry
        if last is not None:
            yield last


def _new_file(scratch: Path) -> BinaryIO:
    return tempfile.TemporaryFile(prefix="packages-", dir=scratch)


def _written(batch: Iterable[PackageEntry], file: BinaryIO) -> Iterator[PackageEntry]:
    """Write entries to a file, a line each, and give them as they are read from it again."""
    file.writelines(_encoder.encode(entry) + b"\n" for entry in batch)
    file.seek(0)
    return map(_decoder.decode, file)
