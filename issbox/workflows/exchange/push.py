"""Pushing over SSH: ask the other box what it holds, send exactly the difference down a pipe, keep its report.

Nothing is written to a disk on this side, and the other one takes the bundle in as it comes. What the connection loses
half-way leaves nothing visible there and no export here; pushing again asks anew and sends the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from issbox.errors import InvalidValueError, StreamBrokenError
from issbox.model import BundleForm, ContentExport, ReceivedReceipt
from issbox.names import check_name
from issbox.workflows.context import Context, Permission
from issbox.workflows.exchange.far_side import FarSide, check_far_side, far_import, far_report, fetch_receipt
from issbox.workflows.exchange.received import read_receipt
from issbox.workflows.exports import Estimate, ExportPlan, ExportRequest, estimate, plan_export, stream

STEPS: Final = ("ask-other-box", "plan-export", "sign-head", "copy-files", "await-report", "record-export")
"""What `plan_push` and `push` announce, in order."""
_KEPT: Final = ("id", "state", "bundle_id", "organization", "sequence", "files", "size", "updated_at", "reason")
"""What is kept of the other box's report."""
_LONGEST: Final = 1000
"""Characters of one value of it."""


@dataclass(frozen=True, slots=True)
class PushPlan:
    """What a push will send, and to whom."""

    far: FarSide
    receipt: ReceivedReceipt
    """What the other box said that it holds."""
    export: ExportPlan

    @property
    def needed(self) -> bool:
        """Whether the other box lacks any of the repository versions, or is to have the lifecycle environments."""
        if self.export.request.with_environments:
            return True  # a receipt does not tell which of them it has
        held = {} if self.export.base is None else self.export.base.held
        return any(
            (repository.key, version.number) not in held.get((repository.key.product, repository.key.label), ())
            for repository, version in self.export.repositories
        )


@dataclass(frozen=True, slots=True)
class PushReport:
    """What a push did."""

    plan: PushPlan
    export: ContentExport | None
    """None when there was nothing to send."""
    report: Mapping[str, object] | None
    """The other box's own description of its import, as `issbox content-import info --json` gives it there."""


def plan_push(ctx: Context, far: FarSide, request: ExportRequest) -> PushPlan:
    """Ask the other box for a receipt, keep it, and say what has to be sent.

    Without a destination, the name of the other box is it. Raises FarSideUnreachableError, FarSideTooOldError and
    FarSideError, NotPermittedError, MissingToolError, ReceiptError and what `plan_export` raises.
    """
    ctx.require_some(Permission.CONTENT_EXPORT, request.organization)
    far = check_far_side(ctx, far)
    ctx.progress.step("ask-other-box", str(far.target))
    data = fetch_receipt(ctx, far, request.organization)
    with ctx.store.scratch() as scratch:
        path = scratch / "receipt.json"
        path.write_bytes(data)
        receipt = read_receipt(ctx, str(path), accept_untrusted=True, only_newest=True)
    if not receipt.verified:
        ctx.progress.note("the key of the other box is not trusted here, so its receipts acknowledge no export")
    request = replace(
        request,
        destination=request.destination or _destination(far, receipt),
        form=BundleForm.TAR,
        incremental=True,
        from_receipt=str(receipt.id),
    )
    return PushPlan(far, receipt, plan_export(ctx, request))


def estimate_push(ctx: Context, plan: PushPlan) -> Estimate:
    """Say what a push would send."""
    return estimate(ctx, plan.export, streamed=True)


def push(ctx: Context, plan: PushPlan, *, force: bool = False) -> PushReport:
    """Send what the other box lacks, wait for its report, and record both.

    Sends nothing when it lacks nothing, unless forced. Raises FarSideError with the other box's words and exit code
    when it refuses or would have to wait, FarSideUnreachableError when the connection is lost; then no export is
    recorded here.
    """
    ctx.require(Permission.CONTENT_EXPORT, plan.export.organization, plan.export.products)
    if not (plan.needed or force):
        return PushReport(plan, None, None)
    reports: list[Mapping[str, object]] = []
    environments = plan.export.request.with_environments
    with far_import(ctx, plan.far, plan.export.organization, with_environments=environments) as far:

        def confirm() -> Mapping[str, object]:
            ctx.progress.step("await-report", str(plan.far.target))
            reports.append(far_report(plan.far, far.finish()))
            return {"push": _audit_details(plan, reports[0])}

        try:
            row = stream(ctx, plan.export, far, confirm=confirm)
        except StreamBrokenError:
            far_report(plan.far, far.finish())  # says why nobody reads any more
            raise
    return PushReport(plan, row, reports[0])


def _audit_details(plan: PushPlan, report: Mapping[str, object]) -> dict[str, object]:
    """Give what the audit log keeps of a push, with what the other box said."""
    box = plan.receipt.receipt.box
    return {
        "target": str(plan.far.target),
        "box": box.name,
        "box_id": box.id,
        "receipt": plan.receipt.id,
        "report": {name: _cut(report[name]) for name in _KEPT if name in report},
    }


def _cut(value: object) -> object:
    """Give a value of the other box as far as it is plain and short, whatever it sent."""
    return value[:_LONGEST] if isinstance(value, str) else value if isinstance(value, int) or value is None else "?"


def _destination(far: FarSide, receipt: ReceivedReceipt) -> str:
    try:
        return check_name(receipt.receipt.box.name, "name of the other box")
    except InvalidValueError:
        return far.target.host
