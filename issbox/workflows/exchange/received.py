"""Receipts on the side that sends: reading them in any form, keeping them, and what they say of own exports."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from issbox.bundle.compact_receipt import COMPACT_PREFIX, decode_compact
from issbox.bundle.decoding import MAX_NUMBER, check_format
from issbox.bundle.receipt import MAX_RECEIPT, decode_receipt
from issbox.bundle.receipt_checks import known_files
from issbox.bundle.short_receipt import SHORT_PREFIX, decode_short
from issbox.bundle.slip import SHORT_SLIP_PREFIX
from issbox.errors import IssboxError, NotAReceiptError, NotFoundError, ReceiptError
from issbox.model import (
    SLIP_FORMAT,
    Acknowledgement,
    ContentExport,
    Receipt,
    ReceiptForm,
    ReceivedReceipt,
    Repository,
    RepositoryKey,
)
from issbox.rules.bundles.receipts import (
    KnownFiles,
    OwnRepository,
    ReceiptBase,
    export_base,
    imported_ranges,
)
from issbox.workflows.context import Context, Permission
from issbox.workflows.exchange.handed import handed_over
from issbox.workflows.exchange.recognising import known_box, recognise_short

_LONGEST_NUMBER: Final = 18
_KEY_DIGITS: Final = 16
"""Fewest digits of a key id that name a key in a signed receipt."""
_BETWEEN: Final = {ReceiptForm.COMPACT: b"", ReceiptForm.SHORT: b"-"}
"""What stands where a text was typed with spaces, so that the same text is known again."""


def read_receipt(
    ctx: Context, given: str, *, accept_untrusted: bool = False, only_newest: bool = False
) -> ReceivedReceipt:
    """Read a receipt from a file, from standard input (`-`), or the text itself, and keep it.

    Reading the same one again changes nothing. With `only_newest`, older ones of that box with lists of packages are
    forgotten, unless they acknowledge something that this one does not. Raises UntrustedReceiptError when its key is
    not trusted here, unless that is accepted; ReceiptSignatureError, BadReceiptError, NewerReceiptError, MistypedError,
    UnrecognisedReceiptError for a short text that fits no export of this box, and NotAReceiptError.
    """
    ctx.require_anywhere(Permission.CONTENT_EXPORT)
    data = handed_over(given, lambda text: is_receipt_text(text) or _is_slip(text.encode()), "a receipt", MAX_RECEIPT)
    form = _form(data)
    text = data if form is ReceiptForm.FILE else _BETWEEN[form].join(data.split()).upper()
    fingerprint = hashlib.sha256(text).hexdigest()
    with ctx.store.session():
        present = ctx.store.receipts.find(fingerprint)
        receipt, verified = _understand(ctx, data, form, accept_untrusted=accept_untrusted)
        if receipt.box.id == ctx.store.box.get().id:
            raise _made_here()
        organization = own_organization(ctx, receipt)
        ctx.require_some(Permission.CONTENT_EXPORT, organization)
        if present is not None and present.verified == verified:
            return present
        with ctx.store.transaction():
            kept = ctx.store.receipts.add(
                receipt,
                received_at=ctx.clock(),
                received_by=ctx.actor.name,
                form=form,
                verified=verified,
                organization=organization,
                fingerprint=fingerprint,
                acknowledgements=_acknowledgements(ctx, receipt),
            )
            replaced = ctx.store.receipts.replaced_by(kept) if only_newest else ()
            for each in replaced:
                ctx.store.receipts.delete(each)
            ctx.audit(
                "receipt.read",
                receipt.box.name or receipt.box.key_id,
                organization=organization,
                details={
                    "receipt": kept.id,
                    "key_id": receipt.box.key_id,
                    "form": form.value,
                    "verified": verified,
                    **({"replaces": list(replaced)} if replaced else {}),
                },
            )
            return kept


def chosen_receipt(ctx: Context, given: str) -> ReceivedReceipt:
    """Give the receipt that an export is to start from: one read before, by its number, or one read and kept now.

    Raises what `get_receipt` and `read_receipt` raise. One of an untrusted key has to be read before.
    """
    number = given.isascii() and given.isdigit() and len(given) <= _LONGEST_NUMBER
    return get_receipt(ctx, int(given)) if number else read_receipt(ctx, given)


def is_receipt_text(text: str) -> bool:
    """Tell whether a text is a compact or short receipt itself, and not the path of a file."""
    return _form_of_text(text) is not None


def list_receipts(ctx: Context) -> list[ReceivedReceipt]:
    """Give the receipts read here, newest first, without their package digests."""
    ctx.require_anywhere(Permission.CONTENT_READ)
    with ctx.store.session():
        return [each for each in ctx.store.receipts.list() if _seen(ctx, each)]


def get_receipt(ctx: Context, receipt_id: int) -> ReceivedReceipt:
    """Give one receipt; raises NotFoundError."""
    ctx.require_anywhere(Permission.CONTENT_READ)
    with ctx.store.session():
        receipt = ctx.store.receipts.get(receipt_id)
        if not _seen(ctx, receipt):
            raise NotFoundError(f"there is no receipt {receipt_id}", listed="receipt list")
        return receipt


def delete_receipt(ctx: Context, receipt_id: int) -> ReceivedReceipt:
    """Forget a receipt, with what it acknowledged, and give what it was; raises NotFoundError."""
    receipt = get_receipt(ctx, receipt_id)
    ctx.require_some(Permission.CONTENT_EXPORT, receipt.organization)
    box = receipt.receipt.box
    with ctx.store.session(), ctx.store.transaction():
        ctx.store.receipts.delete(receipt_id)
        ctx.audit(
            "receipt.delete", box.name or box.key_id, organization=receipt.organization, details={"receipt": receipt_id}
        )
        return receipt


def acknowledged(ctx: Context, export: ContentExport) -> bool:
    """Tell whether a receipt signed by a trusted key says that this export was imported."""
    with ctx.store.session():
        return ctx.store.receipts.acknowledged(export.organization, export.destination, export.sequence)


def receipt_base(ctx: Context, receipt: Receipt, keys: Sequence[RepositoryKey]) -> ReceiptBase:
    """Give what an incremental export of these repositories to the box of a receipt may start from."""
    with ctx.store.session():
        own = [_own(ctx, ctx.store.repositories.get(key)) for key in keys]
    return export_base(receipt, own, KnownFiles() if receipt.packages is None else known_files(receipt.packages))


def own_versions(ctx: Context, received: ReceivedReceipt) -> Mapping[str, int]:
    """Give the own version, by repository path, that each repository of a receipt holds; unknown ones are left out."""
    with ctx.store.session():
        own = _own_repositories(ctx, received.organization)
    versions = export_base(received.receipt, own).versions
    return {each.path: number for each in own if (number := versions[each.key]) is not None}


def _form(data: bytes) -> ReceiptForm:
    start = data[:64].lstrip()
    if _is_slip(data):
        raise NotAReceiptError(
            "this is a re-request slip and not a receipt",
            hint="Write again what it asks for: `issbox content-export recut --slip`. A receipt is made by "
            "`issbox receipt create`.",
        )
    if start[:1] == b"{":
        return ReceiptForm.FILE
    form = _form_of_text(start.decode("ascii", errors="replace"))
    if form is None:
        raise NotAReceiptError("what was given does not begin as any receipt does")
    return form


def _form_of_text(text: str) -> ReceiptForm | None:
    """Tell the form of a text by how it begins; the short one may be typed with spaces in the place of dashes."""
    start = text.strip().upper()
    if start.startswith(COMPACT_PREFIX):
        return ReceiptForm.COMPACT
    return ReceiptForm.SHORT if "-".join(start.split()).startswith(SHORT_PREFIX) else None


def _is_slip(data: bytes) -> bool:
    """Tell whether it is a re-request slip: both are carried in the same direction."""
    if data[:64].lstrip().upper().startswith(SHORT_SLIP_PREFIX.encode()):
        return True
    try:
        check_format(data, "slip", SLIP_FORMAT, MAX_NUMBER)
    except IssboxError:
        return False
    return True


def _made_here() -> ReceiptError:
    return ReceiptError(
        "this receipt was made by this box itself", hint="Read it on the box that the bundles come from."
    )


def _understand(ctx: Context, data: bytes, form: ReceiptForm, *, accept_untrusted: bool) -> tuple[Receipt, bool]:
    keys = ctx.store.trusted_keys.list()
    own = ctx.store.box.get().key_id

    def find_key(key_id: str) -> str | None:
        if len(key_id) >= _KEY_DIGITS and own.startswith(key_id):
            raise _made_here()
        found = [key.public_key for key in keys if len(key_id) >= _KEY_DIGITS and key.key_id.startswith(key_id)]
        return found[0] if len(found) == 1 else None

    if form is ReceiptForm.FILE:
        return decode_receipt(data, find_key, accept_untrusted=accept_untrusted)
    text = data.decode("ascii", errors="replace").strip()
    if form is ReceiptForm.SHORT:
        return recognise_short(ctx, decode_short(text), keys), False
    receipt, verified = decode_compact(
        text,
        find_key,
        lambda receipt: _own_repositories(ctx, own_organization(ctx, receipt)),
        accept_untrusted=accept_untrusted,
    )
    return replace(receipt, box=known_box(receipt.box, keys) if verified else receipt.box), verified


def _acknowledgements(ctx: Context, receipt: Receipt) -> Iterator[Acknowledgement]:
    """Say which exports of this box arrived: those of the organization and destination of the bundle imported last."""
    box = ctx.store.box.get()
    for last in receipt.imported:
        export = ctx.store.exports.find(last.bundle_id) if last.source_box == box.id else None
        if export is None or export.sequence != last.sequence:
            continue
        for first, end in imported_ranges(last):
            yield Acknowledgement(export.organization, export.destination, first, end)


def own_organization(ctx: Context, receipt: Receipt) -> str | None:
    """Give the organization of this box that a receipt is about; call it inside a session.

    It is the one whose bundle was imported last over there, else the one of the same label, or None.
    """
    box = ctx.store.box.get()
    for last in receipt.imported:
        export = ctx.store.exports.find(last.bundle_id) if last.source_box == box.id else None
        if export is not None:
            return export.organization
    label = receipt.organization.label
    return label if label in {each.label for each in ctx.store.organizations.list()} else None


def _seen(ctx: Context, received: ReceivedReceipt) -> bool:
    reach = ctx.reach(Permission.CONTENT_READ)
    return reach.everywhere or bool(reach.products(received.organization))


def _own_repositories(ctx: Context, organization: str | None) -> list[OwnRepository]:
    """Give the repositories of an organization; none without one."""
    return [_own(ctx, each) for each in ctx.store.repositories.list(organization)] if organization is not None else []


def _own(ctx: Context, repository: Repository) -> OwnRepository:
    return OwnRepository(
        repository.key,
        repository.path,
        repository.content.id,
        dict(repository.variables),
        {version.number: version.repomd_sha256 for version in ctx.store.versions.list(repository.key)},
    )
