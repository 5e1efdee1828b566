"""The name under which OpenSSL looks for an authority in a directory: eight digits made of its subject.

zypper knows authorities only by such a directory, and a host need not have `openssl rehash`. The digits are the first
four bytes of the SHA-1 of the subject in OpenSSL's canonical form (X509_NAME_hash_ex(3)).
"""

import hashlib
import re
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from issbox.certs import der
from issbox.certs.certificates import read_certificates

_SPACE: Final = b" \t\n\v\f\r"


def hashed_files(text: str) -> dict[str, str]:
    """Give the certificates of a PEM text by the names of their files, such as `1a2b3c4d.0`.

    The number after the dot tells certificates of the same subject apart; one that is there twice is given once.
    Raises BadCertificateError.
    """
    files: dict[str, str] = {}
    for certificate in read_certificates(text, "the authority"):
        written, name = certificate.public_bytes(Encoding.PEM).decode(), subject_hash(certificate.subject)
        if written not in files.values():
            files[f"{name}.{sum(each.startswith(name) for each in files)}"] = written
    return files


def subject_hash(subject: x509.Name) -> str:
    """Give what `openssl x509 -subject_hash` says of a certificate with this subject."""
    canonical = b"".join(
        der.set_of(b"".join(sorted(_canonical(attribute) for attribute in together))) for together in subject.rdns
    )
    digest = hashlib.sha1(canonical, usedforsecurity=False).digest()
    return f"{int.from_bytes(digest[:4], 'little'):08x}"


def _canonical(attribute: x509.NameAttribute[str | bytes]) -> bytes:
    """Write an attribute with its text in UTF-8 and small ASCII letters, without spaces that mean nothing."""
    value = attribute.value
    if isinstance(value, bytes):  # a bit string, which has no other form
        encoded = der.bit_string(value)
    else:
        encoded = der.tlv(der.UTF8_STRING, re.sub(b"[%b]+" % _SPACE, b" ", value.encode().strip(_SPACE)).lower())
    return der.sequence(der.object_identifier(attribute.oid.dotted_string), encoded)
