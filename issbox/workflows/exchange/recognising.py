"""What the short text of a receipt means: found by trying what the exports of this box have left on the other side."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from issbox.errors import UnrecognisedReceiptError
from issbox.model import (
    RECEIPT_FORMAT,
    RECEIPT_FORMAT_VERSION,
    ContentExport,
    ExportState,
    LastImport,
    Receipt,
    ReceiptBox,
    ReceiptOrganization,
    ReceiptRepository,
    Repository,
    ShortReceipt,
    TrustedKey,
)
from issbox.rules.bundles.receipts import export_tag, matching_state
from issbox.workflows.context import Context


def known_box(box: ReceiptBox, keys: Sequence[TrustedKey]) -> ReceiptBox:
    """Fill in the whole key id, and the name that it is trusted under when the receipt does not say one."""
    found = [key for key in keys if key.key_id.startswith(box.key_id)]
    return replace(box, key_id=found[0].key_id, name=box.name or found[0].name) if len(found) == 1 else box


def recognise_short(ctx: Context, short: ShortReceipt, keys: Sequence[TrustedKey]) -> Receipt:
    """Find the export that a short text names, and the repository versions that its digest stands for."""
    box = ctx.store.box.get()
    done = set(ExportState) - {ExportState.WRITING}
    named = [
        export
        for export in ctx.store.exports.list(states=done, sequence=short.sequence)
        if export_tag(box.id, export.destination, export.bundle_id) == short.tag
    ]
    if len(named) != 1:
        raise UnrecognisedReceiptError(
            f"no export of this box with the sequence number {short.sequence} is the one that the text names"
        )
    last = named[0]
    line = ctx.store.exports.list(last.organization, last.destination, states=done)
    before = [export for export in line if export.sequence <= last.sequence]
    repositories = {each.path: each for each in ctx.store.repositories.list(last.organization)}
    held = matching_state(
        [_exported(ctx, export, repositories) for export in sorted(before, key=lambda export: export.sequence)],
        short.state,
    )
    if held is None:
        raise UnrecognisedReceiptError(
            f"the other box imported the exports up to number {last.sequence}, but what it holds is not what they held"
        )
    return Receipt(
        format=RECEIPT_FORMAT,
        format_version=RECEIPT_FORMAT_VERSION,
        created_at=ctx.clock().replace(microsecond=0),
        box=known_box(ReceiptBox(id="", name="", key_id=short.key), keys),
        organization=ReceiptOrganization(label=last.organization),
        imported=(
            LastImport(
                source_box=box.id,
                destination=last.destination,
                bundle_id=last.bundle_id,
                sequence=last.sequence,
            ),
        ),
        repositories=tuple(
            ReceiptRepository(
                product=repositories[path].key.product,
                label=repositories[path].key.label,
                path=path,
                content_id=repositories[path].content.id,
                variables=dict(repositories[path].variables),
                repomd_sha256=repomd,
                source_box=box.id,
            )
            for path, repomd in sorted(held.items())
        ),
    )


def _exported(ctx: Context, export: ContentExport, repositories: Mapping[str, Repository]) -> dict[str, str]:
    """Give what an export held, path to the SHA-256 of repomd.xml, of repositories that are still here.

    An export made before its versions were recorded held what Library did at that time.
    """
    described = {version.repository: version.repomd_sha256 for version in export.versions}
    held: dict[str, str] = {}
    for path, repository in repositories.items():
        if repository.key in described:
            held[path] = described[repository.key]
        elif not described and f"{repository.key.product}/{repository.key.label}" in export.repositories:
            versions = [v for v in ctx.store.versions.list(repository.key) if v.created_at <= export.created_at]
            if versions:
                held[path] = versions[-1].repomd_sha256
    return held
