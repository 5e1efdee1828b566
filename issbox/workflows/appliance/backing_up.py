"""Backups: everything that makes this box itself, sealed with a passphrase.

A backup holds the database, the keys, the configuration, the signed heads of the audit log and whatever else small
lies in the state directory. Packages are not in it: the database lists them with their digests, and after a restore
(`restoring`) the box says which of them must come back, by bundle or by synchronizing with --repair.
"""

import io
import os
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, cast

from issbox.certs.sealing import SealedWriter, read_line
from issbox.errors import AlreadyExistsError
from issbox.files import atomic_write, error_from_input, error_from_os, open_regular
from issbox.names import format_time
from issbox.store.row_copies import copy_sqlite, dump_rows, uses_sqlite
from issbox.workflows.context import Context, Permission

MISSING: Final = "missing-files.txt"
"""Where a restored box lists the stored files that must come back, in the state directory."""
CONFIGURATION: Final = "restored-issbox.toml"
"""Where it keeps the configuration that was in the backup; it is yours to put into its place."""
SQLITE_MEMBER: Final = "database/issbox.db"
"""Where a backup holds the database of a box on SQLite."""
ROWS_MEMBER: Final = "database/rows.jsonl"
"""Where it holds the rows of a box on PostgreSQL."""
CONFIGURATION_MEMBER: Final = "configuration.toml"
STATE_MEMBERS: Final = "state"
"""The directory of what lay in the state directory."""
_LEFT_OUT: Final = {
    "archive", "backups", "blobs", "bugs", "content", "exports", "inbox", "locks", "published", "quarantine", "tmp",
    MISSING, CONFIGURATION,
}  # fmt: skip
"""Names in the state directory that are large, derived, or of the moment."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was written."""

    path: Path
    created_at: datetime
    size: int
    files: int
    """Files of the state directory in it, beside the database."""
    deleted: tuple[Path, ...] = ()
    """Older ones that it took the place of."""


def back_up(ctx: Context, path: Path, passphrase: str) -> Backup:
    """Write a backup to a new file of mode 0600; it appears whole or not at all.

    Safe beside a running service: the database is copied as it is at one moment. Raises AlreadyExistsError,
    InvalidValueError for a short passphrase, and what the disk says.
    """
    ctx.require(Permission.BOX_MAINTAIN)
    if os.path.lexists(path):
        raise AlreadyExistsError(f"{path} exists already", hint="Choose another name; backups are never overwritten.")
    now = ctx.clock().replace(microsecond=0)
    try:
        with ctx.store.session(), ctx.store.scratch() as scratch:
            box = ctx.store.box.get()
            facts = {"box": box.id, "name": box.name, "created_at": format_time(now)}
            database = _copy_database(scratch)
            with atomic_write(path, mode=0o600) as out:
                sealed = SealedWriter(out, passphrase, facts)
                files = _write_archive(ctx, sealed, database)
                sealed.close()
            with ctx.store.transaction():
                ctx.audit("box.backup", box.id, details={"path": str(path)})
    except OSError as error:
        raise error_from_os(error) from error
    return Backup(path, now, path.stat().st_size, files)


def _copy_database(scratch: Path) -> Path:
    if uses_sqlite():
        copy = scratch / Path(SQLITE_MEMBER).name
        copy_sqlite(copy)
        return copy
    rows = scratch / Path(ROWS_MEMBER).name
    with rows.open("wb") as out:
        dump_rows(out)
    return rows


def _write_archive(ctx: Context, sealed: SealedWriter, database: Path) -> int:
    """Write the members and give the number of files of the state directory."""
    files = 0
    with tarfile.open(fileobj=cast("IO[bytes]", sealed), mode="w|", format=tarfile.PAX_FORMAT) as archive:
        archive.add(database, f"database/{database.name}")
        if ctx.settings.source is not None:
            archive.add(ctx.settings.source, CONFIGURATION_MEMBER)
        for path in _state_files(ctx.store.state_dir):
            ctx.progress.advance(files=1)
            # The key of a host that was deleted, or a file that was being written, may be gone since it was listed.
            with suppress(FileNotFoundError):
                archive.add(path, f"{STATE_MEMBERS}/{path.relative_to(ctx.store.state_dir)}", recursive=False)
                files += path.is_file()
    return files


def is_carried(name: str) -> bool:
    """Tell whether what has this name in the state directory belongs into a backup."""
    return name not in _LEFT_OUT and not name.startswith((".", "issbox.db"))


def _state_files(state_dir: Path) -> Iterator[Path]:
    """Give what is backed up of the state directory: directories before what lies in them, no links."""
    for top in sorted(state_dir.iterdir()):
        if not is_carried(top.name):
            continue
        for path in (top, *(sorted(top.rglob("*")) if top.is_dir() and not top.is_symlink() else ())):
            if not path.is_symlink() and (path.is_file() or path.is_dir()):
                yield path


def describe(path: Path) -> dict[str, Any]:
    """Give what a backup says of itself without the passphrase, not checked; raises BackupDamagedError."""
    with opened(path) as source:
        return read_line(source)[1]


def opened(path: Path) -> BinaryIO:
    """Open the file of a backup that a person named; raises NotFoundError and what the disk says."""
    try:
        return io.BufferedReader(open_regular(path))
    except OSError as error:
        raise error_from_input(error) from error
