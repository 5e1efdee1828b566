"""The rules a file table must keep, line by line and against its manifest.

Pure: entries go in, and the same entries or an error come out.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from issbox.bundle.clashes import ClashFinder, with_ancestors
from issbox.bundle.decoding import MAX_NUMBER
from issbox.bundle.foreign import is_foreign
from issbox.bundle.totals import TableTotals
from issbox.errors import BadManifestError, NameClashError, UnsafePathError
from issbox.manifest import (
    MANIFEST_NAME,
    PARTS_DIRECTORY,
    SIGNATURE_NAME,
    TABLE_NAME,
    VOLUME_NAME,
    BundleKind,
    EntryKind,
    FileEntry,
    Manifest,
)
from issbox.names import is_sha256, path_problem

HEAD_NAMES = (MANIFEST_NAME, SIGNATURE_NAME, TABLE_NAME, VOLUME_NAME)
"""The files of a bundle that its table does not list."""

_OUTSIDE = frozenset({EntryKind.LISTING, EntryKind.DOCUMENT})


class EntryCheck:
    """Checks entries by themselves: path, digest, size, and whether they fit the repositories of the manifest."""

    def __init__(self, manifest: Manifest) -> None:
        self._prefixes = [f"{repository.path}/" for repository in manifest.repositories]
        self._paths = {repository.path for repository in manifest.repositories}
        self._volumes = range(1, len(manifest.volumes) + 1)
        self._complete = manifest.bundle.kind is BundleKind.COMPLETE

    def __call__(self, entry: FileEntry) -> None:
        """Raise UnsafePathError or BadManifestError, naming the path, when the entry breaks a rule."""
        problem = path_problem(entry.path)
        if problem is None and is_foreign(entry.path.partition("/")[0]):
            problem = "operating systems leave files of that name on media"
        if problem is not None:
            raise UnsafePathError(f"{TABLE_NAME}: the path {entry.path[:200]!r} is not allowed: {problem}")
        if not is_sha256(entry.sha256):
            raise _bad(entry, "its sha256 is not 64 lower-case hexadecimal digits")
        if not 0 <= entry.size <= MAX_NUMBER:
            raise _bad(entry, f"its size is not a number from 0 to {MAX_NUMBER}")
        if not entry.carried and self._complete:
            raise _bad(entry, "it is not carried, although the bundle is complete")
        if entry.volume is not None and entry.volume not in self._volumes:
            raise _bad(entry, f"there is no volume {entry.volume}")
        if entry.parts:
            self._check_parts(entry)
        if entry.repository is None:
            self._check_outside(entry)
        else:
            self._check_inside(entry, entry.repository)

    def _check_parts(self, entry: FileEntry) -> None:
        if entry.volume is not None:
            raise _bad(entry, "it is carried whole and in parts")
        if len(entry.parts) < 2:
            raise _bad(entry, "it has a single part")
        for part in entry.parts:
            if part.volume not in self._volumes:
                raise _bad(entry, f"there is no volume {part.volume}")
            if not 1 <= part.size <= MAX_NUMBER:
                raise _bad(entry, f"the size of a part is not a number from 1 to {MAX_NUMBER}")
            if not is_sha256(part.sha256):
                raise _bad(entry, "the sha256 of a part is not 64 lower-case hexadecimal digits")
        if sum(part.size for part in entry.parts) != entry.size:
            raise _bad(entry, "its parts do not add up to its size")

    def _check_outside(self, entry: FileEntry) -> None:
        if entry.kind not in _OUTSIDE:
            raise _bad(entry, f"a file of kind {entry.kind} belongs to a repository")
        if not self._paths.isdisjoint(with_ancestors(entry.path)):
            raise _bad(entry, "it lies inside a repository that it does not name")
        if entry.kind is EntryKind.LISTING and entry.path.rpartition("/")[2] != "listing":
            raise _bad(entry, "a listing file is called 'listing'")

    def _check_inside(self, entry: FileEntry, repository: int) -> None:
        if entry.kind in _OUTSIDE:
            raise _bad(entry, f"a file of kind {entry.kind} belongs to no repository")
        if not 0 <= repository < len(self._prefixes):
            raise _bad(entry, f"there is no repository {repository}")
        if not entry.path.startswith(self._prefixes[repository]):
            raise _bad(entry, "it does not lie inside its repository")


def in_order(
    check: EntryCheck,
    entries: Iterable[FileEntry],
    again: Callable[[], Iterable[FileEntry]],
    scratch: Path | None = None,
) -> Iterator[FileEntry]:
    """Pass entries on while checking each by itself and that they are sorted, and at the end that no two paths clash.

    `again` gives the entries of the table from the beginning; it is called only when two seem to clash. Raises
    UnsafePathError, NameClashError and BadManifestError. `scratch` is a directory for what memory shall not hold.
    """
    last = ""
    reserved = (*HEAD_NAMES, PARTS_DIRECTORY)
    clashes = ClashFinder(lambda: (each.path for each in again()), reserved, scratch)
    for entry in entries:
        check(entry)
        if entry.path == last:
            raise NameClashError(f"{TABLE_NAME}: the path {entry.path!r} is there twice")
        if entry.path < last:
            raise _bad(entry, f"the lines are not sorted by path: it comes after {last!r}")
        clashes.add(entry.path)
        last = entry.path
        yield entry
    clashes.finish()


def checked_entries(
    manifest: Manifest, entries: Callable[[], Iterable[FileEntry]], scratch: Path | None = None
) -> Iterator[FileEntry]:
    """Pass entries on as `in_order` does, and check at the end that they add up to what the manifest says.

    `entries` gives them from the beginning, and may be called again. Whoever uses the entries must be able to undo it
    until the iteration has ended.
    """
    totals = TableTotals(manifest)
    for entry in in_order(EntryCheck(manifest), entries(), entries, scratch):
        totals.add(entry)
        yield entry
    totals.compare(manifest)


def _bad(entry: FileEntry, why: str) -> BadManifestError:
    return BadManifestError(f"{TABLE_NAME}: {entry.path[:200]!r}: {why}")
