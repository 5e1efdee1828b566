"""Keys in PEM both ways, and serial numbers."""

import json
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)
from makers.certificates import KINDS, key_of
from makers.needs import needs_openssl

from issbox.certs.keys import KeyKind, PrivateKey, PublicKey, new_serial, verifies
from issbox.errors import AuthorityKeyError, InvalidValueError


@pytest.mark.parametrize("kind", [KeyKind.RSA_2048, *KINDS])
def test_a_key_comes_back_from_pem_with_and_without_a_passphrase(kind: KeyKind) -> None:
    key = key_of(kind)
    assert key.pem().startswith("-----BEGIN PRIVATE KEY-----\n")
    assert key.pem(b"secret").startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    public = load_pem_public_key(key.public.pem.encode())
    for again in (PrivateKey.from_pem(key.pem()), PrivateKey.from_pem(key.pem(b"secret"), b"secret")):
        assert again.public == key.public
        assert verifies(public, b"data", again.sign(b"data"))
        assert not verifies(public, b"other", again.sign(b"data"))
    assert PublicKey.from_pem(key.public.pem) == key.public
    assert not verifies(public, b"data", key_of(kind, 1).sign(b"data"))


@pytest.mark.parametrize("passphrase", [None, b"wrong"])
def test_a_wrong_passphrase_is_told_without_any_of_the_key(passphrase: bytes | None) -> None:
    pem = key_of(KeyKind.EC_P256).pem(b"secret")
    with pytest.raises(AuthorityKeyError) as refused:
        PrivateKey.from_pem(pem, passphrase, where="the key /etc/ca.key")
    assert str(refused.value) == "the key /etc/ca.key cannot be used: the passphrase does not open it"
    assert repr(key_of(KeyKind.EC_P256)) == f"PrivateKey({key_of(KeyKind.EC_P256).public.key_id.hex()})"


def test_weak_and_other_keys_are_not_used() -> None:
    weak = rsa.generate_private_key(65537, 1024)
    other = ed25519.Ed25519PrivateKey.generate()
    curve = ec.generate_private_key(ec.SECP256K1())
    for key in (weak, other, curve):
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with pytest.raises(AuthorityKeyError, match="usable strength"):
            PrivateKey.from_pem(private)
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        with pytest.raises(InvalidValueError):
            PublicKey.from_pem(public)


@pytest.mark.parametrize("text", ["", "x", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "ü"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError):
        PublicKey.from_pem(text)
    with pytest.raises(AuthorityKeyError):
        PrivateKey.from_pem(text)


def test_serials_are_positive_random_and_exact_for_every_reader_of_json() -> None:
    assert new_serial(lambda limit: 0) == 1
    assert new_serial(lambda limit: limit - 1) == 2**53 - 1
    found = {new_serial() for _ in range(1000)}
    assert len(found) == 1000
    assert all(int(float(json.dumps(serial))) == serial for serial in found)


def test_the_key_identifier_is_that_of_the_standard() -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert PublicKey.of(key).key_id == x509.SubjectKeyIdentifier.from_public_key(key).digest


@needs_openssl
@pytest.mark.parametrize("kind", [KeyKind.RSA_2048, KeyKind.EC_P256])
def test_openssl_reads_the_keys(kind: KeyKind) -> None:
    command = ["openssl", "pkey", "-passin", "pass:secret", "-pubout"]
    shown = subprocess.run(
        command, input=key_of(kind).pem(b"secret"), capture_output=True, text=True, check=True
    ).stdout
    assert PublicKey.from_pem(shown) == key_of(kind).public
