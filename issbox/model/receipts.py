"""Receipts: what a box says that it holds, and what another box keeps of it.

`docs/receipt-format.md` describes the same fields byte by byte.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

RECEIPT_FORMAT = "issbox-receipt"
RECEIPT_FORMAT_VERSION = 1
"""The newest format this issbox writes and reads; every older one is read too."""


class ReceiptForm(StrEnum):
    """How a receipt travelled."""

    FILE = "file"
    """The whole receipt, signed."""
    COMPACT = "compact"
    """The text of a QR code, signed, with shortened digests."""
    SHORT = "short"
    """Typed text, not signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptBox:
    """The box that holds what the receipt says."""

    id: str
    """Empty when a short text did not say it."""
    name: str
    key_id: str
    """Fingerprint of the key that signs its receipts, or as much of it as a shorter form says."""
    software: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptOrganization:
    """The organization the receipt is about, as it is called on the side that holds the content."""

    label: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastImport:
    """How far the bundles of one source box and destination have been imported."""

    source_box: str
    destination: str
    bundle_id: str
    """The imported bundle with the highest sequence number."""
    sequence: int
    missing: tuple[tuple[int, int], ...] = ()
    """Sequence numbers below it that were never imported, as ranges (first, last), ascending."""

    def has(self, sequence: int) -> bool:
        """Tell whether the bundle with this sequence number was imported."""
        return sequence <= self.sequence and not any(first <= sequence <= last for first, last in self.missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptRepository:
    """A repository of Library, and the version of it that is held."""

    product: str
    label: str
    path: str
    """Content path with its variables filled in: the same on both sides."""
    content_id: str
    repomd_sha256: str
    """Of the version held; only its first 16 digits when a compact receipt names a version unknown to the reader."""
    variables: Mapping[str, str] = field(default_factory=dict)
    version: int | None = None
    """Its number in the box of the receipt; None when a shorter form did not say it."""
    source_box: str | None = None
    """The box it was imported from last, or None."""
    source_version: int | None = None
    """Its number in that box."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageDigests:
    """Beginnings of the SHA-256 of every package and kickstart file held, sorted, each once."""

    count: int
    prefix_bytes: int
    prefixes: str
    """All of them one after the other, in base64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a box holds of one organization."""

    format: str
    format_version: int
    created_at: datetime
    """When it was made; for a short text, when it was read."""
    box: ReceiptBox
    organization: ReceiptOrganization
    imported: tuple[LastImport, ...]
    repositories: tuple[ReceiptRepository, ...]
    packages: PackageDigests | None = None


@dataclass(frozen=True, slots=True)
class ShortReceipt:
    """What the short text of a receipt says, before the sender has recognised its export in it."""

    key: str
    """First 6 digits of the key id of the box that holds the content."""
    sequence: int
    tag: str
    """6 digits of a digest over source box, destination and bundle id of the last imported bundle."""
    state: str
    """14 digits of a digest over all repositories held from that source."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Exports of this box that a receipt says have arrived: a range of sequence numbers."""

    organization: str
    """Of this box."""
    destination: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class ReceivedReceipt:
    """A receipt of another box, as it was read here."""

    id: int
    received_at: datetime
    received_by: str
    form: ReceiptForm
    verified: bool
    """Whether it was signed by a trusted key; a short text never is."""
    organization: str | None
    """Of this box: the one whose exports or content it is about, or None when there is none."""
    fingerprint: str
    """SHA-256 of the text that was read, so that reading it again changes nothing."""
    receipt: Receipt
