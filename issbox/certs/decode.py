"""Reading any identity or entitlement certificate, of version 1 or 3, whoever issued it."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from issbox.certs import der, oids, pem
from issbox.certs.certificates import UNREADABLE, constraints_of, load_certificate, validity_of
from issbox.certs.keys import describe_key, verifies
from issbox.certs.payload import DATA_LABEL, RSA_SIGNATURE_LABEL, SIGNATURE_LABEL, unpack
from issbox.certs.version1 import read_version1
from issbox.errors import BadCertificateError, InvalidValueError
from issbox.model import CertificateType, EntitlementPayload, Validity
from issbox.rules.entitlements.path_tree import EMPTY, PathTree, build, paths
from issbox.rules.entitlements.path_tree_code import decode as decode_path_tree
from issbox.rules.entitlements.paths import is_uri

_CERTIFICATE: Final = "CERTIFICATE"
_PRODUCT_NAME: Final = ".1"


class CertificateKind(StrEnum):
    """What a certificate is for, as far as it says."""

    IDENTITY = "identity"
    ENTITLEMENT = "entitlement"
    PRODUCT = "product"
    AUTHORITY = "authority"


@dataclass(frozen=True)
class DecodedCertificate:
    """A certificate with everything that can be read from it; nothing of it has been verified."""

    certificate: x509.Certificate
    kind: CertificateKind
    version: str
    """`1.0`, or what a version 3 certificate says, such as `3.4`."""
    organization: str | None
    """Organization of the subject: the label of the one that a host belongs to."""
    common_name: str
    """Of the subject: a consumer's UUID, or an entitlement's id."""
    system_name: str | None
    """The host's own name, in identity certificates."""
    valid: Validity
    type: CertificateType | None
    """Of an entitlement certificate; None in version 1, which names every content."""
    namespace: str
    tree: PathTree
    """What an entitlement certificate grants; empty in others."""
    payload: EntitlementPayload | None
    """Products, contents and order; None when the part that holds them was not given, as a web server sees it."""
    packed: bytes
    """The payload as it is signed; empty in version 1."""
    signature: bytes
    """Over `packed`."""

    @property
    def serial(self) -> int:
        """The serial number, which may be larger than 2**53 in certificates of others."""
        return self.certificate.serial_number

    @property
    def issuer(self) -> str:
        """Who signed, such as `CN=issbox near`."""
        return self.certificate.issuer.rfc4514_string()

    @property
    def subject(self) -> str:
        """Whom it is about, such as `CN=4e6c...,O=Acme`."""
        return self.certificate.subject.rfc4514_string()

    @property
    def key(self) -> str:
        """Kind and size of the key."""
        try:
            return describe_key(self.certificate.public_key())
        except UNREADABLE as error:
            return f"unknown ({error})"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate in hexadecimal."""
        return self.certificate.fingerprint(SHA256()).hex()

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """The content paths that are granted, sorted; BadCertificateError when there are more than are written out."""
        return paths(self.tree)

    def payload_is_genuine(self, issuer: x509.Certificate) -> bool:
        """Tell whether this authority signed the payload; version 1 has it in the certificate itself."""
        return not self.packed or verifies(issuer.public_key(), self.packed, self.signature)


def decode_certificate(text: str | bytes) -> DecodedCertificate:
    """Read the first certificate of a PEM text with the entitlement data and signature that may follow it.

    Raises BadCertificateError saying which part cannot be read; sizes are bounded.
    """
    parts = pem.read(text)
    first = next((part.data for part in parts if part.label == _CERTIFICATE), None)
    if first is None:
        raise BadCertificateError("there is no certificate in it", hint="Give the file that begins with CERTIFICATE.")
    packed = next((part.data for part in parts if part.label == DATA_LABEL), b"")
    labels = (RSA_SIGNATURE_LABEL, SIGNATURE_LABEL)
    signature = next((part.data for part in parts if part.label in labels), b"")
    return _decode(first, packed, signature)


def _decode(data: bytes, packed: bytes, signature: bytes) -> DecodedCertificate:
    certificate = load_certificate(data, "the certificate")
    try:
        ours = _own_extensions(certificate)
        organization = _attribute(certificate.subject, NameOID.ORGANIZATION_NAME)
        common_name = _attribute(certificate.subject, NameOID.COMMON_NAME) or ""
        system_name = _system_name(certificate)
        _ = certificate.issuer.rfc4514_string(), certificate.serial_number
    except UNREADABLE as error:
        raise BadCertificateError(f"the certificate cannot be read: {str(error)[:200]}") from None
    version, kind = _version_and_kind(certificate, ours)
    tree, payload = EMPTY, None
    if kind is CertificateKind.ENTITLEMENT and version != "1.0":
        tree = _path_tree(ours)
        payload = unpack(packed) if packed else None
    elif kind is not CertificateKind.AUTHORITY and ours:
        payload = read_version1({oid: _text(oid, value) for oid, value in ours.items()})
        tree = _tree_of(payload) if kind is CertificateKind.ENTITLEMENT else EMPTY
    return DecodedCertificate(
        certificate,
        kind,
        version,
        organization,
        common_name,
        system_name if kind is CertificateKind.IDENTITY else None,
        validity_of(certificate),
        _type(ours),
        _text(oids.NAMESPACE, ours[oids.NAMESPACE]) if oids.NAMESPACE in ours else "",
        tree,
        payload,
        packed,
        signature,
    )


def _own_extensions(certificate: x509.Certificate) -> dict[str, bytes]:
    return {
        each.oid.dotted_string: each.value.value
        for each in certificate.extensions
        if isinstance(each.value, x509.UnrecognizedExtension) and each.oid.dotted_string.startswith(f"{oids.ARC}.")
    }


def _version_and_kind(certificate: x509.Certificate, ours: dict[str, bytes]) -> tuple[str, CertificateKind]:
    version = _text(oids.VERSION, ours[oids.VERSION]) if oids.VERSION in ours else "1.0"
    constraints = constraints_of(certificate)
    if constraints is not None and constraints.ca:
        return version, CertificateKind.AUTHORITY
    if oids.VERSION in ours and oids.PATH_TREE in ours:
        if not version.startswith("3."):
            raise BadCertificateError(f"the certificate has version {version[:20]!r}; 1.0 and 3.x are read")
        return version, CertificateKind.ENTITLEMENT
    if version == "1.0" and f"{oids.ORDER}.1" in ours:
        return version, CertificateKind.ENTITLEMENT
    if any(oid.startswith(f"{oids.PRODUCT}.") and oid.endswith(_PRODUCT_NAME) for oid in ours):
        return version, CertificateKind.PRODUCT
    return version, CertificateKind.IDENTITY


def _path_tree(ours: dict[str, bytes]) -> PathTree:
    return decode_path_tree(der.read_value(ours[oids.PATH_TREE], der.OCTET_STRING, "the path tree of the certificate"))


def _tree_of(payload: EntitlementPayload) -> PathTree:
    try:
        return build(each.path for each in payload.content if each.path and not is_uri(each.path))
    except InvalidValueError as error:
        raise BadCertificateError(f"the certificate grants something that is no path: {error}") from None


def _type(ours: dict[str, bytes]) -> CertificateType | None:
    if oids.TYPE not in ours:
        return None
    word = _text(oids.TYPE, ours[oids.TYPE])
    try:
        return CertificateType(word)
    except ValueError:
        raise BadCertificateError(f"the certificate has the unknown type {word[:40]!r}") from None


def _text(oid: str, value: bytes) -> str:
    return der.read_text(value, f"the extension {oid}")


def _attribute(name: x509.Name, oid: x509.ObjectIdentifier) -> str | None:
    values = [each.value for each in name.get_attributes_for_oid(oid)]
    return next((value for value in values if isinstance(value, str)), None)


def _system_name(certificate: x509.Certificate) -> str | None:
    """Give the common name of the last alternative name, where hosts have their own."""
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            found = extension.value.get_values_for_type(x509.DirectoryName)
            return _attribute(found[-1], NameOID.COMMON_NAME) if found else None
    return None
