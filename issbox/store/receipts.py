"""Rows of receipts that other boxes gave, and of the exports that they acknowledge."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from issbox.errors import NotFoundError
from issbox.model import Acknowledgement, PackageDigests, Receipt, ReceiptForm, ReceivedReceipt
from issbox.store.database import Noun, first, transaction
from issbox.store.tables import AcknowledgementRow, ReceiptRow

_RECEIPT = msgspec.json.Decoder(Receipt)
_PACKAGES = msgspec.json.Decoder(PackageDigests)


class Receipts(Noun):
    """Receipts of other boxes."""

    def add(
        self,
        receipt: Receipt,
        *,
        received_at: datetime,
        received_by: str,
        form: ReceiptForm,
        verified: bool,
        organization: str | None,
        fingerprint: str,
        acknowledgements: Iterable[Acknowledgement],
    ) -> ReceivedReceipt:
        """Keep a receipt and what it acknowledges, instead of one of the same fingerprint that is there already."""
        columns = {
            "received_at": received_at,
            "received_by": received_by,
            "form": form.value,
            "verified": verified,
            "organization": organization,
            "content": msgspec.json.encode(replace(receipt, packages=None)).decode(),
            "packages": None if receipt.packages is None else msgspec.json.encode(receipt.packages).decode(),
        }
        with transaction():
            present = first(ReceiptRow.select(ReceiptRow.id).where(ReceiptRow.fingerprint == fingerprint))
            if present is None:
                identity = int(ReceiptRow.insert(fingerprint=fingerprint, **columns).execute())
            else:
                identity = int(present[0])
                ReceiptRow.update(**columns).where(ReceiptRow.id == identity).execute()
                AcknowledgementRow.delete().where(AcknowledgementRow.receipt == identity).execute()
            for each in acknowledgements:
                AcknowledgementRow.insert(
                    receipt=identity,
                    organization=each.organization,
                    destination=each.destination,
                    first=each.first,
                    last=each.last,
                ).execute()
            return self.get(identity)

    def find(self, fingerprint: str) -> ReceivedReceipt | None:
        """Give the receipt whose text has this SHA-256, or None."""
        row = ReceiptRow.select().where(ReceiptRow.fingerprint == fingerprint).dicts().first()
        return None if row is None else _read(row)

    def get(self, receipt_id: int) -> ReceivedReceipt:
        """Give a receipt by its number; raises NotFoundError."""
        row = ReceiptRow.select().where(ReceiptRow.id == receipt_id).dicts().first()
        if row is None:
            raise NotFoundError(f"there is no receipt {receipt_id}", listed="receipt list")
        return _read(row)

    def list(self) -> list[ReceivedReceipt]:
        """Give receipts, newest first, without their package digests."""
        query: Any = ReceiptRow.select(
            ReceiptRow.id,
            ReceiptRow.received_at,
            ReceiptRow.received_by,
            ReceiptRow.form,
            ReceiptRow.verified,
            ReceiptRow.organization,
            ReceiptRow.fingerprint,
            ReceiptRow.content,
        )
        return [_read(row) for row in query.order_by(ReceiptRow.id.desc()).dicts()]

    def replaced_by(self, newest: ReceivedReceipt) -> Sequence[int]:
        """Give the older receipts of the same box that list its packages and acknowledge nothing which this does not.

        A list of packages is large, and says nothing any more once a newer one is here.
        """
        query: Any = ReceiptRow.select(ReceiptRow.id, ReceiptRow.verified, ReceiptRow.content).where(
            ReceiptRow.packages.is_null(False),
            ReceiptRow.organization == newest.organization,
            ReceiptRow.id != newest.id,
        )
        own, found = self._acknowledgements(newest.id), []
        for row in query.dicts():
            older = _RECEIPT.decode(row["content"])
            boxes = [(each.box.id, each.box.key_id) for each in (older, newest.receipt)]
            later = older.created_at > newest.receipt.created_at
            if boxes[0] != boxes[1] or later or row["verified"] > newest.verified:
                continue
            if all(any(_covers(mine, each) for mine in own) for each in self._acknowledgements(row["id"])):
                found.append(int(row["id"]))
        return found

    def _acknowledgements(self, receipt_id: int) -> Sequence[Acknowledgement]:
        rows: Any = AcknowledgementRow.select().where(AcknowledgementRow.receipt == receipt_id).dicts()
        return [Acknowledgement(row["organization"], row["destination"], row["first"], row["last"]) for row in rows]

    def delete(self, receipt_id: int) -> None:
        """Forget a receipt and what it acknowledges; raises NotFoundError."""
        with transaction():
            AcknowledgementRow.delete().where(AcknowledgementRow.receipt == receipt_id).execute()
            if not ReceiptRow.delete().where(ReceiptRow.id == receipt_id).execute():
                raise NotFoundError(f"there is no receipt {receipt_id}", listed="receipt list")

    def acknowledged(self, organization: str, destination: str, sequence: int) -> bool:
        """Tell whether a verified receipt says that the export with this sequence number was imported."""
        query = (
            AcknowledgementRow.select(AcknowledgementRow.id)
            .join(ReceiptRow)
            .where(
                ReceiptRow.verified,
                AcknowledgementRow.organization == organization,
                AcknowledgementRow.destination == destination,
                AcknowledgementRow.first <= sequence,
                AcknowledgementRow.last >= sequence,
            )
        )
        return first(query.limit(1)) is not None


def _covers(one: Acknowledgement, other: Acknowledgement) -> bool:
    same = (one.organization, one.destination) == (other.organization, other.destination)
    return same and one.first <= other.first and other.last <= one.last


def _read(row: dict[str, Any]) -> ReceivedReceipt:
    receipt = _RECEIPT.decode(row["content"])
    if row.get("packages") is not None:
        receipt = replace(receipt, packages=_PACKAGES.decode(row["packages"]))
    return ReceivedReceipt(
        id=row["id"],
        received_at=row["received_at"],
        received_by=row["received_by"],
        form=ReceiptForm(row["form"]),
        verified=bool(row["verified"]),
        organization=row["organization"],
        fingerprint=row["fingerprint"],
        receipt=receipt,
    )
