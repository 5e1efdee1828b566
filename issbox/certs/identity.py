"""Certificates that say who somebody is: consumers towards this box, and this box towards its clients."""

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from issbox.certs import profiles
from issbox.certs.assembly import Statement
from issbox.certs.authority import Authority
from issbox.certs.certificates import UNREADABLE, read_certificates, validity_of
from issbox.certs.keys import PublicKey
from issbox.errors import CertificateError, InvalidValueError
from issbox.model import Validity


def issue_identity(
    authority: Authority,
    *,
    organization: str,
    consumer: str,
    name: str,
    public: PublicKey,
    valid: Validity,
    serial: int,
) -> str:
    """Issue the identity certificate of a consumer, in PEM.

    Its common name is the consumer's UUID. Stock clients take the name of the system from the last of the alternative
    names, so nothing else may stand there; it is cut when it is longer than a common name may be. Raises
    InvalidValueError for a name that is none, and what `Authority.issue` raises.
    """
    subject = profiles.name(consumer, organization)
    system = profiles.name(profiles.shortened(name))
    names = x509.SubjectAlternativeName([x509.DirectoryName(subject), x509.DirectoryName(system)])
    extensions = profiles.CLIENT_EXTENSIONS + profiles.encoded(names, critical=False)
    statement = Statement(subject.public_bytes(), extensions)
    return authority.issue(statement, public, valid=valid, serial=serial)


def issue_server(authority: Authority, *, names: Sequence[str], public: PublicKey, valid: Validity, serial: int) -> str:
    """Issue the certificate of a server under these DNS names and IP addresses, the first one its common name.

    Raises InvalidValueError when there is no name or one is neither, and what `Authority.issue` raises.
    """
    if not names:
        raise InvalidValueError("a server's certificate needs a host name or an IP address")
    extensions = profiles.server_extensions(names)
    subject = profiles.name(profiles.shortened(names[0])).public_bytes()
    return authority.issue(Statement(subject, extensions), public, valid=valid, serial=serial)


def server_certificate_suits(
    chain: str, public: PublicKey, *, names: Sequence[str], authority: str, at: datetime
) -> bool:
    """Tell whether a server's certificate is for this key and exactly these names, and good at that time.

    `chain` holds the certificate and those above it, `authority` the certificate of the authority and those above it:
    both have to agree. What cannot be read does not suit.
    """
    try:
        own, *above = read_certificates(chain, "the server's certificate")
        present = read_certificates(authority, "the authority")
        if above != present or not validity_of(own).holds(at) or PublicKey.of(own.public_key()).spki != public.spki:
            return False
        own.verify_directly_issued_by(present[0])
    except (CertificateError, InvalidValueError, InvalidSignature, *UNREADABLE):
        return False
    wanted = x509.SubjectAlternativeName(map(profiles.server_name, names))
    return any(extension.value == wanted for extension in own.extensions)
