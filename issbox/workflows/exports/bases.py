"""What an incremental bundle starts from: what the far side is known to hold."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from issbox.errors import InvalidValueError, NotFoundError, ReceiptError
from issbox.model import ContentExport, ExportState, RepositoryKey
from issbox.names import format_time
from issbox.workflows.context import Context
from issbox.workflows.exports.scopes import Found

if TYPE_CHECKING:
    from issbox.model import ReceivedReceipt
    from issbox.workflows.exports.plan import ExportRequest

Held = Mapping[tuple[str, str], tuple[tuple[RepositoryKey, int], ...]]
"""Repository versions that the far side holds, by product and repository label."""


@dataclass(frozen=True, slots=True)
class Base:
    """What the far side holds."""

    document: Mapping[str, object]
    """As the manifest says it."""
    held: Held
    has_digest: Callable[[str], bool] | None = None
    """Tells of a SHA-256 whether the far side said that it has it; None when it said nothing of single files."""


def receipt_for(ctx: Context, organization: str, given: str) -> "ReceivedReceipt":
    """Give the receipt that an export of the organization is to start from; it is kept when it is read here first.

    Raises ReceiptError when it is about another organization, and what `received.chosen_receipt` raises.
    """
    from issbox.workflows.exchange.received import chosen_receipt

    received = chosen_receipt(ctx, given)
    if received.organization != organization:
        about = "none of this box" if received.organization is None else f"the organization {received.organization}"
        raise ReceiptError(
            f"the receipt {received.id} is about {about}, not about the organization {organization}",
            hint="Ask the other side for a receipt of this organization, or export the other one.",
        )
    return received


def find_base(
    ctx: Context, request: "ExportRequest", found: Found, receipt: "ReceivedReceipt | None" = None
) -> Base | None:
    """Give the base of an incremental export, None for a complete one.

    Raises NotFoundError when there is no such export or none at all, and InvalidValueError for two bases at once.
    """
    named = [name for name in ("since", "from_export", "from_receipt") if getattr(request, name) is not None]
    if len(named) > 1:
        raise InvalidValueError("an incremental export has one base: a time, an export, or a receipt")
    if request.since is not None:
        return _since(ctx, request.since, found)
    if request.from_export is not None:
        return _from_exports(ctx, [_named_export(ctx, request, request.from_export)])
    if receipt is not None:
        return _from_receipt(ctx, receipt, found)
    if not request.incremental:
        return None
    earlier = ctx.store.exports.list(request.organization, request.destination)
    earlier = [export for export in earlier if export.state is not ExportState.WRITING]
    if not earlier:
        raise NotFoundError(
            f"there is no earlier export of the organization {request.organization} for the destination "
            f"{request.destination!r}, so an incremental one has nothing to start from",
            hint="Make a complete export first, or name a base with --since, --from-export or --from-receipt.",
        )
    return _from_exports(ctx, earlier)


def _since(ctx: Context, since: datetime, found: Found) -> Base:
    if since > ctx.clock():
        raise InvalidValueError(f"the time {format_time(since)} lies in the future")
    held: dict[tuple[str, str], tuple[tuple[RepositoryKey, int], ...]] = {}
    for repository, _ in found:
        present: list[tuple[RepositoryKey, int]] = []
        for key in sorted({repository.key.source, repository.key}):
            numbers = [each.number for each in ctx.store.versions.list(key) if each.created_at <= since]
            present += [(key, number) for number in numbers[-1:]]
        held[repository.key.product, repository.key.label] = tuple(present)
    return Base({"kind": "since", "time": format_time(since)}, held)


def _named_export(ctx: Context, request: "ExportRequest", export_id: int) -> ContentExport:
    export = ctx.store.exports.get(export_id)
    if export.organization != request.organization:
        raise NotFoundError(
            f"the organization {request.organization} has no content export {export_id}", listed="content-export list"
        )
    if export.state is ExportState.WRITING:
        raise InvalidValueError(f"the content export {export_id} is not finished")
    return export


def _from_exports(ctx: Context, newest_first: Sequence[ContentExport]) -> Base:
    """Give the base of a destination that got these exports: of each repository, what the newest of them described."""
    held: dict[tuple[str, str], tuple[tuple[RepositoryKey, int], ...]] = {}
    for export in newest_first:
        described: dict[tuple[str, str], tuple[tuple[RepositoryKey, int], ...]] = {}
        for version in export.versions:
            key = version.repository
            if (key.product, key.label) not in held and _is_there(ctx, key, version.number):
                described[key.product, key.label] = ((key, version.number),)
        held |= described
    last = newest_first[0]
    return Base({"kind": "export", "bundle_id": last.bundle_id, "sequence": last.sequence}, held)


def _from_receipt(ctx: Context, received: "ReceivedReceipt", found: Found) -> Base:
    """Give the base of the box that a receipt came from: whatever versions it holds, filtered ones too."""
    from issbox.workflows.exchange.received import receipt_base

    wanted = {(repository.key.product, repository.key.label) for repository, _ in found}
    every = ctx.store.repositories.list(organization=received.organization, derived=True)
    keys = [each.key for each in every if (each.key.product, each.key.label) in wanted]
    base = receipt_base(ctx, received.receipt, keys)
    held: dict[tuple[str, str], tuple[tuple[RepositoryKey, int], ...]] = {}
    for key, number in base.versions.items():
        if number is not None:
            held[key.product, key.label] = (*held.get((key.product, key.label), ()), (key, number))
    box = received.receipt.box
    document = {
        "kind": "receipt",
        "box_id": box.id,
        "box_name": box.name,
        "created_at": format_time(received.receipt.created_at),
        "verified": received.verified,
    }
    return Base(document, held, base.files.__contains__ if len(base.files) else None)


def _is_there(ctx: Context, key: RepositoryKey, number: int) -> bool:
    """Tell whether the box still keeps a version; what it does not keep counts as unknown, and is carried again."""
    try:
        ctx.store.versions.get(key, number)
    except NotFoundError:
        return False
    return True
