"""What the kinds of certificates have in common: names, and the extensions that say what a key may be used for."""

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from issbox.certs import der
from issbox.errors import InvalidValueError
from issbox.names import check_name

LONGEST_COMMON_NAME: Final = 64
"""Bytes (RFC 5280, upper bound of a common name)."""
_NETSCAPE_TYPE: Final = "2.16.840.1.113730.1.1"
_SSL_CLIENT_AND_SMIME: Final = b"\x03\x02\x05\xa0"
_HOST_NAME = re.compile(r"(?:\*\.)?(?=.{1,253}\Z)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?)+")


def name(common_name: str, organization: str | None = None) -> x509.Name:
    """Give `O=<organization>, CN=<common name>`; InvalidValueError when the common name is too long or no name."""
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, _checked(common_name))]
    if organization is not None:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, check_name(organization, "organization")))
    return x509.Name(attributes)


def subject(common_name: str, organization: str) -> bytes:
    """Give the same name in DER, quicker: hosts of an organization differ in the common name only."""
    return der.sequence(_organization_part(organization), _name_part(NameOID.COMMON_NAME, _checked(common_name)))


@lru_cache(maxsize=64)
def _organization_part(organization: str) -> bytes:
    return _name_part(NameOID.ORGANIZATION_NAME, check_name(organization, "organization"))


def _name_part(oid: x509.ObjectIdentifier, text: str) -> bytes:
    return der.set_of(der.sequence(der.object_identifier(oid.dotted_string), der.utf8_string(text)))


def _checked(common_name: str) -> str:
    check_name(common_name, "common name")
    if len(common_name.encode()) > LONGEST_COMMON_NAME:
        raise InvalidValueError(f"the common name {common_name!r} is longer than {LONGEST_COMMON_NAME} bytes")
    return common_name


def shortened(text: str) -> str:
    """Give as much of a name for people as fits into a common name."""
    return text.encode()[:LONGEST_COMMON_NAME].decode(errors="ignore")


def encoded(value: x509.ExtensionType, *, critical: bool) -> bytes:
    """Give an extension of the cryptography package in DER."""
    return der.extension(value.oid.dotted_string, value.public_bytes(), critical=critical)


def _usage(*, signs: bool = False, wraps_keys: bool = False, is_authority: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=False,
        key_encipherment=wraps_keys,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


CLIENT_EXTENSIONS: Final = b"".join(
    (
        encoded(x509.BasicConstraints(ca=False, path_length=None), critical=False),
        encoded(_usage(signs=True), critical=True),
        encoded(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False),
        der.extension(_NETSCAPE_TYPE, _SSL_CLIENT_AND_SMIME, critical=False),
    )
)
"""Of every certificate that a host shows, as the stock server makes them."""


def authority_constraints(path_length: int | None) -> tuple[x509.BasicConstraints, x509.KeyUsage]:
    """Give what makes a certificate that of an authority; both are critical.

    The key also signs what entitlement certificates carry outside of X.509, hence the digital signature.
    """
    return x509.BasicConstraints(ca=True, path_length=path_length), _usage(signs=True, is_authority=True)


def authority_extensions(path_length: int | None) -> bytes:
    """Give the extensions of an authority's certificate."""
    return b"".join(encoded(each, critical=True) for each in authority_constraints(path_length))


def server_extensions(names: Iterable[str]) -> bytes:
    """Give the extensions of a server that is reached under these DNS names and IP addresses.

    Raises InvalidValueError for a name that is neither.
    """
    return b"".join(
        (
            encoded(x509.BasicConstraints(ca=False, path_length=None), critical=False),
            encoded(_usage(signs=True, wraps_keys=True), critical=True),
            encoded(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False),
            encoded(x509.SubjectAlternativeName(map(server_name, names)), critical=False),
        )
    )


def server_name(text: str) -> x509.GeneralName:
    """Give a host name or an IP address as certificates have it; InvalidValueError when it is neither."""
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        if _HOST_NAME.fullmatch(text) is None:
            raise InvalidValueError(f"{text!r} is neither a host name nor an IP address") from None
        return x509.DNSName(text)
