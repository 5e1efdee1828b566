"""The few forms of DER (ITU-T X.690) that certificates are put together from, and how to take two of them apart."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from issbox.errors import BadCertificateError

_BOOLEAN_TRUE: Final = b"\x01\x01\xff"
_INTEGER: Final = 0x02
_BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
_OBJECT_IDENTIFIER: Final = 0x06
UTF8_STRING: Final = 0x0C
_UTC_TIME: Final = 0x17
_GENERALIZED_TIME: Final = 0x18
_SEQUENCE: Final = 0x30
_SET: Final = 0x31


def tlv(tag: int, value: bytes) -> bytes:
    """Give tag, length and value."""
    length = len(value)
    if length < 128:
        return bytes((tag, length)) + value
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 128 + size)) + length.to_bytes(size, "big") + value


def sequence(*parts: bytes) -> bytes:
    """Give a SEQUENCE of encoded values."""
    return tlv(_SEQUENCE, b"".join(parts))


def set_of(value: bytes) -> bytes:
    """Give a SET OF one encoded value."""
    return tlv(_SET, value)


def explicit(number: int, value: bytes) -> bytes:
    """Give an encoded value under an explicit, constructed context tag."""
    return tlv(0xA0 + number, value)


def integer(number: int) -> bytes:
    """Give an INTEGER that is not negative."""
    return tlv(_INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def bit_string(value: bytes) -> bytes:
    """Give a BIT STRING of whole bytes."""
    return tlv(_BIT_STRING, b"\0" + value)


def utf8_string(text: str) -> bytes:
    """Give a UTF8String."""
    return tlv(UTF8_STRING, text.encode())


@lru_cache(maxsize=1024)
def object_identifier(dotted: str) -> bytes:
    """Give an OBJECT IDENTIFIER written with dots, such as `1.3.6.1`."""
    first, second, *rest = map(int, dotted.split("."))
    return tlv(_OBJECT_IDENTIFIER, b"".join(map(_base128, [first * 40 + second, *rest])))


def _base128(number: int) -> bytes:
    digits = [number & 127]
    while number := number >> 7:
        digits.append(128 | (number & 127))
    return bytes(reversed(digits))


def time(at: datetime) -> bytes:
    """Give a time as RFC 5280 4.1.2.5 wants it: UTCTime through 2049, GeneralizedTime from 2050 on."""
    at = at.astimezone(UTC)
    if 1950 <= at.year < 2050:
        return tlv(_UTC_TIME, f"{at:%y%m%d%H%M%SZ}".encode())
    return tlv(_GENERALIZED_TIME, f"{at.year:04d}{at:%m%d%H%M%SZ}".encode())


def extension(oid: str, value: bytes, *, critical: bool) -> bytes:
    """Give an X.509 Extension around an encoded value."""
    parts = [object_identifier(oid), *([_BOOLEAN_TRUE] if critical else []), tlv(OCTET_STRING, value)]
    return sequence(*parts)


def text_extensions(values: Iterable[tuple[str, str]]) -> bytes:
    """Give one extension that is not critical, a UTF8String, for each OID and text."""
    return b"".join(extension(oid, utf8_string(text), critical=False) for oid, text in values)


def read_value(data: bytes, tag: int, what: str) -> bytes:
    """Give the value of the one encoded value that the data is; BadCertificateError, naming it, when it is another.

    There is one way to write a length in DER; what is written in any other is refused as well.
    """
    if len(data) < 2 or data[0] != tag:
        raise BadCertificateError(f"{what} does not have the form it must have")
    value = data[2 + max(data[1] - 128, 0) :]
    if data != tlv(tag, value):
        raise BadCertificateError(f"{what} is cut off or goes on too long")
    return value


def read_text(data: bytes, what: str) -> str:
    """Give the text of an encoded UTF8String."""
    try:
        return read_value(data, UTF8_STRING, what).decode()
    except UnicodeError:
        raise BadCertificateError(f"{what} is not UTF-8") from None
