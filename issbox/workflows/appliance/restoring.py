"""Restoring: the box of a backup made anew, killed wherever and simply run again.

What was unpacked lies in a hidden directory of the state directory. Before the first of it goes to its place, a file
there says of which backup it is and which names it takes. The database comes last, and with it there is a box. As long
as there is none, the next attempt takes these names away again and begins anew, with whichever backup it is given; once
there is one, only the report is left to do. So files of two attempts never come together.
"""

import json
import os
import shutil
import tarfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import IO, Final, cast

from issbox.certs.sealing import SealedReader, read_line
from issbox.config import Settings
from issbox.errors import AlreadyExistsError, BackupDamagedError, IssboxError
from issbox.files import atomic_write, error_from_os, remove_tree, safe_join
from issbox.model import Actor
from issbox.progress import Progress
from issbox.store import create_store, holds_box, open_store
from issbox.store.opening import prepare_directories, unfinished_restore
from issbox.store.row_copies import load_rows
from issbox.syncing import sync_directory, sync_filesystem
from issbox.workflows.appliance.backing_up import (
    CONFIGURATION,
    CONFIGURATION_MEMBER,
    MISSING,
    ROWS_MEMBER,
    SQLITE_MEMBER,
    STATE_MEMBERS,
    is_carried,
    opened,
)
from issbox.workflows.appliance.boxes import making_a_box
from issbox.workflows.context import Context

_PAGE: Final = 500
"""Missing files that are written down at once."""

STEPS: Final = ("unpack-backup", "put-files", "put-database", "list-missing", "finish-restore")
"""What `restore` announces, in order."""


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


def restore(
    settings: Settings, path: Path, passphrase: str, *, actor: Actor, clock: Callable[[], datetime], progress: Progress
) -> Restored:
    """Make the box of a backup in the state directory of the settings, which must hold no box.

    Nothing is changed there before the whole backup has been read and found to be good; what an interrupted restore
    left is taken away or finished. Stored files that lie there already are used. Raises AlreadyExistsError,
    BackupDamagedError, BusyError while another process makes a box there, and what the disk says.
    """
    with opened(path) as source:
        line, facts = read_line(source)
    backup = sha256(line).hexdigest()  # the line holds a salt, so no two backups have the same
    with making_a_box(settings):
        attempt = _Attempt(settings, backup, progress)
        try:
            if not attempt.is_in_place():
                attempt.start_clean()
                try:
                    attempt.unpack(path, passphrase)
                    attempt.put_in_place()
                except BaseException:
                    with suppress(IssboxError, OSError):  # the next attempt does it, too
                        attempt.start_clean()
                    raise
            settings.inbox.path.mkdir(parents=True, exist_ok=True)
            ctx = Context(open_store(settings.state_dir, settings.database_url), settings, actor, clock, progress)
            made = _report(ctx, str(facts.get("created_at", "")))
            progress.step("finish-restore")
            attempt.forget()
        except OSError as error:
            raise error_from_os(error) from error
    return made


