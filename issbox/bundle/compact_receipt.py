"""A receipt small enough for a QR code: the same facts in binary, with shortened digests and a signature of its own.

Paths and repomd.xml are named by the beginning of a digest. The reader recognises those that it knows, and the others
say nothing to it in any form.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from issbox.bundle.packing import Packer, Unpacker
from issbox.bundle.receipt import check_signature
from issbox.bundle.receipt_checks import check_imported
from issbox.bundle.signature import SIGNATURE_SIZE, SigningKey
from issbox.errors import BadReceiptError, InvalidValueError, MistypedError, NewerReceiptError
from issbox.model import (
    RECEIPT_FORMAT,
    LastImport,
    Receipt,
    ReceiptBox,
    ReceiptOrganization,
    ReceiptRepository,
)
from issbox.names import check_label, check_name
from issbox.rules.bundles.receipts import PATH_TAG_DIGITS, SHORT_REPOMD_DIGITS, OwnRepository, path_tag, recognise
from issbox.rules.bundles.typed_text import decode_bytes, encode_bytes, tidy

COMPACT_PREFIX: Final = "IBC1:"
"""How the text begins; all its characters are in the alphanumeric set of QR codes."""
MAX_COMPACT: Final = 64 << 10
"""Characters of a compact receipt: more than one QR code holds, but it may also be sent as text."""
_MAGIC: Final = b"IBC"
_VERSION: Final = 1
_KEY_BYTES: Final = 8


def encode_compact(receipt: Receipt, key: SigningKey) -> str:
    """Give a receipt as the text of a QR code; package digests are left out."""
    boxes = sorted(
        {last.source_box for last in receipt.imported}
        | {each.source_box for each in receipt.repositories if each.source_box is not None}
    )
    out = Packer().raw(_MAGIC).number(_VERSION).raw(bytes.fromhex(key.key_id)[:_KEY_BYTES])
    out.id(receipt.box.id).text(receipt.box.name).number(int(receipt.created_at.timestamp()))
    out.text(receipt.organization.label).number(len(boxes))
    for box in boxes:
        out.id(box)
    out.number(len(receipt.imported))
    for last in receipt.imported:
        out.number(boxes.index(last.source_box)).text(last.destination).id(last.bundle_id).number(last.sequence)
        out.number(len(last.missing))
        for first, end in last.missing:
            out.number(first).number(end - first)
    out.number(len(receipt.repositories))
    for each in receipt.repositories:
        out.raw(bytes.fromhex(path_tag(each.path))).raw(bytes.fromhex(each.repomd_sha256[:SHORT_REPOMD_DIGITS]))
        out.number(0 if each.source_box is None else 1 + boxes.index(each.source_box))
        out.number(each.source_version or 0)
    data = out.data()
    return COMPACT_PREFIX + encode_bytes(data + key.sign(data))


def decode_compact(
    text: str,
    find_key: Callable[[str], str | None],
    own: Callable[[Receipt], Sequence[OwnRepository]],
    *,
    accept_untrusted: bool = False,
) -> tuple[Receipt, bool]:
    """Read the text of a QR code, recognise what is known here, and tell whether a trusted key signed it.

    `find_key` gives the PEM of a trusted key by the first 16 digits of its id; `own` gives the repositories of this
    box that a receipt may be about, and is asked only when the signature is good. Raises as `decode_receipt` does.
    """
    if len(text) > MAX_COMPACT:
        raise BadReceiptError(f"the text of the receipt has more than {MAX_COMPACT} characters")
    # The prefix is not in base 32, so it is cut off before letters are taken for digits.
    bare = "".join(text.split())[len(COMPACT_PREFIX) :]
    try:
        whole = decode_bytes(tidy(bare))
    except MistypedError as error:
        raise BadReceiptError(f"receipt: {error}") from None
    data, signature = whole[:-SIGNATURE_SIZE], whole[-SIGNATURE_SIZE:]
    source = Unpacker(data)
    if source.raw(len(_MAGIC)) != _MAGIC:
        raise BadReceiptError("receipt: it does not begin as a compact receipt does")
    version = source.number()
    if version != _VERSION:
        raise NewerReceiptError(f"the compact receipt has format version {version}, this issbox reads {_VERSION}")
    key_id = source.raw(_KEY_BYTES).hex()
    verified = check_signature(data, signature, key_id, find_key, accept_untrusted=accept_untrusted)
    return _read(source, key_id, own), verified


def _read(source: Unpacker, key_id: str, own: Callable[[Receipt], Sequence[OwnRepository]]) -> Receipt:
    box = ReceiptBox(id=source.id(), name=source.text(), key_id=key_id)
    created_at = _time(source.number())
    organization = ReceiptOrganization(label=source.text())
    boxes = [source.id() for _ in range(source.number())]
    try:
        for each in (box.id, *boxes):
            check_label(each, "the id of a box")
        check_name(box.name, "the box's name")
        check_label(organization.label, "the organization")
    except InvalidValueError as error:
        raise BadReceiptError(f"receipt: {error}") from None
    imported = tuple(_last_import(source, boxes) for _ in range(source.number()))
    check_imported(imported)
    tagged = [_repository(source, boxes) for _ in range(source.number())]
    source.finish()
    receipt = Receipt(
        format=RECEIPT_FORMAT,
        format_version=1,
        created_at=created_at,
        box=box,
        organization=organization,
        imported=imported,
        repositories=tuple(repository for _, repository in tagged),
    )
    known = own(receipt)
    return replace(receipt, repositories=tuple(recognise(repository, tag, known) for tag, repository in tagged))


def _last_import(source: Unpacker, boxes: Sequence[str]) -> LastImport:
    box, destination, bundle_id = _pick(boxes, source.number()), source.text(), source.id()
    sequence, missing = source.number(), []
    for _ in range(source.number()):
        first = source.number()
        missing.append((first, first + source.number()))
    return LastImport(
        source_box=box, destination=destination, bundle_id=bundle_id, sequence=sequence, missing=tuple(missing)
    )


def _repository(source: Unpacker, boxes: Sequence[str]) -> tuple[str, ReceiptRepository]:
    tag, repomd = source.raw(PATH_TAG_DIGITS // 2).hex(), source.raw(SHORT_REPOMD_DIGITS // 2).hex()
    box, number = source.number(), source.number()
    return tag, ReceiptRepository(
        product="",
        label="",
        path="",
        content_id="",
        repomd_sha256=repomd,
        source_box=_pick(boxes, box - 1) if box else None,
        source_version=number or None,
    )


def _pick(boxes: Sequence[str], index: int) -> str:
    if index >= len(boxes):
        raise BadReceiptError("receipt: it names a source box that it does not list")
    return boxes[index]


def _time(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise BadReceiptError("receipt: its time is not one") from None
