"""The inbox as rows: what the scan saw is written down here, and people retry and discard what was refused.

A row is an intention that survives a restart. The scan never decides what a bundle is; it only says that something
lies there and whether it stands still.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from issbox.errors import BusyError, NotFoundError, WrongStateError
from issbox.model import ContentImport, ImportState
from issbox.workflows.context import Context, Permission
from issbox.workflows.history import get_import
from issbox.workflows.inbox.disposal import (
    deciding,
    delete_bundle,
    dispose,
    finish,
    finish_bundle,
    heal,
    in_inbox,
    quarantine,
)
from issbox.workflows.inbox.peeking import peek
from issbox.workflows.visibility import owner, seen_imports

__all__ = [
    "Sighting",
    "discard",
    "dispose",
    "finish",
    "finish_bundle",
    "heal",
    "list_inbox",
    "quarantine",
    "record",
    "retry",
]

WAITING_STATES: Final = (ImportState.ARRIVING, ImportState.SETTLED)
"""Bundles nobody works on yet: the scan may change these rows."""
_BUSY: Final = (ImportState.CHECKING, ImportState.IMPORTING)
_OPEN: Final = (*WAITING_STATES, *_BUSY, ImportState.WAITING)
_ENDED: Final = (ImportState.IMPORTED, ImportState.REFUSED)


@dataclass(frozen=True, slots=True)
class Sighting:
    """One candidate as the scan saw it."""

    path: str
    organization: str | None
    fingerprint: str
    settled: bool
    words: str
    """How far it has come, for people."""
    files: int
    size: int
    """Bytes."""
    members: tuple[str, ...] = ()
    """Of a set of chunks: all its files that are there. Which of them stands for the set changes as they come."""


def list_inbox(ctx: Context, *, taken: bool = False) -> list[ContentImport]:
    """Give what is in the inbox or lies in quarantine, newest first: everything that is not yet done with.

    Of this, what who asks may see. `taken` adds the volumes whose content was taken in by hand.
    """
    ctx.require_anywhere(Permission.CONTENT_READ)
    with ctx.store.session():
        rows = ctx.store.imports.list(states=(*_OPEN, ImportState.REFUSED))
        return seen_imports(ctx, [row for row in rows if (row.inbox and row.path) or (taken and row.taken)])


def record(ctx: Context, sightings: Sequence[Sighting]) -> list[ContentImport]:
    """Write down what one scan of the whole inbox saw and give the rows that changed.

    Things new or changed become ARRIVING, things that stand still SETTLED, and what was on its way and is no longer
    there DISCARDED. What is being imported is left alone, and what was imported or refused and has not changed since
    stays as it is, so that neither a restart nor a bundle that is kept in place is taken for a new arrival.
    """
    with ctx.store.session():
        waiting = _latest_by_path(ctx.store.imports.list(states=_OPEN))
        unknown = [sighting for sighting in sightings if sighting.path not in waiting]
        below = ctx.settings.inbox.path
        ended = _latest_by_path(ctx.store.imports.list(states=_ENDED, below=below)) if unknown else {}
        changed: list[ContentImport | None] = []
        for sighting in sightings:
            row = next((waiting[path] for path in (sighting.path, *sighting.members) if path in waiting), None)
            if row is not None:
                changed.append(_follow(ctx, row, sighting))
            elif not _is_done_with(ctx, ended.get(sighting.path), sighting):
                changed.append(_arrive(ctx, sighting))
        seen = {path for sighting in sightings for path in (sighting.path, *sighting.members)}
        gone = [row for row in waiting.values() if row.path not in seen and in_inbox(ctx, row.path)]
        changed.extend(_vanish(ctx, row) for row in gone)
        return [row for row in changed if row is not None]


def retry(ctx: Context, import_id: int, *, allow_older: bool = False, with_environments: bool = False) -> ContentImport:
    """Let a refused bundle be imported from where it lies; give its row, which is SETTLED then.

    A running service takes it up at its next rescan; a front end may call `importing.import_bundle` at once, and has
    to for a bundle that did not come through the inbox. Raises WrongStateError, BusyError or NotFoundError.
    """
    with ctx.store.session():
        _require_own(ctx, import_id)
        with deciding(ctx, import_id) as row:
            return _let_in(ctx, row, allow_older=allow_older, with_environments=with_environments)


def _let_in(ctx: Context, row: ContentImport, *, allow_older: bool, with_environments: bool) -> ContentImport:
    _require_state(row, "retried")
    if not row.path or not os.path.lexists(row.path):
        raise NotFoundError(
            f"the bundle of import {row.id} is no longer at {row.path or 'any place known to the box'}",
            hint="Put it into the inbox again, and discard this one.",
        )
    with ctx.store.transaction():
        after = ctx.store.imports.update(
            row.id,
            updated_at=ctx.clock(),
            state=ImportState.SETTLED,
            error_code=None,
            reason="",
            allow_older=row.allow_older or allow_older,
            with_environments=row.with_environments or with_environments,
        )
        ctx.audit("content-import.retry", row.path, organization=row.organization, details={"import": row.id})
    return after


def discard(ctx: Context, import_id: int) -> ContentImport:
    """Delete a refused bundle from inbox or quarantine and close its row; one imported by hand keeps its files.

    Raises WrongStateError, BusyError, PermissionDeniedError or NotFoundError.
    """
    with ctx.store.session():
        _require_own(ctx, import_id)
        with deciding(ctx, import_id) as row:
            _require_state(row, "discarded")
            deleted = delete_bundle(ctx, row)
            with ctx.store.transaction():
                after = ctx.store.imports.update(
                    import_id,
                    updated_at=ctx.clock(),
                    state=ImportState.DISCARDED,
                    path="" if deleted or row.inbox else row.path,
                )
                ctx.audit(
                    "content-import.discard",
                    row.path,
                    organization=row.organization,
                    details={"import": import_id, "deleted": deleted},
                )
            return after


def _require_own(ctx: Context, import_id: int) -> None:
    """Raise NotPermittedError unless who asks may decide on an import; one that may not even be seen is not found.

    A role limited to products is not enough: which products are in a refused bundle is not known for certain.
    """
    ctx.require(Permission.CONTENT_IMPORT, owner(ctx, get_import(ctx, import_id)))


def _require_state(row: ContentImport, verb: str) -> None:
    if row.state in _BUSY:
        raise BusyError(f"import {row.id} is being worked on right now")
    by_hand = row.state is ImportState.SETTLED and not row.inbox
    if row.state is not ImportState.REFUSED and not by_hand:
        raise WrongStateError(
            f"import {row.id} is {row.state}; only a refused one can be {verb}", shown="content-import info"
        )


def _latest_by_path(newest_first: Iterable[ContentImport]) -> dict[str, ContentImport]:
    latest: dict[str, ContentImport] = {}
    for row in newest_first:
        if row.inbox:
            latest.setdefault(row.path, row)
    return latest


def _follow(ctx: Context, row: ContentImport, sighting: Sighting) -> ContentImport | None:
    """Bring the row of something on its way up to date; None when nothing changed."""
    if row.state in _BUSY:
        return None
    if row.path != sighting.path:
        row = _change(ctx, row, path=sighting.path) or row
    same = row.fingerprint == sighting.fingerprint
    if row.state is ImportState.WAITING and same:
        return None
    if row.state is ImportState.SETTLED and (same or not row.fingerprint or sighting.settled):
        return None if same else _change(ctx, row, fingerprint=sighting.fingerprint)
    if sighting.settled:
        return _change(
            ctx,
            row,
            state=ImportState.SETTLED,
            reason="",
            error_code=None,
            waits_for=None,
            taken=False,
            fingerprint=sighting.fingerprint,
            organization=sighting.organization,
            files=sighting.files,
            size=sighting.size,
        )
    if row.state is ImportState.ARRIVING and same and row.reason == sighting.words:
        return None
    return _change(
        ctx,
        row,
        state=ImportState.ARRIVING,
        reason=sighting.words,
        error_code=None,
        waits_for=None,
        fingerprint=sighting.fingerprint,
        organization=sighting.organization,
        files=sighting.files,
        size=sighting.size,
    )


def _is_done_with(ctx: Context, row: ContentImport | None, sighting: Sighting) -> bool:
    """Tell whether the thing sighted is what this ended import was about, and not something new in its place."""
    if row is None:
        return False
    if row.fingerprint == sighting.fingerprint:
        return True
    hint = peek(Path(sighting.path))
    if row.state is not ImportState.IMPORTED or hint is None or hint.bundle.id != row.bundle_id:
        return False
    _change(ctx, row, fingerprint=sighting.fingerprint)
    return True


def _arrive(ctx: Context, sighting: Sighting) -> ContentImport | None:
    if not os.path.lexists(sighting.path):  # moved to archive or quarantine since the scan looked
        return None
    with ctx.store.transaction():
        now = ctx.clock()
        row = ctx.store.imports.add(
            sighting.path,
            inbox=True,
            organization=sighting.organization,
            first_seen=now,
            state=ImportState.SETTLED if sighting.settled else ImportState.ARRIVING,
        )
        return ctx.store.imports.update(
            row.id,
            updated_at=now,
            reason="" if sighting.settled else sighting.words,
            fingerprint=sighting.fingerprint,
            files=sighting.files,
            size=sighting.size,
        )


def _vanish(ctx: Context, row: ContentImport) -> ContentImport | None:
    """Close the row of something that was taken away; a volume that is taken in already may go."""
    if row.state in _BUSY or row.taken:
        return None
    return _change(ctx, row, state=ImportState.DISCARDED, reason="taken away", path="")


def _change(ctx: Context, row: ContentImport, **changes: object) -> ContentImport | None:
    """Update the row, unless another thread or process has moved it on since it was read."""
    with ctx.store.transaction():
        if ctx.store.imports.get(row.id).state is not row.state:
            return None
        return ctx.store.imports.update(row.id, updated_at=ctx.clock(), **changes)
