"""What a receipt means to the box whose bundles it tells of. Pure: receipts and own versions in, answers out."""

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from issbox.model import LastImport, Receipt, ReceiptRepository, RepositoryKey

PATH_TAG_DIGITS: Final = 8
"""Hexadecimal digits of a repository's path in a compact receipt."""
SHORT_REPOMD_DIGITS: Final = 16
"""Hexadecimal digits of a repomd.xml in a compact receipt."""
MAX_MISSING: Final = 100
"""Ranges of missing sequence numbers in a receipt."""


@dataclass(frozen=True, slots=True)
class OwnRepository:
    """A repository of the box that reads a receipt."""

    key: RepositoryKey
    path: str
    content_id: str
    variables: Mapping[str, str]
    versions: Mapping[int, str]
    """Number to the SHA-256 of its repomd.xml."""


class KnownFiles:
    """Files that a receipt says are there: sorted beginnings of their SHA-256, found by bisection."""

    def __init__(self, prefixes: bytes = b"", prefix_bytes: int = 1) -> None:
        """Take the sorted prefixes, one after the other."""
        self._prefixes, self._width = prefixes, prefix_bytes

    def __len__(self) -> int:
        return len(self._prefixes) // self._width

    def __contains__(self, sha256: str) -> bool:
        wanted = bytes.fromhex(sha256)[: self._width]
        place = bisect_left(range(len(self)), wanted, key=self._at)
        return place < len(self) and self._at(place) == wanted

    def _at(self, place: int) -> bytes:
        return self._prefixes[place * self._width : (place + 1) * self._width]


@dataclass(frozen=True, slots=True)
class ReceiptBase:
    """What an incremental export to the box of a receipt may start from."""

    versions: Mapping[RepositoryKey, int | None]
    """The own version that the other box holds, or None when it holds none that is known here."""
    files: KnownFiles
    """Files that are there whatever the versions say."""


def export_base(receipt: Receipt, own: Sequence[OwnRepository], files: KnownFiles | None = None) -> ReceiptBase:
    """Find for each own repository the version of it that the other box holds.

    The digest of repomd.xml decides: a version counts when the same repository over there has its digest, or else any
    repository, since an import finds its files wherever they lie. Among versions with one digest (only files outside
    the metadata differ) the one that was imported wins, then the oldest, which promises least.
    """
    by_path = {each.path: each for each in receipt.repositories}
    versions = {}
    for repository in own:
        held = by_path.get(repository.path)
        found = None if held is None else _held_version(repository, held)
        if found is None:
            others = (_held_version(repository, each) for each in receipt.repositories)
            found = max((number for number in others if number is not None), default=None)
        versions[repository.key] = found
    return ReceiptBase(versions, files or KnownFiles())


def _held_version(repository: OwnRepository, held: ReceiptRepository) -> int | None:
    numbers = [number for number, repomd in repository.versions.items() if repomd.startswith(held.repomd_sha256)]
    if held.path == repository.path and held.source_version in numbers:
        return held.source_version
    return min(numbers, default=None)


def recognise(held: ReceiptRepository, tag: str, own: Sequence[OwnRepository]) -> ReceiptRepository:
    """Fill in what a compact receipt leaves out of a repository, from the own repository with this tag of its path.

    What is not known here stays as it is: empty names, and the first digits of the repomd.xml.
    """
    named = [repository for repository in own if path_tag(repository.path) == tag]
    if not named:
        return held
    digests = [(each, repomd) for each in named for repomd in each.versions.values()]
    fitting = [(each, repomd) for each, repomd in digests if repomd.startswith(held.repomd_sha256)]
    repository, repomd = fitting[0] if len({repomd for _, repomd in fitting}) == 1 else (named[0], held.repomd_sha256)
    return replace(
        held,
        product=repository.key.product,
        label=repository.key.label,
        path=repository.path,
        content_id=repository.content_id,
        variables=dict(repository.variables),
        repomd_sha256=repomd,
    )


def path_tag(path: str) -> str:
    """Give the digits that stand for a repository's path in a compact receipt."""
    return hashlib.sha256(path.encode()).hexdigest()[:PATH_TAG_DIGITS]


def export_tag(source_box: str, destination: str, bundle_id: str) -> str:
    """Give the 6 digits that stand for a bundle in the short text of a receipt."""
    return hashlib.sha256(f"{source_box}\0{destination}\0{bundle_id}".encode()).hexdigest()[:6]


def state_digest(repositories: Iterable[tuple[str, str]]) -> str:
    """Give the 14 digits that stand for a set of repository versions, each a path and the digest of its repomd.xml."""
    lines = (f"{path}\0{repomd}\n" for path, repomd in sorted(repositories))
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:14]


def matching_state(exports: Sequence[Mapping[str, str]], state: str) -> Mapping[str, str] | None:
    """Find the repositories, path to repomd.xml, that a short text's digest stands for.

    `exports` are what each export to one destination held, oldest first, up to the last one imported. The other box
    holds what these left one upon the other, or, after going back to an older bundle, what the first ones left.
    """
    held: dict[str, str] = {}
    found = None
    for export in exports:
        held |= export
        for candidate in (dict(export), dict(held)):
            if state_digest(candidate.items()) == state:
                found = candidate
    return found


def missing_sequences(imported: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Give the ranges of sequence numbers, from 1, that lie below the highest imported one and were not imported.

    With very many gaps the oldest become one range, which may say of an imported bundle that it is missing.
    """
    gaps, expected = [], 1
    for sequence in sorted(set(imported)):
        if sequence > expected:
            gaps.append((expected, sequence - 1))
        expected = sequence + 1
    if len(gaps) > MAX_MISSING:
        cut = len(gaps) - MAX_MISSING
        gaps = [(1, gaps[cut][1]), *gaps[cut + 1 :]]
    return tuple(gaps)


def imported_ranges(last: LastImport) -> list[tuple[int, int]]:
    """Give the ranges of sequence numbers, first and last, that a receipt says were imported."""
    ranges, expected = [], 1
    for first, end in last.missing:
        if first > expected:
            ranges.append((expected, first - 1))
        expected = end + 1
    if expected <= last.sequence:
        ranges.append((expected, last.sequence))
    return ranges
