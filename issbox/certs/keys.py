"""Key pairs of consumers, servers and authorities: RSA and EC, in PEM both ways.

No message of this module holds anything of a private key.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from issbox.certs import der, pem
from issbox.errors import AuthorityKeyError, InvalidValueError

_DIGEST: Final = SHA256()
_SERIAL_LIMIT: Final = 2**53
_RSA_EXPONENT: Final = 65537
_LEAST_RSA_BITS: Final = 2048
_CURVES: Final = ("secp256r1", "secp384r1", "secp521r1")
_SHA256_WITH_RSA: Final = der.sequence(der.object_identifier("1.2.840.113549.1.1.11"), b"\x05\x00")
_ECDSA_WITH_SHA256: Final = der.sequence(der.object_identifier("1.2.840.10045.4.3.2"))


class KeyKind(StrEnum):
    """Which keys are made here."""

    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    RSA_4096 = "rsa-4096"
    EC_P256 = "ec-p256"


def new_serial(below: Callable[[int], int] = secrets.randbelow) -> int:
    """Give a random serial number from 1 to 2**53 - 1, which every reader of JSON keeps exactly.

    Whether it is new is the caller's to check against all those ever used.
    """
    return 1 + below(_SERIAL_LIMIT - 1)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key as certificates hold it."""

    spki: bytes
    """SubjectPublicKeyInfo in DER."""
    key_id: bytes
    """SHA-1 of the key's bits, the key identifier of RFC 5280 4.2.1.2."""

    @classmethod
    def from_pem(cls, pem: str | bytes) -> Self:
        """Read a public key; InvalidValueError when it is none, or one that is too weak or of another kind."""
        try:
            return cls.of(load_pem_public_key(pem.encode() if isinstance(pem, str) else pem))
        except (ValueError, UnsupportedAlgorithm):
            raise InvalidValueError("this is not a public key in PEM") from None

    @classmethod
    def of(cls, key: object) -> Self:
        """Take a key of the cryptography package; InvalidValueError as for `from_pem`."""
        checked = _checked(key)
        return cls(
            checked.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            x509.SubjectKeyIdentifier.from_public_key(checked).digest,
        )

    @property
    def pem(self) -> str:
        """The key as `PUBLIC KEY` in PEM."""
        return pem.write("PUBLIC KEY", self.spki)


def verifies(key: object, data: bytes, signature: bytes, digest: HashAlgorithm = _DIGEST) -> bool:
    """Tell whether an RSA (PKCS#1 v1.5) or EC key made the signature over a digest of the data; other keys never did.

    A digest that the cryptography package is not allowed to use is that of no signature.
    """
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(digest))
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


class PrivateKey:
    """A private key that signs."""

    def __init__(self, key: object) -> None:
        """Take a key of the cryptography package; InvalidValueError when it is weak or of another kind."""
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise InvalidValueError("the private key is neither RSA nor EC")
        self._key = key
        self.public = PublicKey.of(key.public_key())

    @classmethod
    def generate(cls, kind: KeyKind = KeyKind.RSA_2048) -> Self:
        """Make a new key. RSA takes 50 ms to half a second of one core, EC next to nothing."""
        if kind is KeyKind.EC_P256:
            return cls(ec.generate_private_key(ec.SECP256R1()))
        return cls(rsa.generate_private_key(_RSA_EXPONENT, int(kind.value.removeprefix("rsa-"))))

    @classmethod
    def from_pem(cls, pem: str | bytes, passphrase: bytes | None = None, *, where: str = "the private key") -> Self:
        """Read a key in PKCS#8 or the older forms.

        Raises AuthorityKeyError, naming `where`, for a wrong or missing passphrase and for what is no usable key.
        """
        data = pem.encode() if isinstance(pem, str) else pem
        try:
            return cls(load_pem_private_key(data, passphrase))
        except (ValueError, TypeError, UnsupportedAlgorithm, InvalidValueError):
            needs = b"ENCRYPTED" in data
            wrong = "the passphrase does not open it" if needs else "it is no RSA or EC key in PEM of usable strength"
            raise AuthorityKeyError(f"{where} cannot be used: {wrong}") from None

    def pem(self, passphrase: bytes | None = None) -> str:
        """Give the key as PKCS#8 in PEM, encrypted when there is a passphrase; write it with mode 0600 only."""
        cipher: KeySerializationEncryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, cipher).decode()

    def sign(self, data: bytes) -> bytes:
        """Sign SHA-256 of the data: PKCS#1 v1.5 with an RSA key, ECDSA in DER with an EC key."""
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, padding.PKCS1v15(), SHA256())
        return self._key.sign(data, ec.ECDSA(SHA256()))

    @property
    def is_rsa(self) -> bool:
        """Whether the key is an RSA key."""
        return isinstance(self._key, rsa.RSAPrivateKey)

    @property
    def algorithm(self) -> bytes:
        """The AlgorithmIdentifier of its signatures in DER."""
        return _SHA256_WITH_RSA if self.is_rsa else _ECDSA_WITH_SHA256

    def certificate_request(self, builder: x509.CertificateSigningRequestBuilder) -> str:
        """Sign a certificate request and give it in PEM."""
        return builder.sign(self._key, SHA256()).public_bytes(Encoding.PEM).decode()

    def __repr__(self) -> str:
        return f"PrivateKey({self.public.key_id.hex()})"


def describe_key(key: object) -> str:
    """Say what a public key is, for people: `RSA 2048`, `EC secp256r1`, or its kind."""
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    return type(key).__name__.removesuffix("PublicKey").strip("_")


def _checked(key: object) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _LEAST_RSA_BITS:
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return key
    raise InvalidValueError(f"a key of kind {describe_key(key)} is not used: RSA from 2048 bits or EC on a NIST curve")
