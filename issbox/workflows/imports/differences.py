"""Filling a draft with what a bundle changes in the newest version of a repository, which costs what it changes.

The file table and the rows of that version are walked side by side, and of the primary metadata only what differs from
that version's is read as XML. Only what fits together in every respect is taken: for anything else the repository is
filled from the whole of its metadata, which also tells what is wrong.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from issbox.errors import BadMetadataError, NotFoundError, StoreDamagedError, UnsafePathError
from issbox.manifest import EntryKind, FileEntry
from issbox.model import FileKind, RepositoryFile, RepositoryKey
from issbox.store import Batch
from issbox.workflows.context import Context
from issbox.yum.primary import PackageEntry
from issbox.yum.primary_changes import PrimaryChanges, compare_primary
from issbox.yum.repomd import REPOMD_PATH, parse_repomd

CONTENT: Final = {
    EntryKind.PACKAGE: FileKind.PACKAGE,
    EntryKind.METADATA: FileKind.METADATA,
    EntryKind.KICKSTART: FileKind.KICKSTART,
}
"""What the store keeps, and as what."""
_MOST: Final = 5_000
"""Files that differ, kept in memory; with more of them the whole is not much dearer."""

Outline = tuple[str, int, str, str]
"""Path, size, SHA-256 and kind of a file."""


@dataclass(frozen=True, slots=True)
class Differences:
    """What a version has otherwise than the one before."""

    changed: list[RepositoryFile] = field(default_factory=list)
    gone: list[RepositoryFile] = field(default_factory=list)


class _SurpriseError(Exception):
    """Table, metadata and the version that is here do not fit together, or differ too much."""


def primary_changes(
    ctx: Context, batch: Batch, key: RepositoryKey, metadata: Mapping[str, str], name: str
) -> PrimaryChanges | None:
    """Give what the primary metadata changes in that of the newest version; None when it has to be read as a whole.

    `metadata` gives the digests of the metadata files of the new version by their paths, `name` begins their names in
    messages.
    """
    try:
        newest = ctx.store.versions.latest(key)
    except NotFoundError:
        return None
    if newest is None:
        return None
    held = {file.path: file.sha256 for file in ctx.store.versions.files(key, newest.number, packages=False)}
    try:
        older, newer = _primary(batch, held), _primary(batch, metadata)
        if older is None or newer is None:
            return None
        return compare_primary(
            batch.locate(held[older]),
            batch.locate(metadata[newer]),
            ctx.settings.synchronize.max_metadata_size,
            name=f"{name}/{newer}",
            scratch=batch.directory,
            most=_MOST,
        )
    except (BadMetadataError, UnsafePathError, StoreDamagedError):
        return None


def _primary(batch: Batch, metadata: Mapping[str, str]) -> str | None:
    """Give the path of the only primary metadata of a version; None when it has several, or none."""
    if [path for path in metadata if path.endswith(REPOMD_PATH)] != [REPOMD_PATH]:
        return None
    records = parse_repomd(batch.locate(metadata[REPOMD_PATH]).read_bytes()).records
    path = next((record.href for record in records if record.type == "primary"), None)
    return path if path in metadata else None


def find_differences(
    ctx: Context, key: RepositoryKey, prefix: str, entries: Iterable[FileEntry], changes: PrimaryChanges
) -> Differences | None:
    """Give what the entries of a repository, sorted by path, change in its newest version; None when they do not fit.

    `prefix` is the directory of the repository in the bundle with a slash at its end.
    """
    newest = ctx.store.versions.latest(key)
    assert newest is not None, "its metadata was compared"
    try:
        return _Comparison(changes).run(ctx.store.versions.outline(key, newest.number), prefix, entries)
    except _SurpriseError:
        return None


class _Comparison:
    """The walk along both."""

    def __init__(self, changes: PrimaryChanges) -> None:
        self._expected = changes.older
        self._added = {entry.path: entry for entry in changes.added}
        self._removed = {entry.path for entry in changes.removed}
        self._found = Differences()
        _require(len(self._added) == len(changes.added))

    def run(self, held: Iterator[Outline], prefix: str, entries: Iterable[FileEntry]) -> Differences:
        start = len(prefix)
        packages = 0
        row = next(held, None)
        for entry in entries:
            path = entry.path[start:]
            while row is not None and row[0] < path:
                packages += row[3] == _PACKAGE
                self._drop(row)
                row = next(held, None)
            before = None
            if row is not None and row[0] == path:
                packages += row[3] == _PACKAGE
                before, row = row, next(held, None)
            if before != (path, entry.size, entry.sha256, _NAMES[entry.kind]) or path in self._added:
                _require(before is None or before[3] != _PACKAGE or path in self._removed)
                self._change(path, entry)
            else:
                _require(path not in self._removed)
        while row is not None:
            packages += row[3] == _PACKAGE
            self._drop(row)
            row = next(held, None)
        # Each package of the older metadata is one row, so that what is described as before is told by the row.
        _require(packages == self._expected and not self._added)
        return self._found

    def _change(self, path: str, entry: FileEntry) -> None:
        package = None
        if entry.kind is EntryKind.PACKAGE:
            listed = self._added.pop(path, None)
            _require(listed is not None)
            assert listed is not None
            _require(listed.size == entry.size and agrees(listed, entry))
            package = listed.package
        _require(len(self._found.changed) < _MOST)
        self._found.changed.append(RepositoryFile(path, entry.size, entry.sha256, CONTENT[entry.kind], package))

    def _drop(self, row: Outline) -> None:
        path, size, sha256, kind = row
        _require((kind != _PACKAGE or path in self._removed) and len(self._found.gone) < _MOST)
        self._found.gone.append(RepositoryFile(path, size, sha256, FileKind(kind)))


_PACKAGE: Final = FileKind.PACKAGE.value
_NAMES: Final = {kind: content.value for kind, content in CONTENT.items()}


def agrees(listed: PackageEntry, entry: FileEntry) -> bool:
    """Tell whether the checksum of the metadata is that of the file table, where they can be compared."""
    return listed.package.checksum_type != "sha256" or listed.package.checksum == entry.sha256


def _require(true: bool) -> None:
    if not true:
        raise _SurpriseError