class _Attempt:
    """One attempt at a restore, and what those before it left."""

    def __init__(self, settings: Settings, backup: str, progress: Progress) -> None:
        self._settings = settings
        self._state_dir = settings.state_dir
        self._backup = backup
        self._progress = progress
        self._staging = unfinished_restore(settings.state_dir)
        self._unpacked = self._staging / "unpacked"
        self._placing = self._staging / "placing.json"

    def is_in_place(self) -> bool:
        """Tell whether an interrupted restore of this backup has made the box already.

        Raises AlreadyExistsError for any other box; with PostgreSQL `put_in_place` does it, once the backup is known
        to be one for it.
        """
        backup, _ = self._read_placing()
        if backup == self._backup:
            return self._holds_box()
        if backup or self._settings.database_url is None:
            self._require_no_box()
        return False

    def _holds_box(self) -> bool:
        return holds_box(self._state_dir, self._settings.database_url)

    def _require_no_box(self) -> None:
        if self._holds_box():
            where = self._state_dir if self._settings.database_url is None else "the database"
            raise AlreadyExistsError(
                f"{where} holds a box already",
                hint="Restore into an empty state directory, and with PostgreSQL into an empty database.",
            )

    def start_clean(self) -> None:
        """Take away what an interrupted restore left, unless it has made a box."""
        _, names = self._read_placing()
        if names and self._holds_box():
            return
        for name in names:
            remove_tree(self._state_dir / name)
        self.forget()

    def forget(self) -> None:
        """Take away what was unpacked, and the record of it after everything else."""
        remove_tree(self._unpacked)
        remove_tree(self._staging)

    def _read_placing(self) -> tuple[str, list[str]]:
        """Give which backup was being put in place, and the names it takes; nothing when it did not come so far."""
        try:
            said = json.loads(self._placing.read_bytes())
        except FileNotFoundError:
            return "", []
        return str(said["backup"]), [str(name) for name in said["names"]]

    def unpack(self, path: Path, passphrase: str) -> None:
        """Read the whole backup and unpack it aside; raises BackupDamagedError."""
        self._progress.step("unpack-backup", f"from {path}")
        self._staging.mkdir(mode=0o700)
        self._unpacked.mkdir(mode=0o700)
        with opened(path) as source:
            _extract(SealedReader(source, passphrase), self._unpacked, self._progress)
        if self._on_sqlite() and self._settings.database_url is not None:
            raise BackupDamagedError(
                "this is the backup of a box on SQLite, but the configuration names PostgreSQL",
                hint="Restore it with the setting `database` empty.",
            )
        if not self._on_sqlite() and not (self._unpacked / ROWS_MEMBER).is_file():
            raise BackupDamagedError("the backup holds no database")
        sync_filesystem(self._unpacked)

    def _on_sqlite(self) -> bool:
        return (self._unpacked / SQLITE_MEMBER).is_file()

    def put_in_place(self) -> None:
        """Move what was unpacked to where it belongs, the database last: without it there is no box yet."""
        state = self._unpacked / STATE_MEMBERS
        moves = {each.name: each for each in (sorted(state.iterdir()) if state.is_dir() else ())}
        _check_names(moves, self._state_dir)
        if (self._unpacked / CONFIGURATION_MEMBER).is_file():
            moves[CONFIGURATION] = self._unpacked / CONFIGURATION_MEMBER
        self._require_no_box()
        self._progress.step("put-files", f"in {self._state_dir}")
        for name in moves:
            _check_free(self._state_dir / name)
        with atomic_write(self._placing, mode=0o600) as out:
            out.write(json.dumps({"backup": self._backup, "names": list(moves)}).encode())
        for name, source in moves.items():
            source.rename(self._state_dir / name)
            self._progress.advance(files=1)
        database = prepare_directories(self._state_dir)
        sync_directory(self._state_dir)
        self._progress.step("put-database")
        if self._on_sqlite():
            (self._unpacked / SQLITE_MEMBER).rename(database)
            sync_directory(self._state_dir)
            return
        store = create_store(self._state_dir, self._settings.database_url)
        with (self._unpacked / ROWS_MEMBER).open("rb") as rows, store.session():
            load_rows(rows)


def _extract(sealed: SealedReader, target: Path, progress: Progress) -> None:
    """Unpack regular files and directories only, all private; raises BackupDamagedError for anything else."""
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", sealed), mode="r|") as archive:
            for member in archive:
                path = safe_join(target, member.name)
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                if member.isdir():
                    path.mkdir(mode=0o700, exist_ok=True)
                elif member.isreg():
                    _copy_member(archive.extractfile(member), path)
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


def _check_names(names: Iterable[str], state_dir: Path) -> None:
    for name in names:
        if not is_carried(name):
            raise BackupDamagedError(f"the backup holds {name!r} for {state_dir}, which no backup does")


def _check_free(path: Path) -> None:
    """Raise AlreadyExistsError when anything but an empty directory lies there: it is not this restore's to replace."""
    if path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
        return
    if os.path.lexists(path):
        raise AlreadyExistsError(
            f"{path} is there already",
            hint="Restore into an empty state directory; only `blobs` with files that survived may lie in it.",
        )


def _report(ctx: Context, created_at: str) -> Restored:
    """List what is missing, as a scrub would find it, and write down that the box was restored."""
    ctx.progress.step("list-missing")
    missing = size = 0
    path = ctx.store.state_dir / MISSING
    with ctx.store.session():
        box = ctx.store.box.get()
        lacking = (each for each in ctx.store.blob_checks.needed() if not ctx.store.blobs.has(each.sha256, each.size))
        with atomic_write(path) as out:
            while page := list(islice(lacking, _PAGE)):
                missing, size = missing + len(page), size + sum(each.size for each in page)
                out.write("".join(f"{each.sha256} {each.size}\n" for each in page).encode())
                ctx.store.blob_checks.record([(each.sha256, False) for each in page], ctx.clock())
        with ctx.store.transaction():
            ctx.audit("box.restore", box.id, details={"backup": created_at, "missing": missing})
    if not missing:
        path.unlink()
    return Restored(box.id, box.name, created_at, missing, size)
