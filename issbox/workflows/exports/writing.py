"""Making a bundle: reserve its number, sign its head, write it in its form, and record it."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from issbox.files import remove_tree, require_space
from issbox.manifest import TABLE_NAME
from issbox.model import ContentExport, ExportState
from issbox.workflows.appliance.boxes import signing_key
from issbox.workflows.context import Context, Permission
from issbox.workflows.exports.estimating import ROOM
from issbox.workflows.exports.forms import Job, form_of
from issbox.workflows.exports.heads import prepare
from issbox.workflows.exports.kept import keep_head
from issbox.workflows.exports.locking import alone, damage_in_words
from issbox.workflows.exports.plan import ExportPlan
from issbox.workflows.exports.recording import audit_details, reserved_row, update_row

STEPS: Final = ("plan-export", "sign-head", "copy-files", "finish-bundle", "record-export")
"""What `export` announces, in order."""


def export(ctx: Context, plan: ExportPlan, output: Path | None = None) -> ContentExport:
    """Write the planned bundle below `output` (the configured export directory by default) and record it.

    The bundle has its final name only when it is whole and durable. Raises NoSpaceError before anything is written.
    """
    ctx.require(Permission.CONTENT_EXPORT, plan.organization, plan.products)
    with ctx.store.session(), alone(ctx), reserved_row(ctx, plan, output) as row:
        Path(row.path).parent.mkdir(parents=True, exist_ok=True)
        return _write(ctx, plan, row)


def _write(ctx: Context, plan: ExportPlan, row: ContentExport) -> ContentExport:
    began = time.monotonic()
    final = Path(row.path)
    style = plan.request.style
    form = form_of(style)
    with ctx.store.scratch() as scratch:
        ctx.progress.step("sign-head")
        head, content = prepare(ctx, plan, row, form, scratch)
        carried = head.manifest.files
        row = replace(row, files=carried.carried_count, size=carried.carried_size, volumes=form.volume_sizes(head))
        require_space(final.parent, form.total_size(head) + ROOM, "the bundle")
        update_row(ctx, row)
        kept = keep_head(ctx, head, style, content.documents)
    ctx.progress.step("copy-files", f"to {final}")
    ctx.progress.expect(files=row.files, size=row.size)
    job = Job(
        name=final.name,
        head=replace(head, table=kept / TABLE_NAME),
        open_entry=content.open,
        key=signing_key(ctx),
        kept=kept,
        progress=ctx.progress,
    )
    with damage_in_words():
        volumes = form.write(job, final)
    try:
        ctx.progress.step("record-export")
        seconds = round(time.monotonic() - began, 3)
        row = replace(row, volumes=volumes, seconds=seconds, state=ExportState.WRITTEN)
        with ctx.store.transaction():
            ctx.audit("content-export.create", row.bundle_id, organization=row.organization, details=audit_details(row))
            return update_row(ctx, row)
    except BaseException:
        remove_tree(final)  # without its row, its number would be another bundle's too
        raise
