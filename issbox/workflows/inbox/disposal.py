"""Where a bundle of the inbox goes when its import has ended: archived, deleted, kept, or quarantined.

The move comes first and the row second. A kill between the two leaves a row whose path is empty of anything; the next
call finds the bundle where the move put it and only writes the row. Every function may be called any number of times.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from issbox.config import AfterImport
from issbox.errors import BusyError, IssboxError
from issbox.files import FileLock, atomic_write, error_from_os
from issbox.model import ContentImport, ImportState
from issbox.names import format_time
from issbox.workflows.context import Context
from issbox.workflows.imports.chunks import chunk_folders, companions, peek_toc
from issbox.workflows.inbox.peeking import peek
from issbox.workflows.inbox.relocating import relocate, remove

_LEFT: Final = " It stays where it is, since it could not be moved: "
"""Begins the part of a row's reason that tells why the bundle still lies in the inbox."""

_ENDED: Final = (ImportState.IMPORTED, ImportState.REFUSED)
_DELETE: Final = "content-import.delete"

Place = Callable[[ContentImport], Path | None]
"""Puts the bundle where it belongs and gives its new path, None when it is nowhere to be found."""


def finish(ctx: Context, row: ContentImport) -> ContentImport:
    """Dispose of an imported bundle or quarantine a refused one; give the row as it is then."""
    if row.state is ImportState.IMPORTED:
        return dispose(ctx, row)
    return quarantine(ctx, row) if row.state is ImportState.REFUSED else row


def finish_bundle(ctx: Context, row: ContentImport) -> ContentImport:
    """Do what `finish` does for an import, and for the other volumes of its bundle that it has imported too."""
    if row.state is ImportState.IMPORTED and row.bundle_id is not None and row.volumes:
        with ctx.store.session():
            volumes = ctx.store.imports.list(states=(ImportState.IMPORTED,), bundle_id=row.bundle_id)
        for volume in volumes:
            if volume.id != row.id:
                finish(ctx, volume)
    return finish(ctx, row)


def dispose(ctx: Context, row: ContentImport) -> ContentImport:
    """Archive, delete or keep a bundle that was imported through the inbox, as configured.

    What cannot be moved stays, and the row says so. Bundles imported by hand stay where they are.
    """
    after = ctx.settings.inbox.after_import
    if not row.inbox or row.state is not ImportState.IMPORTED or not _is_misplaced(ctx, row):
        return row
    if after is AfterImport.KEEP:
        _remove_reason(ctx, row)
        return row
    archive = ctx.settings.inbox.archive_path

    def place(row: ContentImport) -> Path | None:
        if after is AfterImport.DELETE:
            for companion in _companions(ctx, row):
                remove(companion, row.id, ours=lambda _: True)
            remove(Path(row.path), row.id, ours=lambda path: _is_this_bundle(row, path))
            return None
        return _relocate(ctx, row, archive)

    return _move(ctx, row, place, _DELETE if after is AfterImport.DELETE else "content-import.archive")


def quarantine(ctx: Context, row: ContentImport) -> ContentImport:
    """Move a refused bundle of the inbox into quarantine, with the reason in a file beside it.

    What cannot be moved stays, and the row says so. A bundle that lies in quarantine already gets a new reason file.
    """
    if not row.inbox or row.state is not ImportState.REFUSED or not row.path:
        return row
    if is_below(row.path, ctx.settings.inbox.quarantine_path):
        try:
            _write_reason(row, Path(row.path))
        except OSError as error:
            ctx.progress.note(f"the reason could not be written beside the bundle: {error_from_os(error)}")
        return row
    if not in_inbox(ctx, row.path):
        return row

    def place(row: ContentImport) -> Path | None:
        path = _relocate(ctx, row, ctx.settings.inbox.quarantine_path)
        if path is not None:
            _write_reason(row, path)
        return path

    return _move(ctx, row, place, "content-import.quarantine")


def heal(ctx: Context) -> list[ContentImport]:
    """Finish what a killed process left between the end of an import and the end of its move; give the rows changed."""
    if not ctx.settings.inbox.path.is_dir():  # not mounted: absence says nothing
        return []
    with ctx.store.session():
        places = (ctx.settings.inbox.path, ctx.settings.inbox.quarantine_path)
        ended = [row for place in places for row in ctx.store.imports.list(states=_ENDED, below=place)]
        left = [row for row in dict.fromkeys(ended) if row.inbox and _is_misplaced(ctx, row)]
        return [after for row in left if (after := finish(ctx, row)) != row]


@contextmanager
def deciding(ctx: Context, import_id: int) -> Iterator[ContentImport]:
    """Give a row as it is while nobody else moves its bundle, for who decides what becomes of it.

    Call it inside a session; raises NotFoundError and BusyError.
    """
    with _moves_lock(ctx):
        yield ctx.store.imports.get(import_id)


def _moves_lock(ctx: Context) -> FileLock:
    return FileLock(ctx.store.locks / "inbox-moves.lock", busy="another process is moving bundles of the inbox")


def delete_bundle(ctx: Context, row: ContentImport) -> bool:
    """Delete what the row names, if it lies in the inbox or in quarantine; tell whether anything was deleted.

    Call it inside `deciding`. Raises PermissionDeniedError or OperatingSystemError.
    """
    settings = ctx.settings.inbox
    if not row.inbox or not (is_below(row.path, settings.path) or is_below(row.path, settings.quarantine_path)):
        return False
    try:
        for companion in _companions(ctx, row):
            remove(companion, row.id, ours=lambda _: True)
        found = remove(Path(row.path), row.id, ours=lambda _: True)
        _remove_reason(ctx, row)
    except OSError as error:
        raise error_from_os(error) from error
    return found


