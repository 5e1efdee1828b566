"""Drafts: the files of a repository version in the making, kept in a staging table so that memory stays flat.

A draft has all files of the version, or, when it is based on the newest one, only those that differ from it.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import merge
from itertools import groupby, islice
from operator import attrgetter, itemgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from uuid import uuid4

from issbox.errors import BadMetadataError
from issbox.files import FileLock
from issbox.model import FileKind, Package, RepositoryFile, RepositoryKey
from issbox.store.database import (
    Noun,
    current,
    execute,
    execute_many,
    first,
    is_sqlite,
    passing_transaction,
    rows,
    whole_sets,
)
from issbox.store.driver_errors import translated
from issbox.store.repositories import find_repository_id
from issbox.store.tables import PACKAGE_COLUMNS, DraftFileRow, DraftRow, VersionRow
from issbox.store.version_files import Row, changes_since, file_rows, outline_rows

_BATCH: Final = 500
"""Rows written in one transaction: SQLite has one writer at a time, and others wait meanwhile."""
_PAGE: Final = 1000
"""Rows read at once. No cursor stays open between pages, so memory is flat and no writer is in the way."""
_FEW: Final = 10_000
"""Changes kept in memory."""
_DELETE: Final = 5000
"""Rows deleted in one transaction."""
_SHORT_PAUSE: Final = 0.005
_PACKAGE: Final = ", ".join(PACKAGE_COLUMNS)
_INSERT: Final = (
    f"INSERT INTO draft_file (draft_id, path, size, sha256, kind, {_PACKAGE}) "  # noqa: S608  # constants only
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
GONE: Final = "gone"
"""Kind of the row of a file that the newest version has and a draft based on it has not."""
_SELECT: Final = "SELECT %s FROM draft_file WHERE draft_id = ? AND path > ? ORDER BY path LIMIT ?"
_OUTLINE: Final = "path, size, sha256, kind"
_PATH, _KIND = 0, 3
"""Where these stand in a row."""
_ALL: Final = f"{_OUTLINE}, {_PACKAGE}"
_package_of: Final = attrgetter(*PACKAGE_COLUMNS)
_NO_PACKAGE: Final = (None,) * len(PACKAGE_COLUMNS)

SAME: Final = """
    f.size = d.size AND f.sha256 = d.sha256 AND f.kind = d.kind
    AND ((f.package_id IS NULL AND d.checksum IS NULL) OR EXISTS (
        SELECT 1 FROM package p WHERE p.id = f.package_id
        AND p.checksum = d.checksum AND p.checksum_type = d.checksum_type AND p.name = d.name
        AND p.epoch = d.epoch AND p.version = d.version AND p.release = d.release AND p.arch = d.arch))
