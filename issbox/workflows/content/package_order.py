"""Sorting the packages of a repository in flat memory: neither metadata nor store have them in the order needed."""

from collections.abc import Iterable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import Final

import msgspec

from issbox.model import Package
from issbox.rules.content.comparing import name_and_arch
from issbox.sorting import RUN, sorted_on_disk
from issbox.yum.primary import PackageEntry

_path = attrgetter("path")
_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(PackageEntry)
_package_decoder: Final = msgspec.json.Decoder(Package)


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


def sorted_by_name(packages: Iterable[Package], scratch: Path) -> Iterator[Package]:
    """Give packages sorted by name and architecture, as they have to be to be compared.

    Many of them go to a file in `scratch`, which is gone when the iteration ends.
    """
    return sorted_on_disk(
        packages, name_and_arch, encode=_encoder.encode, decode=_package_decoder.decode, scratch=scratch
    )
