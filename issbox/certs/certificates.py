"""Reading X.509 certificates whose bytes may be anything: what cannot be read is a BadCertificateError."""

from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from issbox.certs import pem
from issbox.errors import BadCertificateError
from issbox.model import Validity

UNREADABLE: Final = (
    ValueError,
    TypeError,  # for a name whose attribute is a bit string and none that may be one
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What the cryptography package raises for bytes that are no certificate, or one that it does not know."""


def load_certificate(data: bytes, what: str) -> x509.Certificate:
    """Read a certificate in DER with all its extensions; BadCertificateError, naming `what`, when that fails."""
    try:
        certificate = x509.load_der_x509_certificate(data)
        _ = certificate.extensions, certificate.subject, certificate.issuer, certificate.not_valid_after_utc
        if certificate.serial_number < 1:
            raise ValueError("its serial number is not positive")
    except UNREADABLE as error:
        raise BadCertificateError(f"{what} cannot be read: {str(error)[:200]}") from None
    return certificate


def read_certificates(text: str | bytes, what: str) -> list[x509.Certificate]:
    """Give the certificates of a PEM text in order; BadCertificateError, naming `what`, when one cannot be read."""
    return [load_certificate(part.data, what) for part in pem.read(text, what) if part.label == "CERTIFICATE"]


def validity_of(certificate: x509.Certificate) -> Validity:
    """Give the validity of a certificate; BadCertificateError when it ends before it begins."""
    try:
        return Validity(certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    except ValueError as error:
        raise BadCertificateError(f"the certificate cannot be valid: {error}") from None


def constraints_of(certificate: x509.Certificate) -> x509.BasicConstraints | None:
    """Give what a certificate that was read says of being an authority, if anything."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return None
