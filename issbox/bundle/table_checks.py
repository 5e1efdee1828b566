"""The rules a file table must keep, line by line and against its manifest. Pure: entries in, an error or entries out."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from issbox.bundle.clashes import ClashFinder
from issbox.bundle.decoding import MAX_NUMBER
from issbox.bundle.foreign import is_foreign
from issbox.errors import BadManifestError, NameClashError, UnsafePathError
from issbox.manifest import (
    MANIFEST_NAME,
    SIGNATURE_NAME,
    TABLE_NAME,
    BundleKind,
    EntryKind,
    FileEntry,
    Manifest,
    Totals,
    Volume,
)
from issbox.names import is_sha256, path_problem

HEAD_NAMES = (MANIFEST_NAME, SIGNATURE_NAME, TABLE_NAME)
"""The files of a bundle that its table does not list."""

_OUTSIDE = frozenset({EntryKind.LISTING, EntryKind.DOCUMENT})


@dataclass(slots=True)
class _Sum:
    """What the table lists of one repository."""

    files: int = 0
    size: int = 0
    packages: int = 0
    repomd_sha256: str | None = None


class EntryCheck:
    """Checks one entry after the other by itself: path, digest, size, and whether it fits its repository."""

    def __init__(self, manifest: Manifest) -> None:
        self._repositories = manifest.repositories
        self._paths = {repository.path for repository in manifest.repositories}
        self._volumes = range(1, len(manifest.volumes) + 1)
        self._complete = manifest.bundle.kind is BundleKind.COMPLETE

    def __call__(self, entry: FileEntry) -> None:
        """Raise UnsafePathError or BadManifestError, naming the path, when the entry breaks a rule."""
        problem = path_problem(entry.path)
        if problem is None and is_foreign(entry.path.partition("/")[0]):
            problem = "its first directory is one that operating systems leave on media"
        if problem is not None:
            raise UnsafePathError(f"{TABLE_NAME}: the path {entry.path[:200]!r} is not allowed: {problem}")
        if not is_sha256(entry.sha256):
            raise _bad(entry, "its sha256 is not 64 lower-case hexadecimal digits")
        if not 0 <= entry.size <= MAX_NUMBER:
            raise _bad(entry, f"its size is not a number from 0 to {MAX_NUMBER}")
        if entry.volume is None and self._complete:
            raise _bad(entry, "it is not carried, although the bundle is complete")
        if entry.volume is not None and entry.volume not in self._volumes:
            raise _bad(entry, f"there is no volume {entry.volume}")
        self._check_place(entry)

    def _check_place(self, entry: FileEntry) -> None:
        if entry.repository is None:
            if entry.kind not in _OUTSIDE:
                raise _bad(entry, f"a {entry.kind} belongs to a repository")
            if any(ancestor in self._paths for ancestor in _ancestors(entry.path)):
                raise _bad(entry, "it lies inside a repository, but does not name it")
            if entry.kind is EntryKind.LISTING and entry.path.rpartition("/")[2] != "listing":
                raise _bad(entry, "a listing file is called `listing`")
            return
        if entry.kind in _OUTSIDE:
            raise _bad(entry, f"a {entry.kind} belongs to no repository")
        if not 0 <= entry.repository < len(self._repositories):
            raise _bad(entry, f"there is no repository {entry.repository}")
        if not entry.path.startswith(f"{self._repositories[entry.repository].path}/"):
            raise _bad(entry, "it does not lie inside its repository")


def checked_entries(
    manifest: Manifest, entries: Iterable[FileEntry], again: Callable[[], Iterable[str]]
) -> Iterator[FileEntry]:
    """Pass entries on while checking each, and at the end that they add up to what the manifest says.

    `again` gives the paths of the table from the beginning; it is called only when two seem to clash. Raises
    UnsafePathError, NameClashError and BadManifestError. Nothing may be done with the entries that cannot be undone
    before the iteration has ended.
    """
    totals = TableTotals(len(manifest.repositories), len(manifest.volumes))
    for entry in in_order(EntryCheck(manifest), entries, again):
        totals.add(entry)
        if totals.count > manifest.files.count:
            raise BadManifestError(f"{TABLE_NAME}: more lines than the {manifest.files.count} of the manifest")
        yield entry
    totals.compare(manifest)


def in_order(
    check: EntryCheck, entries: Iterable[FileEntry], again: Callable[[], Iterable[str]]
) -> Iterator[FileEntry]:
    """Pass entries on while checking each by itself, that they are sorted by path, and that no two paths clash."""
    last = ""
    clashes = ClashFinder(again)
    for name in HEAD_NAMES:
        clashes.reserve(name)
    for entry in entries:
        check(entry)
        if entry.path == last:
            raise NameClashError(f"{TABLE_NAME}: the path {entry.path!r} is there twice")
        if entry.path < last:
            raise _bad(entry, f"the lines are not sorted by path: it comes after {last!r}")
        clashes.add(entry.path)
        last = entry.path
        yield entry


class TableTotals:
    """Adds up entries, for writing a manifest or for comparing with one."""

    def __init__(self, repositories: int, volumes: int) -> None:
        self.count = 0
        self._size = 0
        self._carried = [0] * volumes
        self._carried_count = 0
        self._repositories = [_Sum() for _ in range(repositories)]

    def add(self, entry: FileEntry) -> None:
        """Add a checked entry."""
        self.count += 1
        self._size += entry.size
        if entry.volume is not None:
            self._carried_count += 1
            self._carried[entry.volume - 1] += entry.size
        if entry.repository is not None:
            self._add_to_repository(self._repositories[entry.repository], entry)

    def _add_to_repository(self, repository: _Sum, entry: FileEntry) -> None:
        repository.files += 1
        repository.size += entry.size
        repository.packages += entry.kind is EntryKind.PACKAGE
        if entry.path.endswith("/repodata/repomd.xml"):
            pass

    @property
    def totals(self) -> Totals:
        """The sums as the manifest has them."""
        return Totals(
            count=self.count, size=self._size, carried_count=self._carried_count, carried_size=sum(self._carried)
        )
