"""Whose a certificate is, who signed it, and from when until when it is valid: for people."""

from dataclasses import dataclass

from cryptography import x509

from issbox.certs.certificates import load_certificate, read_certificates, validity_of
from issbox.errors import BadCertificateError
from issbox.model import Validity


@dataclass(frozen=True, slots=True)
class Summary:
    """What is said of a certificate."""

    subject: str
    issuer: str
    valid: Validity


def summary_of(der: bytes, what: str) -> Summary:
    """Read a certificate in DER; BadCertificateError, naming `what`, when it cannot be read."""
    return _summary(load_certificate(der, what))


def first_summary(text: str | bytes, what: str) -> Summary:
    """Read the first certificate of a PEM text; BadCertificateError, naming `what`, when there is none."""
    certificates = read_certificates(text, what)
    if not certificates:
        raise BadCertificateError(f"{what} is none")
    return _summary(certificates[0])


def _summary(certificate: x509.Certificate) -> Summary:
    names = (certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string())
    return Summary(*names, validity_of(certificate))
