"""Rows of certificates issued here, what they have in common, and revocation lists."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import fn

from issbox.errors import NotFoundError
from issbox.model import IssuedCertificate, IssuedKind, Validity
from issbox.store.database import Noun, first, rows, transaction
from issbox.store.tables import CertificateBodyRow, CertificateRow, RevocationListRow

_PART = 500
"""Serials in one statement."""


@dataclass(frozen=True, slots=True)
class CertificateBody:
    """What certificates with the same content have in common."""

    digest: str
    extensions: bytes
    appendix: str


class Certificates(Noun):
    """Certificates issued here; no row is ever deleted, so that no serial is used twice."""

    def known(self, serials: Iterable[int]) -> set[int]:
        """Give those of some serial numbers that were used already."""
        wanted, found = list(serials), set()
        for start in range(0, len(wanted), _PART):
            part = CertificateRow.serial.in_(wanted[start : start + _PART])
            found |= {serial for (serial,) in rows(CertificateRow.select(CertificateRow.serial).where(part))}
        return found

    def add(self, certificate: IssuedCertificate, body: str | None = None) -> None:
        """Keep a certificate; `body` is the digest of what follows its first part. Call it in a transaction."""
        pem, identity = certificate.pem, None
        if body is not None:
            row = first(
                CertificateBodyRow.select(CertificateBodyRow.id, CertificateBodyRow.appendix).where(
                    CertificateBodyRow.digest == body
                )
            )
            if row is None:
                raise NotFoundError(f"there is no certificate body {body}")
            identity, pem = row[0], pem.removesuffix(row[1])
        CertificateRow.insert(
            serial=certificate.serial,
            kind=certificate.kind.value,
            consumer=certificate.consumer,
            entitlement=certificate.entitlement,
            pem=pem,
            body=identity,
            digest=certificate.digest,
            valid_from=certificate.valid.not_before,
            valid_until=certificate.valid.not_after,
            revoked_at=certificate.revoked_at,
        ).execute()

    def get(self, serial: int) -> IssuedCertificate:
        """Give one certificate; raises NotFoundError."""
        found = _read(_query().where(CertificateRow.serial == serial))
        if not found:
            raise NotFoundError(f"no certificate with the serial number {serial} was issued here")
        return found[0]

    def of(self, consumer: str, kind: IssuedKind | None = None, *, revoked: bool = False) -> list[IssuedCertificate]:
        """Give the certificates of a host, the newest first; those that were revoked only when asked for."""
        query = _query().where(CertificateRow.consumer == consumer)
        if kind is not None:
            query = query.where(CertificateRow.kind == kind.value)
        if not revoked:
            query = query.where(CertificateRow.revoked_at.is_null())
        return _read(query.order_by(CertificateRow.valid_from.desc(), CertificateRow.serial))

    def revoke(self, serials: Sequence[int], at: datetime) -> int:
        """Revoke certificates that are not yet; gives their number."""
        changed = CertificateRow.update(revoked_at=at).where(
            CertificateRow.serial.in_(list(serials)), CertificateRow.revoked_at.is_null()
        )
        return int(changed.execute())

    def revoke_all_of(self, consumers: Sequence[str], at: datetime) -> int:
        """Revoke everything that was issued to these hosts; gives the number of certificates."""
        changed = CertificateRow.update(revoked_at=at).where(
            CertificateRow.consumer.in_(list(consumers)), CertificateRow.revoked_at.is_null()
        )
        return int(changed.execute())

    def revoked(self, now: datetime) -> dict[int, datetime]:
        """Give the revoked serial numbers that would be valid without it, and when they were revoked."""
        query = CertificateRow.select(CertificateRow.serial, CertificateRow.revoked_at).where(
            CertificateRow.revoked_at.is_null(False), CertificateRow.valid_until >= now
        )
        return dict(rows(query))

    def is_revoked(self, serial: int) -> bool:
        """Tell whether a serial number was revoked."""
        row = first(CertificateRow.select(CertificateRow.revoked_at).where(CertificateRow.serial == serial))
        return row is not None and row[0] is not None

    def body(self, digest: str) -> CertificateBody | None:
        """Give what certificates with this digest have in common, or None when none was issued yet."""
        row = first(
            CertificateBodyRow.select(CertificateBodyRow.extensions, CertificateBodyRow.appendix).where(
                CertificateBodyRow.digest == digest
            )
        )
        return None if row is None else CertificateBody(digest, bytes(row[0]), row[1])

    def keep_body(self, body: CertificateBody) -> None:
        """Keep what certificates have in common, unless it is there."""
        with transaction():
            if self.body(body.digest) is None:
                CertificateBodyRow.insert(
                    digest=body.digest, extensions=body.extensions, appendix=body.appendix
                ).execute()

    def drop_unused_bodies(self) -> int:
        """Forget the parts that only certificates had which have been revoked; gives their number.

        Those certificates are then shown without what followed the first part.
        """
        with transaction():
            dead = CertificateRow.revoked_at.is_null(False)
            CertificateRow.update(body=None).where(dead, CertificateRow.body.is_null(False)).execute()
            used = CertificateRow.select(CertificateRow.body).where(CertificateRow.body.is_null(False))
            return int(CertificateBodyRow.delete().where(CertificateBodyRow.id.not_in(used)).execute())

    def samples(self, limit: int) -> list[IssuedCertificate]:
        """Give one certificate, not revoked, of each content that certificates have now, of so many contents."""
        newest = (
            CertificateRow.select(fn.MAX(CertificateRow.serial))
            .where(CertificateRow.body.is_null(False), CertificateRow.revoked_at.is_null())
            .group_by(CertificateRow.body)
            .order_by(CertificateRow.body.desc())
            .limit(limit)
        )
        return _read(_query().where(CertificateRow.serial.in_(newest)).order_by(CertificateRow.serial))

    def next_list(self, issued_at: datetime, next_update: datetime) -> int:
        """Give the number of the next revocation list, which is larger than all before."""
        return int(RevocationListRow.insert(issued_at=issued_at, next_update=next_update).execute())


def _query() -> Any:
    return CertificateRow.select(CertificateRow, CertificateBodyRow.appendix).left_outer_join(CertificateBodyRow)


def _read(query: Any) -> list[IssuedCertificate]:
    return [
        IssuedCertificate(
            serial=row["serial"],
            kind=IssuedKind(row["kind"]),
            consumer=row["consumer"],
            pem=row["pem"] + (row["appendix"] or ""),
            valid=Validity(row["valid_from"], row["valid_until"]),
            digest=row["digest"],
            entitlement=row["entitlement"],
            revoked_at=row["revoked_at"],
        )
        for row in query.dicts()
    ]
