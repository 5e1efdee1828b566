"""Sorting the packages of a repository by path in flat memory: primary metadata lists them in any order."""

from collections.abc import Iterable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import Final

import msgspec

from issbox.sorting import RUN, sorted_on_disk
from issbox.yum.primary import PackageEntry

_path = attrgetter("path")
_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(PackageEntry)


def sorted_by_path(entries: Iterable[PackageEntry], scratch: Path, run: int = RUN) -> Iterator[PackageEntry]:
    """Give the entries sorted by path, the last one of those with the same path.

    More than one `run` of them goes to a file in `scratch`, which is gone when the iteration ends.
    """
    last: PackageEntry | None = None
    for entry in sorted_on_disk(
        entries, _path, encode=_encoder.encode, decode=_decoder.decode, scratch=scratch, run=run
    ):
        if last is not None and last.path != entry.path:
            yield last
        last = entry
    if last is not None:
        yield last