def is_below(path: str, directory: Path) -> bool:
    """Tell whether a path lies below the directory, going by names only."""
    return bool(path) and directory in Path(path).parents


def in_inbox(ctx: Context, path: str) -> bool:
    """Tell whether a path lies in the inbox, and not in an archive or quarantine kept inside it."""
    settings = ctx.settings.inbox
    kept = (settings.archive_path, settings.quarantine_path)
    return is_below(path, settings.path) and not any(is_below(path, each) for each in kept)


def _is_misplaced(ctx: Context, row: ContentImport) -> bool:
    """Tell whether the bundle of an ended import still lies where it arrived, or in quarantine though imported."""
    quarantined = is_below(row.path, ctx.settings.inbox.quarantine_path)
    return in_inbox(ctx, row.path) or (row.state is ImportState.IMPORTED and quarantined)


def _move(ctx: Context, row: ContentImport, place: Place, action: str) -> ContentImport:
    with ctx.store.session():
        return _move_in_session(ctx, row, place, action)


def _move_in_session(ctx: Context, row: ContentImport, place: Place, action: str) -> ContentImport:
    state = row.state
    try:
        with _moves_lock(ctx):
            row = ctx.store.imports.get(row.id)
            # Who held the lock before has moved it, or somebody has it imported again from where it lies.
            if row.state is not state or not _is_misplaced(ctx, row):
                return row
            path = place(row)
    except BusyError:
        return row
    except OSError as error:
        return _note_left(ctx, row, str(error_from_os(error)))
    except IssboxError as error:
        return _note_left(ctx, row, str(error))
    return _note_moved(ctx, row, path, action)


def _note_moved(ctx: Context, row: ContentImport, path: Path | None, action: str) -> ContentImport:
    reason = row.reason.partition(_LEFT)[0]
    if path is None and action != _DELETE:
        action, reason = "content-import.vanish", f"{reason} The bundle has been taken away since.".lstrip()
    if path != Path(row.path):
        _remove_reason(ctx, row)
    with ctx.store.transaction():  # its state stays, and so does the time of it
        after = ctx.store.imports.update(
            row.id, updated_at=row.updated_at, path="" if path is None else str(path), reason=reason
        )
        ctx.audit(action, row.path, organization=row.organization, details={"import": row.id, "now": after.path})
    return after


def _note_left(ctx: Context, row: ContentImport, why: str) -> ContentImport:
    """Say once in the row why its bundle could not be moved."""
    before = row.reason.partition(_LEFT)[0]
    reason = f"{before}{'.' if before and before[-1] != '.' else ''}{_LEFT}{why}"
    if reason == row.reason:
        return row
    with ctx.store.transaction():
        return ctx.store.imports.update(row.id, updated_at=ctx.clock(), reason=reason)


def _relocate(ctx: Context, row: ContentImport, directory: Path) -> Path | None:
    def ours(path: Path) -> bool:
        """Tell whether the thing belongs to this row: it is this bundle, and no other row owns it.

        Rows older than this one may name the path it arrived at: what they were about has left it.
        """
        rows = ctx.store.imports.list(below=path.parent)
        others = [other.id for other in rows if other.path == str(path) and other.inbox]
        oldest = row.id if str(path) == row.path else 0
        return all(other <= oldest or other == row.id for other in others) and _is_this_bundle(row, path)

    def advance(size: int) -> None:
        ctx.progress.advance(files=1, size=size)

    _relocate_companions(ctx, row, directory, advance)
    return relocate(Path(row.path), directory, row.id, ours=ours, advance=advance)


def _relocate_companions(ctx: Context, row: ContentImport, directory: Path, advance: Callable[[int], None]) -> None:
    """Move the chunks of a set before its table of contents, so that a kill in between leaves the table to go by."""
    for companion in _companions(ctx, row):
        if companion.parent != directory:
            relocate(companion, directory, row.id, ours=partial(_is_still, companion), advance=advance)


def _companions(ctx: Context, row: ContentImport) -> list[Path]:
    """Give the chunks of a set and its signature; of one that was refused, none in the folder of another organization.

    What its table of contents lists may be anybody's: only the folders say whose it is.
    """
    path = Path(row.path)
    return companions(path, chunk_folders(ctx, path, row.organization if row.state is ImportState.IMPORTED else None))


def _is_still(companion: Path, path: Path) -> bool:
    """Tell whether a file is the one to be moved: that one itself, or what it was moved to before."""
    return path == companion or not os.path.lexists(companion)


def _is_this_bundle(row: ContentImport, path: Path) -> bool:
    """Tell whether the row's bundle lies there; something unreadable is believed to be it only without an id."""
    if row.bundle_id is None:
        return True
    toc = peek_toc(path)
    if toc is not None:
        return toc.bundle_id == row.bundle_id
    hint = peek(path)
    return hint is not None and hint.bundle.id == row.bundle_id


def _reason_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.reason.txt")


def _remove_reason(ctx: Context, row: ContentImport) -> None:
    if is_below(row.path, ctx.settings.inbox.quarantine_path):
        _reason_path(Path(row.path)).unlink(missing_ok=True)


def _write_reason(row: ContentImport, path: Path) -> None:
    text = f"""issbox refused this bundle. Nothing of it is in the store.

Bundle:  {path.name}
Import:  {row.id}
Refused: {format_time(row.updated_at)}
Code:    {row.error_code or "bundle-refused"}
Reason:  {row.reason.partition(_LEFT)[0]}

When the cause is removed, import it from where it lies:

    issbox content-import retry {row.id}

To delete it:

    issbox content-import discard {row.id}
"""
    with atomic_write(_reason_path(path)) as out:
        out.write(text.encode(errors="replace"))
