"""PEM (RFC 7468): bytes in base64 between two lines that name them, several parts in one text."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from issbox.errors import BadCertificateError

MOST_BYTES: Final = 8 << 20
"""Of a text with all its parts."""
_PART = re.compile(r"-----BEGIN (?P<label>[A-Z0-9 ]{1,40})-----(?P<body>[^-]*)-----END (?P=label)-----")
_WIDTH: Final = 64
_CERTIFICATE_ENDS: Final = "-----END CERTIFICATE-----\n"


@dataclass(frozen=True, slots=True)
class PemPart:
    """One part: what it is called, and its bytes."""

    label: str
    data: bytes


def write(label: str, data: bytes) -> str:
    """Write one part in lines of 64 characters."""
    text = base64.b64encode(data).decode()
    lines = [text[start : start + _WIDTH] for start in range(0, len(text), _WIDTH)]
    return "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""))


def first_certificate(text: str) -> str:
    """Give the certificate that a text written here begins with, without the data and signature that follow it."""
    head, end, _ = text.partition(_CERTIFICATE_ENDS)
    return head + end


def read(text: str | bytes, what: str = "the certificate", *, most_bytes: int = MOST_BYTES) -> tuple[PemPart, ...]:
    """Give the parts of a text in order; what stands between them is ignored.

    Raises BadCertificateError, naming `what`, when there is none, one is not base64, or the text is too large.
    """
    if len(text) > most_bytes:
        raise BadCertificateError(f"{what} has more than {most_bytes} bytes")
    try:
        decoded = text.decode("ascii", "replace") if isinstance(text, bytes) else text
        parts = tuple(PemPart(each["label"], _bytes(each["body"])) for each in _PART.finditer(decoded))
    except (binascii.Error, ValueError):
        raise BadCertificateError(f"{what} has a part that is not base64") from None
    if not parts:
        raise BadCertificateError(f"{what} is not PEM: there is no -----BEGIN line with its end")
    return parts


def _bytes(body: str) -> bytes:
    return base64.b64decode("".join(body.split()), validate=True)
