"""The signed head of a planned export."""

from pathlib import Path

from issbox.bundle.head import Head, prepare_head
from issbox.manifest import TABLE_NAME
from issbox.model import ContentExport
from issbox.workflows.appliance.boxes import signing_key
from issbox.workflows.context import Context
from issbox.workflows.exports.describing import BundleContent, describe
from issbox.workflows.exports.forms import Form
from issbox.workflows.exports.plan import ExportPlan


def prepare(
    ctx: Context, plan: ExportPlan, row: ContentExport, form: Form, scratch: Path
) -> tuple[Head, BundleContent]:
    """Lay the content out and sign the head, with the table in `scratch`; call it inside a session.

    Raises VolumeSizeError, NameClashError and UnsafePathError.
    """
    manifest = describe(ctx, plan, row)
    content = BundleContent(ctx, plan, manifest)
    head = prepare_head(
        manifest,
        content.entries,
        signing_key(ctx),
        scratch / TABLE_NAME,
        layout=form.layout,
        digest_parts=content.digest_parts,
    )
    return head, content
