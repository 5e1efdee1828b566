"""Rows of certificates issued here, what they have in common, and revocation lists."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import fn

from issbox.errors import NotFoundError
from issbox.model import IssuedCertificate, IssuedKind, Validity
from issbox.store.database import Noun, execute_many, first, rows, transaction
from issbox.store.tables import CertificateBodyRow, CertificateRow, RevocationListRow
from issbox.store.tables.columns import format_stamp

_PART = 500
"""Serials in one statement."""
_INSERT = (
    "INSERT INTO certificate (serial, kind, consumer, entitlement, pem, body_id, digest, valid_from, valid_until,"
    " revoked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True, slots=True)
class CertificateBody:
    """What certificates with the same content have in common."""

    digest: str
    extensions: bytes
    appendix: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides whether a certificate stays."""

    digest: str
    """Of what it says."""
    valid: Validity
    revoked: bool


class Certificates(Noun):
    """Certificates issued here; no row is ever deleted, so that no serial is used twice."""

    def known(self, serials: Iterable[int]) -> set[int]:
        """Give those of some serial numbers that were used already."""
        query = CertificateRow.select(CertificateRow.serial)
        return {
            serial for part in _parts([*serials]) for (serial,) in rows(query.where(CertificateRow.serial.in_(part)))
        }

    def add(self, certificate: IssuedCertificate) -> None:
        """Keep a certificate of one part."""
        _insert([(certificate, certificate.pem, None)])

    def add_with_bodies(self, certificates: Sequence[tuple[IssuedCertificate, str]]) -> None:
        """Keep certificates, each with the digest of the body that it has in common with others.

        Call it in a transaction; raises NotFoundError for a body that is not kept.
        """
        bodies = _bodies({digest for _, digest in certificates})
        missing = {digest for _, digest in certificates} - bodies.keys()
        if missing:
            raise NotFoundError(f"there is no certificate body {min(missing)}")
        parts = ((each, *bodies[digest]) for each, digest in certificates)
        _insert([(each, each.pem.removesuffix(appendix), identity) for each, identity, appendix in parts])

    def get(self, serial: int) -> IssuedCertificate:
        """Give one certificate; raises NotFoundError."""
        found = _read(_query().where(CertificateRow.serial == serial))
        if not found:
            raise NotFoundError(
                f"no certificate with the serial number {serial} was issued here", listed="certificate list"
            )
        return found[0]

    def standings(self, serials: Sequence[int]) -> dict[int, Standing]:
        """Give how those of some certificates stand that were issued here, by serial number."""
        columns = (CertificateRow.digest, CertificateRow.valid_from, CertificateRow.valid_until)
        query = CertificateRow.select(CertificateRow.serial, *columns, CertificateRow.revoked_at)
        return {
            serial: Standing(digest, Validity(begin, end), revoked_at is not None)
            for part in _parts(serials)
            for serial, digest, begin, end, revoked_at in rows(query.where(CertificateRow.serial.in_(part)))
        }

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
        present = CertificateRow.revoked_at.is_null()
        return sum(
            int(CertificateRow.update(revoked_at=at).where(CertificateRow.serial.in_(part), present).execute())
            for part in _parts(serials)
        )

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

    def bodies(self, digests: Collection[str]) -> set[str]:
        """Give those of some digests whose certificates have something in common that is kept."""
        return {*_bodies(digests)}

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


def _parts(serials: Sequence[int]) -> Iterator[Sequence[int]]:
    return (serials[start : start + _PART] for start in range(0, len(serials), _PART))


def _bodies(digests: Collection[str]) -> dict[str, tuple[int, str]]:
    """Give row id and appendix of the bodies that are kept, by digest."""
    wanted = CertificateBodyRow.digest.in_([*digests])
    query = CertificateBodyRow.select(CertificateBodyRow.digest, CertificateBodyRow.id, CertificateBodyRow.appendix)
    return {digest: (identity, appendix) for digest, identity, appendix in rows(query.where(wanted))}


def _insert(certificates: Iterable[tuple[IssuedCertificate, str, int | None]]) -> None:
    """Write the rows of certificates, each with its first part and the row id of its body."""
    execute_many(
        _INSERT,
        [
            (
                each.serial,
                each.kind.value,
                each.consumer,
                each.entitlement,
                pem,
                body,
                each.digest,
                format_stamp(each.valid.not_before),
                format_stamp(each.valid.not_after),
                None if each.revoked_at is None else format_stamp(each.revoked_at),
            )
            for each, pem, body in certificates
        ],
    )


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