"""
"""SQL telling that a file `f` of a repository says the same as the file `d` of a draft at the same path."""


class Draft(Noun):
    """The files of the next version of a repository, which need not exist yet. For use in a with-block of a session.

    Leaving the block forgets the rows; a draft that was committed lives on as a version.
    """

    def __init__(self, key: RepositoryKey, staging: Path) -> None:
        """Prepare a draft; its rows are marked by a lock in the staging directory that ends with the process."""
        self.key = key
        self._token = f"draft-{uuid4().hex}"
        self._lock = FileLock(staging / f"{self._token}.lock")
        self._id: int | None = None
        self.based = False
        """Whether the newest version of the repository has all that is not said here."""

    @property
    def id(self) -> int:
        """Give the row id, for the store's own use."""
        if self._id is None:
            raise RuntimeError("the draft is used outside of its with-block")
        return self._id

    def __enter__(self) -> Self:
        """Begin the draft."""
        self._lock.__enter__()
        try:
            with translated():
                self._id = int(DraftRow.insert(token=self._token).execute())
        except BaseException:
            self._lock.remove()
            raise
        return self

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        """Forget the rows."""
        identity, self._id = self.id, None
        try:
            with translated():
                delete_draft(identity)
        except Exception:
            # What went wrong before says more; the rows are found by their lock at the next start.
            if error is None:
                raise
        finally:
            self._lock.remove()

    @property
    def next_number(self) -> int:
        """Give the number that the version will have."""
        return latest_number(find_repository_id(self.key)) + 1

    def add(self, files: Iterable[RepositoryFile]) -> None:
        """Add files, in short transactions with pauses in which others may write.

        A file given twice counts once; raises BadMetadataError for one path with two different files.
        """
        incoming = (_row(self.id, file) for file in files)
        while batch := list(islice(incoming, _BATCH)):
            self._write(batch)

    def base(self, gone: Iterable[RepositoryFile]) -> None:
        """Let the draft have what the newest version of the repository has, but for `gone`, and for what `add` says.

        The draft must be empty, and the repository must not get another version until this one is committed.
        """
        self.based = True
        incoming = ((self.id, file.path, file.size, file.sha256, GONE, *_NO_PACKAGE) for file in gone)
        while batch := list(islice(incoming, _BATCH)):
            self._write(batch)

    def _write(self, batch: Sequence[tuple[Any, ...]]) -> None:
        database = current()
        began = time.monotonic()
        with passing_transaction():
            written = execute_many(_INSERT, batch)
        if written != len(batch):
            self._check_repeated(batch)
        if is_sqlite(database) and not database.in_transaction() and len(batch) == _BATCH:
            # SQLite's waiting writers are not served in turn: without a pause they would starve.
            time.sleep(min(0.05, time.monotonic() - began))

    def _check_repeated(self, batch: Sequence[tuple[Any, ...]]) -> None:
        for row in batch:
            sql = f"SELECT {_ALL} FROM draft_file WHERE draft_id = ? AND path = ?"  # noqa: S608  # constants only
            kept = execute(sql, row[:2]).fetchone()
            if tuple(kept) != row[1:]:
                raise BadMetadataError(f"the repository {self.key} lists {row[1]} twice, with different contents")

    def files(self) -> Iterator[RepositoryFile]:
        """Give the files ordered by path."""
        if self.based:
            number, repository = self._newest()
            yield from map(read_file, _changed(file_rows(repository, number), self._rows(_ALL)))
            return
        yield from map(read_file, self._rows(_ALL))

    def digests(self) -> Iterator[tuple[str, str]]:
        """Give path and SHA-256 of the files, ordered by path."""
        if self.based:
            number, repository = self._newest()
            changed = _changed(outline_rows(repository, number), self._rows(_OUTLINE))
            yield from ((path, sha256) for path, _, sha256, _ in changed)
            return
        yield from self._rows("path, sha256")

    def changes_since(self, number: int) -> dict[str, str | None] | None:
        """Give what the draft, which is based on the newest version, changes in another version of the repository.

        That is the SHA-256 by path, or None for a path that goes. Gives None when that is more than an outright list
        of the draft would be worth.
        """
        _, repository = self._newest()
        changes = changes_since(repository, number, _FEW)
        if changes is not None:
            for path, _, sha256, kind in self._rows(_OUTLINE):
                changes[path] = None if kind == GONE else sha256
        return changes

    def _newest(self) -> tuple[int, int]:
        """Give number of the newest version and row id of the repository, which there are when a draft is based."""
        repository = find_repository_id(self.key)
        assert repository is not None, "a draft is based on a version"
        return latest_number(repository), repository

    def _rows(self, columns: str) -> Iterator[tuple[Any, ...]]:
        path = ""
        while page := execute(_SELECT % columns, (self.id, path, _PAGE)).fetchall():
            yield from page
            path = page[-1][0]

    def same_as_latest(self) -> bool:
        """Tell whether the newest version of the repository has exactly these files already."""
        repository = find_repository_id(self.key)
        if repository is None or latest_number(repository) == 0:
            return False
        new = f"""
            SELECT 1 FROM draft_file d WHERE d.draft_id = ? AND NOT EXISTS (
                SELECT 1 FROM repository_file f
                WHERE f.repository_id = ? AND f.path = d.path AND f.removed_in IS NULL AND {SAME})
            LIMIT 1"""  # noqa: S608  # constants only
        if self.based:
            return execute(new, (self.id, repository)).fetchone() is None
        gone = """
            SELECT 1 FROM repository_file f WHERE f.repository_id = ? AND f.removed_in IS NULL AND NOT EXISTS (
                SELECT 1 FROM draft_file d WHERE d.draft_id = ? AND d.path = f.path)
            LIMIT 1"""
        with whole_sets():
            return (
                execute(new, (self.id, repository)).fetchone() is None
                and execute(gone, (repository, self.id)).fetchone() is None
            )


def _changed(newest: Iterable[Row], changes: Iterable[Row]) -> Iterator[Row]:
    """Give the rows of the newest version as a draft based on it has them; both are ordered by path."""
    by_path: Callable[[Row], str] = itemgetter(_PATH)
    for _, same_path in groupby(merge(newest, changes, key=by_path), by_path):
        *_, last = same_path
        if last[_KIND] != GONE:
            yield last


def latest_number(repository: int | None) -> int:
    """Give the number of the newest version of a repository by its row id; 0 when it has none."""
    if repository is None:
        return 0
    query = VersionRow.select(VersionRow.number).where(VersionRow.repository == repository)
    row = first(query.order_by(VersionRow.number.desc()))
    return 0 if row is None else int(row[0])


def read_file(row: Sequence[Any]) -> RepositoryFile:
    """Make a file of a row of path, size, sha256, kind and the columns of the package, in the order of the tables."""
    path, size, sha256, kind, checksum, checksum_type, name, epoch, version, release, arch = row
    package = None if checksum is None else Package(name, epoch, version, release, arch, checksum_type, checksum)
    return RepositoryFile(path, size, sha256, FileKind(kind), package)


def _row(draft: int, file: RepositoryFile) -> tuple[Any, ...]:
    head = (draft, file.path, file.size, file.sha256, file.kind.value)
    return (*head, *(_NO_PACKAGE if file.package is None else _package_of(file.package)))


def delete_draft(identity: int) -> None:
    """Delete a draft, its files in short transactions."""
    database = current()
    files = "FROM draft_file WHERE draft_id = ? AND path > ?"
    path = ""
    while page := execute(f"SELECT path {files} ORDER BY path LIMIT 1 OFFSET ?", (identity, path, _DELETE)).fetchone():
        with passing_transaction():
            execute(f"DELETE {files} AND path <= ?", (identity, path, page[0]))
        path = page[0]
        if is_sqlite(database) and not database.in_transaction():
            time.sleep(_SHORT_PAUSE)
    with database.atomic():
        DraftFileRow.delete().where(DraftFileRow.draft == identity).execute()
        DraftRow.delete().where(DraftRow.id == identity).execute()


def delete_dead_drafts(staging: Path) -> int:
    """Delete the drafts of processes that are no more and give their number."""
    deleted = 0
    for identity, token in rows(DraftRow.select(DraftRow.id, DraftRow.token)):
        lock = FileLock(staging / f"{token}.lock")
        if lock.try_acquire():
            try:
                delete_draft(identity)
            finally:
                lock.remove()
            deleted += 1
    return deleted
