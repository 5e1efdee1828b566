"""What the metadata of a repository in a directory names, without fetching anything: to see what is missing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from issbox.errors import BadMetadataError
from issbox.files import error_from_os
from issbox.yum.checksums import Checksum
from issbox.yum.primary import read_packages
from issbox.yum.repomd import MAX_REPOMD_SIZE, REPOMD_PATH, parse_repomd
from issbox.yum.treeinfo import MAX_TREEINFO_SIZE, TREEINFO_NAMES, parse_treeinfo

Find = Callable[[str], Path | None]
"""Gives the place of a file of the repository by its path, or None when it is not there."""


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file that the metadata names."""

    path: str
    """Relative to the repository."""
    checksum: Checksum
    checksum_type: str
    """As the metadata spells it."""
    size: int | None
    """Bytes."""
    is_metadata: bool = False


def list_repository(
    find: Find, max_metadata_size: int, *, packages: bool = True, scratch: Path | None = None
) -> Iterator[ListedFile]:
    """Give the metadata and packages of a repository, and of those inside its kickstart tree that are there.

    Without `packages`, only the metadata.
    A repository whose primary metadata is missing gives only that. Raises BadMetadataError and UnsafePathError.
    """
    limit = max_metadata_size if packages else None
    yield from _list_one(find, "", limit, scratch)
    for name in TREEINFO_NAMES:
        place = find(name)
        if place is not None:
            for inner in parse_treeinfo(_read(place, name, MAX_TREEINFO_SIZE), name).repositories:
                if find(f"{inner}/{REPOMD_PATH}") is not None:
                    yield from _list_one(find, f"{inner}/", limit, scratch)
            break


def _list_one(find: Find, prefix: str, max_size: int | None, scratch: Path | None) -> Iterator[ListedFile]:
    place = find(prefix + REPOMD_PATH)
    if place is None:
        return
    repomd = parse_repomd(_read(place, prefix + REPOMD_PATH, MAX_REPOMD_SIZE))
    for record in repomd.records:
        yield ListedFile(prefix + record.href, record.checksum, record.checksum.type, record.size, is_metadata=True)
    primary = repomd.find("primary") if max_size is not None else None
    found = None if primary is None else find(prefix + primary.href)
    if primary is not None and found is not None and max_size is not None:
        name = prefix + primary.href
        for entry in read_packages(found, max_size, name=name, open_size=primary.open_size, scratch=scratch):
            yield ListedFile(prefix + entry.path, entry.checksum, entry.package.checksum_type, entry.size)


def _read(place: Path, name: str, limit: int) -> bytes:
    try:
        with place.open("rb") as source:
            data = source.read(limit + 1)
    except OSError as error:
        raise error_from_os(error) from error
    if len(data) > limit:
        raise BadMetadataError(f"{name} has more than {limit} bytes, which no repository needs")
    return data
