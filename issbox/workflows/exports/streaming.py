"""Exports down a pipe: a tar stream in constant memory, of which only the file table is written to disk before."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from issbox.errors import InvalidValueError, StreamBrokenError
from issbox.files import Writable
from issbox.model import BundleForm, ContentExport, ExportState
from issbox.workflows.appliance.boxes import signing_key
from issbox.workflows.context import Context, Permission
from issbox.workflows.exports.forms.archive import ArchiveForm
from issbox.workflows.exports.forms.form import Job
from issbox.workflows.exports.heads import prepare
from issbox.workflows.exports.locking import alone, damage_in_words
from issbox.workflows.exports.plan import ExportPlan
from issbox.workflows.exports.recording import audit_details, reserved_row, update_row

STREAM_STEPS: Final = ("plan-export", "sign-head", "copy-files", "record-export")
"""What `stream` announces, in order."""
STREAMED_FORMS: Final = (BundleForm.TAR, BundleForm.TGZ)


def stream(
    ctx: Context, plan: ExportPlan, out: Writable, *, confirm: Callable[[], Mapping[str, object]] = dict
) -> ContentExport:
    """Write the planned bundle to `out` as a tar or tgz, and record it; nothing of it stays here.

    `confirm` is called when all of it has been written, and gives what else the audit log is to say; what it raises
    makes the export one that never was.

    Raises InvalidValueError for a form that is no stream and for chunks, and StreamBrokenError when nobody reads any
    more: then the number of the export is used again.
    """
    ctx.require(Permission.CONTENT_EXPORT, plan.organization, plan.products)
    if plan.request.form not in STREAMED_FORMS or plan.request.volume_size is not None:
        raise InvalidValueError("only a tar or tgz in one piece can be written to a pipe")
    with ctx.store.session(), alone(ctx), reserved_row(ctx, plan, None, streamed=True) as row:
        try:
            return _write(ctx, plan, row, out, confirm)
        except BrokenPipeError:
            raise StreamBrokenError("whoever read the bundle ended before it was complete") from None


def _write(
    ctx: Context, plan: ExportPlan, row: ContentExport, out: Writable, confirm: Callable[[], Mapping[str, object]]
) -> ContentExport:
    began = time.monotonic()
    form = ArchiveForm(plan.request.style)
    with ctx.store.scratch() as scratch:
        ctx.progress.step("sign-head")
        head, content = prepare(ctx, plan, row, form, scratch)
        carried = head.manifest.files
        row = replace(row, files=carried.carried_count, size=carried.carried_size, volumes=form.volume_sizes(head))
        update_row(ctx, row)
        ctx.progress.step("copy-files", "to the pipe")
        ctx.progress.expect(files=row.files, size=row.size)
        job = Job(
            name="",
            head=head,
            open_entry=content.open,
            key=signing_key(ctx),
            kept=scratch,
            progress=ctx.progress,
        )
        with damage_in_words():
            form.stream(job, out)
    confirmed = confirm()
    ctx.progress.step("record-export")
    row = replace(row, seconds=round(time.monotonic() - began, 3), state=ExportState.STREAMED)
    with ctx.store.transaction():
        details = audit_details(row) | dict(confirmed)
        ctx.audit("content-export.create", row.bundle_id, organization=row.organization, details=details)
        return update_row(ctx, row)
