"""Putting a certificate and a revocation list together and having them signed (RFC 5280 4.1 and 5.1).

What many certificates have in common is encoded once and handed in as bytes: signing is then nearly all that a
certificate costs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from issbox.certs import der
from issbox.certs.keys import PrivateKey, PublicKey
from issbox.model import Validity

_VERSION_3: Final = der.explicit(0, der.integer(2))
_LIST_VERSION_2: Final = der.integer(1)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a certificate says of its subject."""

    subject: bytes
    """Name in DER."""
    extensions: bytes
    """Extensions in DER, one after the other, without those that name keys."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs."""

    key: PrivateKey
    name: bytes
    """Name in DER, exactly as in the certificate of the issuer."""
    key_id: bytes | None
    """Subject key identifier of the issuer's certificate; None for a certificate that signs itself."""

    @property
    def key_identifier(self) -> bytes:
        """The extension that says which key signed: the identifier alone, since issuer and serial break chains."""
        if self.key_id is None:
            return b""
        value = x509.AuthorityKeyIdentifier(self.key_id, None, None).public_bytes()
        return der.extension(ExtensionOID.AUTHORITY_KEY_IDENTIFIER.dotted_string, value, critical=False)


def certificate(statement: Statement, public: PublicKey, valid: Validity, serial: int, issuer: Issuer) -> bytes:
    """Give the signed certificate in DER."""
    subject_key = x509.SubjectKeyIdentifier(public.key_id).public_bytes()
    subject_key_oid = ExtensionOID.SUBJECT_KEY_IDENTIFIER.dotted_string
    return _signed(
        der.sequence(
            _VERSION_3,
            der.integer(serial),
            issuer.key.algorithm,
            issuer.name,
            der.sequence(der.time(valid.not_before), der.time(valid.not_after)),
            statement.subject,
            public.spki,
            der.explicit(
                3,
                der.sequence(
                    statement.extensions,
                    issuer.key_identifier,
                    der.extension(subject_key_oid, subject_key, critical=False),
                ),
            ),
        ),
        issuer.key,
    )


def revocation_list(
    revoked: Iterable[tuple[int, datetime]], number: int, this_update: datetime, next_update: datetime, issuer: Issuer
) -> bytes:
    """Give the signed revocation list of these serial numbers and times in DER."""
    entries = b"".join(der.sequence(der.integer(serial), der.time(at)) for serial, at in revoked)
    list_number = der.extension(ExtensionOID.CRL_NUMBER.dotted_string, der.integer(number), critical=False)
    return _signed(
        der.sequence(
            _LIST_VERSION_2,
            issuer.key.algorithm,
            issuer.name,
            der.time(this_update),
            der.time(next_update),
            der.sequence(entries) if entries else b"",
            der.explicit(0, der.sequence(issuer.key_identifier, list_number)),
        ),
        issuer.key,
    )


def _signed(content: bytes, key: PrivateKey) -> bytes:
    return der.sequence(content, key.algorithm, der.bit_string(key.sign(content)))
