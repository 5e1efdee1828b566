"""Which serial numbers are no longer valid, as an X.509 revocation list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509

from issbox.certs import assembly, pem
from issbox.certs.authority import Authority
from issbox.certs.certificates import UNREADABLE, read_certificates
from issbox.certs.keys import verifies
from issbox.errors import BadCertificateError, InvalidValueError, UntrustedCertificateError

_LABEL: Final = "X509 CRL"
MOST_BYTES: Final = 64 << 20
"""Of a list in PEM: it would name a million serial numbers."""


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A revocation list that was read and whose signature is right."""

    number: int | None
    this_update: datetime
    next_update: datetime | None
    serials: frozenset[int]


def issue_revocation_list(
    authority: Authority, revoked: Mapping[int, datetime], *, number: int, this_update: datetime, next_update: datetime
) -> str:
    """Give the X.509 revocation list of serial numbers and when they were revoked, in PEM, sorted by serial.

    `number` has to be larger than that of every list before. Leave out certificates that have expired. Raises
    InvalidValueError when the next update is not after this one.
    """
    if next_update <= this_update:
        raise InvalidValueError("the next revocation list has to be due after this one")
    signed = assembly.revocation_list(sorted(revoked.items()), number, this_update, next_update, authority.issuer)
    return pem.write(_LABEL, signed)


def read_revocation_list(text: str | bytes, issuer: x509.Certificate) -> RevocationList:
    """Read a revocation list in PEM and check that this authority signed it.

    Raises BadCertificateError when it cannot be read and UntrustedCertificateError when another one signed it.
    """
    parts = _lists_in(text)
    if len(parts) != 1:
        raise BadCertificateError(f"this holds {len(parts)} revocation lists instead of one")
    return _read(parts[0], [issuer])[1]


def read_revocation_lists(text: str | bytes, chains: Sequence[str]) -> list[tuple[str, RevocationList]]:
    """Read several revocation lists in PEM, one after the other, each with the chain of the authority that signed it.

    Raises BadCertificateError when one cannot be read and UntrustedCertificateError when none of them signed it.
    """
    issuers = {read_certificates(each, "the authority")[0]: each for each in chains}
    read = [_read(part, [*issuers]) for part in _lists_in(text)]
    return [(issuers[issuer], found) for issuer, found in read]


def _lists_in(text: str | bytes) -> list[bytes]:
    found = pem.read(text, "the revocation list", most_bytes=MOST_BYTES)
    return [part.data for part in found if part.label == _LABEL]


def _read(data: bytes, issuers: Sequence[x509.Certificate]) -> tuple[x509.Certificate, RevocationList]:
    try:
        found = x509.load_der_x509_crl(data)
        numbers = [each.value.crl_number for each in found.extensions if isinstance(each.value, x509.CRLNumber)]
        listed = frozenset(each.serial_number for each in found)
        read = RevocationList(next(iter(numbers), None), found.last_update_utc, found.next_update_utc, listed)
        called_so = [each for each in issuers if each.subject == found.issuer]
    except UNREADABLE as error:
        raise BadCertificateError(f"the revocation list cannot be read: {error}") from None
    for issuer in called_so:
        if verifies(issuer.public_key(), found.tbs_certlist_bytes, found.signature):
            return issuer, read
    raise UntrustedCertificateError(
        f"the revocation list was not signed by {' or '.join(each.subject.rfc4514_string() for each in issuers)}",
        hint="Take the list from the same box as the authority's certificate.",
    )
