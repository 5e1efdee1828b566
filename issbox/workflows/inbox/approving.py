"""People let a bundle in, or turn it away: who approved, and who still has to."""

from dataclasses import replace
from typing import Final

from issbox.errors import (
    ApprovalError,
    ImportRefusedError,
    InvalidValueError,
    RefusedByPersonError,
    WaitedTooLongError,
    WrongStateError,
)
from issbox.files import FileLock
from issbox.model import ContentImport, ImportState, WaitsFor
from issbox.rules.bundles.approvals import approvals_missing
from issbox.workflows.context import Context, Permission
from issbox.workflows.history import get_import
from issbox.workflows.imports.incoming import Incoming
from issbox.workflows.inbox.disposal import finish
from issbox.workflows.inbox.waiting import approvals_of
from issbox.workflows.visibility import owner

_LONGEST_REASON: Final = 500


def approve(ctx: Context, import_id: int, *, with_environments: bool = False) -> ContentImport:
    """Approve a bundle that waits for it, all its volumes included, and give its row.

    With the last approval needed it is SETTLED: a running service takes it up, and a front end may call
    `importing.import_bundle` at once. `with_environments` takes over the lifecycle environments that it carries; who
    asks for that has to be allowed to change them. Raises WrongStateError when it does not wait for an approval,
    ApprovalError for somebody who exported it or has approved it already, and NotPermittedError.
    """
    ctx.require_anywhere(Permission.CONTENT_APPROVE)
    lock = FileLock(ctx.store.locks / "approvals.lock", busy="somebody else is approving an import this moment")
    with ctx.store.session(), lock:
        row = ctx.store.imports.get(import_id)
        ctx.require(Permission.CONTENT_APPROVE, row.organization)
        if with_environments:
            ctx.require(Permission.ENVIRONMENT_MANAGE, row.organization)
            ctx.require(Permission.CONTENT_PROMOTE, row.organization)
        _require_waiting(row)
        name = ctx.actor.name
        approvals = approvals_of(ctx, row)
        if name == row.made_by:
            raise ApprovalError(f"{name} exported the bundle of import {import_id} and cannot approve it")
        if name in approvals:
            raise ApprovalError(f"{name} has approved import {import_id} already")
        asked = with_environments or row.with_environments
        return _record(ctx, row, name, frozenset(approvals) | {name}, with_environments=asked)


def approved_with(ctx: Context, row: ContentImport) -> list[ContentImport]:
    """Give the other volumes of an approved bundle that may be imported now."""
    with ctx.store.session():
        settled = ctx.store.imports.list(states=(ImportState.SETTLED,), bundle_id=row.bundle_id)
        return [each for each in settled if each.organization == row.organization and each.id != row.id][::-1]


def refuse_import(ctx: Context, import_id: int, reason: str) -> ContentImport:
    """Turn a waiting bundle away, all its volumes included, and give its row; its approvals are forgotten.

    What came through the inbox goes to quarantine. What its volumes brought is left to garbage collection. Raises
    WrongStateError when it does not wait, InvalidValueError without a reason in one line, BusyError while an import is
    running, and NotFoundError.
    """
    ctx.require_anywhere(Permission.CONTENT_APPROVE)
    reason = reason.strip()
    if not reason or len(reason) > _LONGEST_REASON or not reason.isprintable():
        raise InvalidValueError(f"a reason is one line of at most {_LONGEST_REASON} characters")
    with ctx.store.session():
        row = get_import(ctx, import_id)
        ctx.require(Permission.CONTENT_APPROVE, owner(ctx, row))
        with FileLock(ctx.store.locks / "import.lock", busy="an import is running in this box"):
            row = ctx.store.imports.get(import_id)
            if row.state is not ImportState.WAITING:
                raise WrongStateError(
                    f"import {import_id} is {row.state}; only one that waits can be refused",
                    shown="content-import info",
                )
            error = RefusedByPersonError(f"{ctx.actor.name} refused it: {reason}")
            return _turn_away(ctx, row, error)


