"""The short text of a receipt, to be read out and typed: `IB1-` and six groups of five characters. It is not signed."""

from typing import Final

from issbox.errors import ReceiptError
from issbox.model import LastImport, Receipt, ShortReceipt
from issbox.rules.bundles.receipts import export_tag, state_digest
from issbox.rules.bundles.typed_text import seal, unseal

SHORT_PREFIX: Final = "IB1-"
_HEAD: Final = SHORT_PREFIX.removesuffix("-")
_KEY, _SEQUENCE, _TAG, _STATE = 24, 22, 24, 56
_BITS: Final = _KEY + _SEQUENCE + _TAG + _STATE


def short_receipt(receipt: Receipt, last: LastImport) -> ShortReceipt:
    """Say in short how far the bundles of one source were imported, and what is held from it."""
    held = [(each.path, each.repomd_sha256) for each in receipt.repositories if each.source_box == last.source_box]
    return ShortReceipt(
        receipt.box.key_id[:6],
        last.sequence,
        export_tag(last.source_box, last.destination, last.bundle_id),
        state_digest(held),
    )


def encode_short(short: ShortReceipt) -> str:
    """Give the short text, 39 characters; raises ReceiptError for a sequence number that it cannot hold."""
    if short.sequence >= 1 << _SEQUENCE:
        raise ReceiptError(
            f"the sequence number {short.sequence} is too large for a short text", hint="Use the file or the QR code."
        )
    value = int(short.key, 16)
    for field, bits in ((short.sequence, _SEQUENCE), (int(short.tag, 16), _TAG), (int(short.state, 16), _STATE)):
        value = value << bits | field
    return SHORT_PREFIX + seal(value, _BITS)


def decode_short(text: str) -> ShortReceipt:
    """Read a short text in any case, with or without dashes and spaces; raises MistypedError."""
    value = unseal("".join(text.split())[len(_HEAD) :], _BITS)
    fields = []
    for bits in (_STATE, _TAG, _SEQUENCE):
        fields.append(value & (1 << bits) - 1)
        value >>= bits
    state, tag, sequence = fields
    return ShortReceipt(f"{value:06x}", sequence, f"{tag:06x}", f"{state:014x}")
