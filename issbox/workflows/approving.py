"""People let a bundle in: who approved, and who still has to."""

from dataclasses import replace

from issbox.errors import ApprovalError, WrongStateError
from issbox.model import ContentImport, ImportState, WaitsFor
from issbox.rules.approvals import approvals_missing
from issbox.workflows.context import Context, Permission
from issbox.workflows.waiting import approvals_of


def approve(ctx: Context, import_id: int) -> ContentImport:
    """Approve a bundle that waits for it, all its volumes included, and give its row.

    With the last approval needed it is SETTLED: a running service takes it up, and a front end may call
    `importing.import_bundle` at once. Raises WrongStateError when it does not wait for an approval, and ApprovalError
    for somebody who exported it or has approved it already.
    """
    ctx.require_anywhere(Permission.CONTENT_APPROVE)
    with ctx.store.session():
        row = ctx.store.imports.get(import_id)
        ctx.require(Permission.CONTENT_APPROVE, row.organization)
        if row.state is not ImportState.WAITING or row.waits_for is not WaitsFor.APPROVAL:
            raise WrongStateError(f"import {import_id} is {row.state} and does not wait for an approval")
        name = ctx.actor.name
        approvals = approvals_of(ctx, row)
        if name == row.made_by:
            raise ApprovalError(f"{name} exported the bundle of import {import_id} and cannot approve it")
        if name in approvals:
            raise ApprovalError(f"{name} has approved import {import_id} already")
        return _record(ctx, row, name, frozenset(approvals) | {name})


def _record(ctx: Context, row: ContentImport, name: str, approvals: frozenset[str]) -> ContentImport:
    missing = approvals_missing(ctx.settings.inbox.approvals, approvals, row.made_by)
    with ctx.store.transaction():
        now = ctx.clock()
        after = ctx.store.imports.update(row.id, updated_at=now, approvals=(*row.approvals, name))
        if not missing:
            for each in ctx.store.imports.list(states=(ImportState.WAITING,), bundle_id=row.bundle_id):
                if each.waits_for is WaitsFor.APPROVAL and each.organization == row.organization:
                    ctx.store.imports.update(
                        each.id, updated_at=now, state=ImportState.SETTLED, waits_for=None, reason=""
                    )
            after = replace(after, state=ImportState.SETTLED, waits_for=None, reason="")
        ctx.audit(
            "content-import.approve",
            row.bundle_id or row.path,
            organization=row.organization,
            details={"import": row.id, "still_missing": missing},
        )
    return after
