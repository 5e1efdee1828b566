"""Compares what lies in a bundle directory with what its file table lists: the same files with the same sizes."""

import heapq
from collections.abc import Iterable, Iterator

from issbox.bundle.foreign import is_foreign
from issbox.bundle.pieces import Piece
from issbox.bundle.tree import FoundFile
from issbox.bundle.volume_files import VolumeFiles
from issbox.errors import BundleDamagedError, BundleError, BundleIncompleteError, OversizedError, UnlistedFileError
from issbox.manifest import PARTS_DIRECTORY

SHOWN = 10
"""How many names a message lists."""


class _Names:
    """Counts names and remembers the first of them."""

    def __init__(self) -> None:
        self.count = 0
        self._first: list[str] = []

    def add(self, name: str) -> None:
        self.count += 1
        if len(self._first) < SHOWN:
            self._first.append(name)

    def text(self, what: str) -> str:
        """Say, for example, `2 files are missing: 'a', 'b'`."""
        files = "1 file is" if self.count == 1 else f"{self.count} files are"
        more = ", ..." if self.count > SHOWN else ""
        return f"{files} {what}: {', '.join(map(repr, self._first))}{more}"


def check_inventory(files: VolumeFiles, head: Iterable[FoundFile], pieces: Iterable[Piece]) -> None:
    """Check that a volume holds exactly the head files and the pieces, sorted by entry, and nothing but files.

    Empty directories and what `is_foreign` knows are passed over. Raises UnsafeFileError for a link, device, pipe or
    socket, UnlistedFileError, OversizedError for a file that is too long, BundleIncompleteError for missing ones, and
    BundleDamagedError for one that is too short. All of `pieces` is read, and what it raises comes first.
    """
    unlisted, longer, missing, shorter = _Names(), _Names(), _Names(), _Names()
    for path, said, there in _compare(files, head, pieces):
        if said is None:
            if not is_foreign(path.partition("/")[0]):
                unlisted.add(path)
        elif there is None:
            missing.add(path)
        elif there > said:
            longer.add(path)
        elif there < said:
            shorter.add(path)
    _refuse(unlisted, UnlistedFileError, "not in the signed file table")
    _refuse(longer, OversizedError, "longer than the signed file table says")
    if missing.count and shorter.count:
        raise BundleIncompleteError(f"{missing.text('missing')}; {shorter.text('too short')}")
    _refuse(missing, BundleIncompleteError, "missing")
    _refuse(shorter, BundleDamagedError, "shorter than the signed file table says")


def _compare(
    files: VolumeFiles, head: Iterable[FoundFile], pieces: Iterable[Piece]
) -> Iterator[tuple[str, int | None, int | None]]:
    """Give each path with the size wanted and the size found. Parts, which are few, are compared at the end."""
    parts_wanted: list[FoundFile] = []
    parts_found: list[FoundFile] = []

    def whole() -> Iterator[FoundFile]:
        for piece in pieces:
            file = FoundFile(piece.path, piece.digest.size)
            if piece.part is None:
                yield file
            else:
                parts_wanted.append(file)

    def found() -> Iterator[FoundFile]:
        for file in files.walk():
            if file.path.startswith(f"{PARTS_DIRECTORY}/"):
                parts_found.append(file)
            else:
                yield file

    yield from _side_by_side(heapq.merge(sorted(head, key=_path), whole(), key=_path), found())
    yield from _side_by_side(iter(sorted(parts_wanted, key=_path)), iter(parts_found))


def _refuse(names: _Names, error: type[BundleError], what: str) -> None:
    if names.count:
        raise error(names.text(what))


def _side_by_side(
    wanted: Iterator[FoundFile], found: Iterator[FoundFile]
) -> Iterator[tuple[str, int | None, int | None]]:
    """Give each path with the size wanted and the size found; None where there is no such file."""
    said, there = next(wanted, None), next(found, None)
    while said is not None or there is not None:
        if there is None or (said is not None and said.path < there.path):
            assert said is not None
            yield said.path, said.size, None
            said = next(wanted, None)
        elif said is None or there.path < said.path:
            yield there.path, None, there.size
            there = next(found, None)
        else:
            yield said.path, said.size, there.size
            said, there = next(wanted, None), next(found, None)


def _path(file: FoundFile) -> str:
    return file.path
