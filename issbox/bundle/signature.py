"""Ed25519 keys and detached signatures, in the forms that stock OpenSSL reads: PEM keys and 64 raw bytes.

No message of this module holds anything of a private key.
"""

import hashlib
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from issbox.errors import BundleSignatureError, InvalidValueError
from issbox.private_files import read_secret

SIGNATURE_SIZE = 64
"""Bytes of an Ed25519 signature."""
_MAX_KEY_FILE = 16 * 1024
_GROUP = 8


def generate_key() -> bytes:
    """Make a new private key and give it as PKCS8 PEM without a password; write it with mode 0600 only."""
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def format_fingerprint(key_id: str) -> str:
    """Write a key id in groups of eight digits, so that two people can compare it aloud."""
    return " ".join(key_id[start : start + _GROUP] for start in range(0, len(key_id), _GROUP))


def read_public_key(pem: str) -> tuple[str, str]:
    """Give a public key in normalized PEM and its key id, the SHA-256 of the DER form in hexadecimal.

    Raises InvalidValueError when the text is no Ed25519 public key in PEM.
    """
    key = _load_public(pem)
    return _public_pem(key), _key_id(key)


def verify(public_pem: str, data: bytes, signature: bytes) -> None:
    """Check a detached signature; raises BundleSignatureError when it does not belong to these bytes and this key."""
    key = _load_public(public_pem)
    try:
        key.verify(signature, data)
    except InvalidSignature:
        raise BundleSignatureError(
            f"the signature does not belong to these bytes and the key {format_fingerprint(_key_id(key))}"
        ) from None


class SigningKey:
    """The private key of a box."""

    def __init__(self, private_pem: bytes, where: str = "the signing key") -> None:
        """Read a PKCS8 PEM; raises InvalidValueError, naming `where`, when it is no Ed25519 key without a password."""
        try:
            key = load_pem_private_key(private_pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            raise InvalidValueError(f"{where} is not an Ed25519 private key in PEM without a password")
        self._key = key

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the key from a file.

        Raises PermissionDeniedError when the file may be read by group or others, InvalidValueError when it holds no
        usable key, and OperatingSystemError when it cannot be read.
        """
        return cls(read_secret(path, "the signing key", limit=_MAX_KEY_FILE), f"the signing key {path}")

    def sign(self, data: bytes) -> bytes:
        """Give the detached signature over exactly these bytes, 64 bytes long."""
        return self._key.sign(data)

    @property
    def public_pem(self) -> str:
        """The public key as SubjectPublicKeyInfo PEM: what another box adds to its trusted keys."""
        return _public_pem(self._key.public_key())

    @property
    def key_id(self) -> str:
        """SHA-256 of the DER public key, in hexadecimal."""
        return _key_id(self._key.public_key())

    def __repr__(self) -> str:
        return f"SigningKey({self.key_id})"


def _load_public(pem: str) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidValueError(
            "this is not an Ed25519 public key in PEM", hint="Take what `issbox box show --public-key` prints."
        )
    return key


def _public_pem(key: Ed25519PublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _key_id(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
