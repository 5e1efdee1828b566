"""Putting a certificate and a revocation list together and having them signed (RFC 5280 4.1 and 5.1).

What many certificates have in common is encoded once and handed in as bytes: signing is then nearly all that a
certificate costs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from issbox.certs import der
from issbox.certs.keys import PrivateKey, PublicKey
from issbox.model import Validity

_VERSION_3: Final = der.explicit(0, der.integer(2))
_LIST_VERSION_2: Final = der.integer(1)
_SUBJECT_KEY_IDENTIFIER: Final = ExtensionOID.SUBJECT_KEY_IDENTIFIER.dotted_string


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
    key_identifier: bytes = b""
    """The extension that says which key signed, from `key_identifier`; empty for what signs itself."""


def key_identifier(key_id: bytes) -> bytes:
    """Give the extension that says which key signed: the identifier alone, since issuer and serial break chains."""
    value = x509.AuthorityKeyIdentifier(key_id, None, None).public_bytes()
    return der.extension(ExtensionOID.AUTHORITY_KEY_IDENTIFIER.dotted_string, value, critical=False)


@lru_cache(maxsize=64)
def _validity(valid: Validity) -> bytes:
    return der.sequence(der.time(valid.not_before), der.time(valid.not_after))


def certificate(statement: Statement, public: PublicKey, valid: Validity, serial: int, issuer: Issuer) -> bytes:
    """Give the signed certificate in DER."""
    subject_key = der.extension(_SUBJECT_KEY_IDENTIFIER, der.tlv(der.OCTET_STRING, public.key_id), critical=False)
    return _signed(
        der.sequence(
            _VERSION_3,
            der.integer(serial),
            issuer.key.algorithm,
            issuer.name,
            _validity(valid),
            statement.subject,
            public.spki,
            der.explicit(3, der.sequence(statement.extensions, issuer.key_identifier, subject_key)),
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
