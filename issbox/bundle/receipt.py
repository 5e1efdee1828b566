"""A receipt's file: one JSON document that holds the exact signed text and its signature, so that it travels whole."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from issbox.bundle.decoding import check_format, decode
from issbox.bundle.receipt_checks import check_receipt
from issbox.bundle.signature import SIGNATURE_SIZE, SigningKey, format_fingerprint, verify
from issbox.errors import (
    BadReceiptError,
    BundleSignatureError,
    NewerReceiptError,
    ReceiptError,
    ReceiptSignatureError,
    UntrustedReceiptError,
)
from issbox.model import RECEIPT_FORMAT, RECEIPT_FORMAT_VERSION, Receipt

MAX_RECEIPT: Final = 32 << 20
"""Bytes of a receipt's file: about one and a half million packages."""
SUFFIX: Final = ".receipt.json"


@dataclass(frozen=True, slots=True)
class _Envelope:
    """The file: everything but the statement is there to check the statement."""

    format: str
    format_version: int
    key_id: str
    statement: str
    signature: str


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_RECEIPT = msgspec.json.Decoder(Receipt)


def encode_receipt(receipt: Receipt, key: SigningKey) -> bytes:
    """Give the signed file of a receipt.

    Raises ReceiptError when it would be larger than a reader accepts.
    """
    statement = msgspec.json.encode(receipt)
    signature = base64.b64encode(key.sign(statement)).decode()
    envelope = _Envelope(RECEIPT_FORMAT, RECEIPT_FORMAT_VERSION, key.key_id, statement.decode(), signature)
    data = msgspec.json.format(msgspec.json.encode(envelope), indent=2) + b"\n"
    if len(data) > MAX_RECEIPT:
        raise ReceiptError(
            f"the receipt would have {len(data)} bytes, more than the {MAX_RECEIPT} that a reader accepts",
            hint="Make it without --with-packages.",
        )
    return data


def decode_receipt(
    data: bytes, find_key: Callable[[str], str | None], *, accept_untrusted: bool = False
) -> tuple[Receipt, bool]:
    """Read a receipt's file and tell whether a trusted key signed it.

    `find_key` gives the PEM of a trusted key by its id, or None. Raises UntrustedReceiptError when there is none,
    unless that is accepted; ReceiptSignatureError, NewerReceiptError, and BadReceiptError naming the field. Nothing
    of the statement is used before its signature was checked.
    """
    if len(data) > MAX_RECEIPT:
        raise BadReceiptError(f"the receipt has more than {MAX_RECEIPT} bytes")
    _check_format(data)
    envelope = decode(_ENVELOPE, data, "receipt", BadReceiptError)
    statement = _encoded(envelope.statement)
    verified = check_signature(
        statement, _signature(envelope.signature), envelope.key_id, find_key, accept_untrusted=accept_untrusted
    )
    _check_format(statement)
    receipt = decode(_RECEIPT, statement, "receipt", BadReceiptError)
    check_receipt(receipt)
    if receipt.box.key_id != envelope.key_id:
        raise BadReceiptError("receipt: $.box.key_id: it is not the key that signed")
    return receipt, verified


def check_signature(
    data: bytes, signature: bytes, key_id: str, find_key: Callable[[str], str | None], *, accept_untrusted: bool
) -> bool:
    """Check a receipt's signature and tell whether a trusted key made it; False only when that is accepted.

    Raises UntrustedReceiptError and ReceiptSignatureError.
    """
    public_pem = find_key(key_id)
    if public_pem is None:
        if accept_untrusted:
            return False
        raise UntrustedReceiptError(
            f"the receipt is signed by a key that is not trusted here: {format_fingerprint(key_id[:64])!a}"
        )
    try:
        verify(public_pem, data, signature)
    except BundleSignatureError as error:
        raise ReceiptSignatureError(str(error)) from None
    return True


def _check_format(data: bytes) -> None:
    check_format(
        data,
        "receipt",
        RECEIPT_FORMAT,
        RECEIPT_FORMAT_VERSION,
        called="the receipt",
        refusal=BadReceiptError,
        newer=NewerReceiptError,
    )


def _encoded(statement: str) -> bytes:
    try:
        return statement.encode()
    except UnicodeEncodeError:
        raise BadReceiptError("receipt: $.statement: it is not valid UTF-8") from None


def _signature(text: str) -> bytes:
    try:
        signature = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        signature = b""
    if len(signature) != SIGNATURE_SIZE:
        raise BadReceiptError(f"receipt: $.signature: expected {SIGNATURE_SIZE} bytes in base64")
    return signature
