"""Backups: everything that makes this box itself, sealed with a passphrase, and the box made anew from it.

A backup holds the database, the keys, the configuration, the signed heads of the audit log and whatever else small
lies in the state directory. Packages are not in it: the database lists them with their digests, and after a restore
the box says which of them must come back, by bundle or by synchronizing with --repair.
"""

import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, cast

from issbox.certs.sealing import SealedReader, SealedWriter, read_line
from issbox.config import Settings
from issbox.errors import AlreadyExistsError, BackupDamagedError
from issbox.files import atomic_write, error_from_input, error_from_os, open_regular, remove_tree, safe_join
from issbox.model import Actor
from issbox.names import format_time
from issbox.progress import Progress
from issbox.store import create_store, open_store
from issbox.store.opening import prepare_directories
from issbox.store.row_copies import copy_sqlite, dump_rows, load_rows, uses_sqlite
from issbox.workflows.context import Context, Permission

MISSING: Final = "missing-files.txt"
"""Where a restored box lists the stored files that must come back, in the state directory."""
CONFIGURATION: Final = "restored-issbox.toml"
"""Where it keeps the configuration that was in the backup; it is yours to put into its place."""
_SQLITE: Final = "database/issbox.db"
_ROWS: Final = "database/rows.jsonl"
_CONFIGURATION: Final = "configuration.toml"
_STATE: Final = "state/"
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


@dataclass(frozen=True, slots=True)
class Restored:
    """A box that was made anew."""

    box_id: str
    name: str
    created_at: str
    """When the backup was made."""
    missing: int
    """Stored files that must come back."""
    missing_size: int


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
        copy = scratch / Path(_SQLITE).name
        copy_sqlite(copy)
        return copy
    rows = scratch / Path(_ROWS).name
    with rows.open("wb") as out:
        dump_rows(out)
    return rows


def _write_archive(ctx: Context, sealed: SealedWriter, database: Path) -> int:
    """Write the members and give the number of files of the state directory."""
    files = 0
    with tarfile.open(fileobj=cast("IO[bytes]", sealed), mode="w|", format=tarfile.PAX_FORMAT) as archive:
        archive.add(database, f"database/{database.name}")
        if ctx.settings.source is not None:
            archive.add(ctx.settings.source, _CONFIGURATION)
        for path in _state_files(ctx.store.state_dir):
            ctx.progress.advance(files=1)
            # The key of a host that was deleted, or a file that was being written, may be gone since it was listed.
            with suppress(FileNotFoundError):
                archive.add(path, _STATE + str(path.relative_to(ctx.store.state_dir)), recursive=False)
                files += path.is_file()
    return files


def _state_files(state_dir: Path) -> Iterator[Path]:
    """Give what is backed up of the state directory: directories before what lies in them, no links."""
    for top in sorted(state_dir.iterdir()):
        if top.name in _LEFT_OUT or top.name.startswith((".", "issbox.db")):
            continue
        for path in (top, *(sorted(top.rglob("*")) if top.is_dir() and not top.is_symlink() else ())):
            if not path.is_symlink() and (path.is_file() or path.is_dir()):
                yield path


def describe(path: Path) -> dict[str, Any]:
    """Give what a backup says of itself without the passphrase, not checked; raises BackupDamagedError."""
    with _opened(path) as source:
        return read_line(source)[1]


def restore(
    settings: Settings, path: Path, passphrase: str, *, actor: Actor, clock: Callable[[], datetime], progress: Progress
) -> Restored:
    """Make the box of a backup in the state directory of the settings, which must hold no box.

    Nothing is changed there before the whole backup has been read and found to be good. Stored files that lie there
    already are used. Raises AlreadyExistsError, BackupDamagedError, and what the disk says.
    """
    state_dir = settings.state_dir
    facts = describe(path)
    if (state_dir / "issbox.db").exists() or (state_dir / "keys").exists():
        raise AlreadyExistsError(f"{state_dir} holds a box already", hint="Restore into an empty state directory.")
    try:
        state_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".restore-", dir=state_dir))
        try:
            with _opened(path) as source:
                _extract(SealedReader(source, passphrase), staging, progress)
            _put_in_place(settings, staging)
        finally:
            remove_tree(staging)
        settings.inbox.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise error_from_os(error) from error
    ctx = Context(open_store(state_dir, settings.database_url), settings, actor, clock, progress)
    return _report(ctx, str(facts.get("created_at", "")))


def _opened(path: Path) -> BinaryIO:
    try:
        return io.BufferedReader(open_regular(path))
    except OSError as error:
        raise error_from_input(error) from error


def _extract(sealed: SealedReader, staging: Path, progress: Progress) -> None:
    """Unpack regular files and directories only, all private; raises BackupDamagedError for anything else."""
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", sealed), mode="r|") as archive:
            for member in archive:
                target = safe_join(staging, member.name)
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                if member.isdir():
                    target.mkdir(mode=0o700, exist_ok=True)
                elif member.isreg():
                    _copy_member(archive.extractfile(member), target)
                    progress.advance(files=1, size=member.size)
                else:
                    raise BackupDamagedError(f"the backup holds {member.name!r}, which is neither file nor directory")
        while sealed.read(1 << 20):
            pass  # to the last block, which says that nothing was cut off
    except (tarfile.TarError, EOFError) as error:
        raise BackupDamagedError(f"the backup cannot be unpacked: {error}") from None


def _copy_member(source: IO[bytes] | None, target: Path) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        if source is not None:
            shutil.copyfileobj(source, out, 1 << 20)
        out.flush()
        os.fsync(out.fileno())


def _put_in_place(settings: Settings, staging: Path) -> None:
    """Move what was unpacked to where it belongs, the database last: without it there is no box yet."""
    state_dir = settings.state_dir
    if (staging / _SQLITE).exists() and settings.database_url is not None:  # asked first: nothing is in place yet
        raise BackupDamagedError(
            "this is the backup of a box on SQLite, but the configuration names PostgreSQL",
            hint="Restore it with the setting `database` empty.",
        )
    state = staging / "state"
    for each in sorted(state.iterdir()) if state.is_dir() else ():
        each.rename(state_dir / each.name)
    if (staging / _CONFIGURATION).exists():
        (staging / _CONFIGURATION).rename(state_dir / CONFIGURATION)
    database = prepare_directories(state_dir)
    if (staging / _SQLITE).exists():
        (staging / _SQLITE).rename(database)
        return
    store = create_store(state_dir, settings.database_url)
    with (staging / _ROWS).open("rb") as source, store.session():
        load_rows(source)


def _report(ctx: Context, created_at: str) -> Restored:
    """List what is missing, and write down that the box was restored."""
    missing = size = 0
    path = ctx.store.state_dir / MISSING
    with ctx.store.session():
        box = ctx.store.box.get()
        with atomic_write(path) as out:
            for file in ctx.store.blob_checks.needed():
                if not ctx.store.blobs.has(file.sha256, file.size):
                    missing, size = missing + 1, size + file.size
                    out.write(f"{file.sha256} {file.size}\n".encode())
        with ctx.store.transaction():
            ctx.audit("box.restore", box.id, details={"backup": created_at, "missing": missing})
    if not missing:
        path.unlink()
    return Restored(box.id, box.name, created_at, missing, size)