def expire_waiting(ctx: Context) -> list[ContentImport]:
    """Refuse the bundles that have waited longer than [inbox] forget_after_days, and give their rows.

    A bundle of several volumes has waited since the last of its rows changed. Does nothing while an import is running.
    """
    ctx.require(Permission.BOX_MAINTAIN)
    lock = FileLock(ctx.store.locks / "import.lock")
    if not lock.try_acquire():
        return []
    try:
        with ctx.store.session():
            days = ctx.settings.inbox.forget_after_days
            waiting = ctx.store.imports.list(states=(ImportState.WAITING,))
            lines = {(row.bundle_id or row.id, row.organization): row for row in waiting}
            expired = [
                row
                for row in lines.values()
                if all((ctx.clock() - each.updated_at).days >= days for each in _waiting_with(ctx, row))
            ]
            words = f"it waited for more than {days} {'day' if days == 1 else 'days'}; the last word was: "
            return [_turn_away(ctx, row, WaitedTooLongError(words + row.reason)) for row in expired]
    finally:
        lock.release()


def _waiting_with(ctx: Context, row: ContentImport) -> list[ContentImport]:
    """Give a waiting row and those of the other volumes of its bundle."""
    if row.bundle_id is None:
        return [row]
    rows = ctx.store.imports.list(states=(ImportState.WAITING,), bundle_id=row.bundle_id)
    return [each for each in rows if each.organization == row.organization]


def _turn_away(ctx: Context, row: ContentImport, error: ImportRefusedError) -> ContentImport:
    rows = _waiting_with(ctx, row)
    with ctx.store.transaction():
        for each in rows:
            ctx.store.imports.update(
                each.id,
                updated_at=ctx.clock(),
                state=ImportState.REFUSED,
                error_code=error.code,
                reason=f"{error}. {error.hint}",
                waits_for=None,
                taken=False,
                approvals=(),
            )
        ctx.audit(
            "content-import.refuse",
            row.bundle_id or row.path,
            organization=row.organization,
            details={"code": error.code, "reason": str(error), "imports": sorted(each.id for each in rows)},
        )
    others = ctx.store.imports.list(states=(ImportState.WAITING,), bundle_id=row.bundle_id) if row.bundle_id else []
    if row.bundle_id is not None and not others:
        Incoming(ctx, row.bundle_id).forget()
    finished = {each.id: finish(ctx, ctx.store.imports.get(each.id)) for each in rows}
    return finished[row.id]


def _require_waiting(row: ContentImport) -> None:
    if row.state is not ImportState.WAITING or row.waits_for is not WaitsFor.APPROVAL:
        raise WrongStateError(
            f"import {row.id} is {row.state} and does not wait for an approval", shown="content-import info"
        )


def _record(
    ctx: Context, row: ContentImport, name: str, approvals: frozenset[str], *, with_environments: bool
) -> ContentImport:
    missing = approvals_missing(ctx.settings.inbox.approvals, approvals, row.made_by)
    with ctx.store.transaction():
        _require_waiting(ctx.store.imports.get(row.id))  # somebody may have turned it away meanwhile
        now = ctx.clock()
        volumes = _waiting_with(ctx, row)
        for each in volumes:
            ctx.store.imports.update(each.id, updated_at=now, with_environments=with_environments)
        after = ctx.store.imports.update(row.id, updated_at=now, approvals=(*row.approvals, name))
        if not missing:
            for each in volumes:
                if each.waits_for is WaitsFor.APPROVAL:
                    ctx.store.imports.update(
                        each.id, updated_at=now, state=ImportState.SETTLED, waits_for=None, reason=""
                    )
            after = replace(after, state=ImportState.SETTLED, waits_for=None, reason="")
        ctx.audit(
            "content-import.approve",
            row.bundle_id or row.path,
            organization=row.organization,
            details={"import": row.id, "still_missing": missing, "with_environments": with_environments},
        )
    return after
