"""Keys and signatures, compared with what stock OpenSSL makes of them."""

import hashlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers.bundles import new_key
from makers.needs import needs_openssl

from issbox.bundle.signature import SigningKey, format_fingerprint, generate_key, read_public_key, verify
from issbox.errors import (
    BundleSignatureError,
    InvalidValueError,
    IssboxError,
    OperatingSystemError,
    PermissionDeniedError,
)

KEY = new_key()


def write_key(path: Path, mode: int = 0o600) -> bytes:
    pem = generate_key()
    path.write_bytes(pem)
    path.chmod(mode)
    return pem


@given(st.binary(max_size=300))
def test_what_a_key_signs_verifies(data: bytes) -> None:
    signature = KEY.sign(data)
    assert len(signature) == 64
    verify(KEY.public_pem, data, signature)
    with pytest.raises(BundleSignatureError):
        verify(KEY.public_pem, data + b"x", signature)
    with pytest.raises(BundleSignatureError):
        verify(new_key().public_pem, data, signature)


@given(st.binary(max_size=80).filter(lambda data: data != KEY.sign(b"data")))
def test_nothing_else_is_a_signature(data: bytes) -> None:
    with pytest.raises(BundleSignatureError):
        verify(KEY.public_pem, b"data", data)


def test_a_key_file_comes_back(tmp_path: Path) -> None:
    pem = write_key(tmp_path / "signing.pem")
    key = SigningKey.load(tmp_path / "signing.pem")
    assert key.key_id == SigningKey(pem).key_id
    assert read_public_key(key.public_pem) == (key.public_pem, key.key_id)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o777])
def test_a_key_that_others_may_touch_is_not_used(tmp_path: Path, mode: int) -> None:
    write_key(tmp_path / "signing.pem", mode)
    with pytest.raises(PermissionDeniedError, match=f"mode {mode:04o}") as refused:
        SigningKey.load(tmp_path / "signing.pem")
    assert "chmod 600" in refused.value.hint


def test_what_is_no_key_is_refused_without_showing_it(tmp_path: Path) -> None:
    path = tmp_path / "signing.pem"
    good = write_key(path)
    for content in (good[:-40], good.replace(b"PRIVATE", b"SECRET"), b"\xff" * 50, KEY.public_pem.encode(), b""):
        path.write_bytes(content)
        with pytest.raises(InvalidValueError, match="not an Ed25519 private key") as refused:
            SigningKey.load(path)
        assert str(refused.value) == f"the signing key {path} is not an Ed25519 private key in PEM without a password"


def test_a_key_that_is_missing_or_a_link_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(OperatingSystemError, match=r"signing\.pem"):
        SigningKey.load(tmp_path / "signing.pem")
    write_key(tmp_path / "real.pem")
    (tmp_path / "signing.pem").symlink_to("real.pem")
    with pytest.raises(InvalidValueError, match="symbolic link"):
        SigningKey.load(tmp_path / "signing.pem")


def test_a_key_does_not_show_itself() -> None:
    assert repr(KEY) == f"SigningKey({KEY.key_id})"


@pytest.mark.parametrize(
    "text", ["", "ssh-ed25519 AAAA", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "ü"]
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="not an Ed25519 public key"):
        read_public_key(text)


def test_a_public_key_is_normalized() -> None:
    assert read_public_key("  \n" + KEY.public_pem.replace("\n", "\r\n") + "\n\n") == (KEY.public_pem, KEY.key_id)


def test_a_fingerprint_keeps_every_digit() -> None:
    assert format_fingerprint(KEY.key_id).replace(" ", "") == KEY.key_id
    assert len(format_fingerprint(KEY.key_id)) == 71


@needs_openssl
def test_openssl_names_the_key_alike_and_takes_its_signature(tmp_path: Path) -> None:
    (tmp_path / "box.pem").write_text(KEY.public_pem)
    (tmp_path / "data").write_bytes(b"data")
    (tmp_path / "data.sig").write_bytes(KEY.sign(b"data"))
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", "box.pem", "-outform", "DER"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    ).stdout
    assert hashlib.sha256(der).hexdigest() == KEY.key_id
    command = [
        "openssl",
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "box.pem",
        "-rawin",
        "-in",
        "data",
        "-sigfile",
        "data.sig",
    ]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)


@needs_openssl
def test_keys_that_openssl_made_are_read_and_others_refused(tmp_path: Path) -> None:
    for algorithm, usable in (("ED25519", True), ("X25519", False), ("ED448", False)):
        made = subprocess.run(["openssl", "genpkey", "-algorithm", algorithm], capture_output=True, check=True).stdout
        if usable:
            assert len(SigningKey(made).key_id) == 64
        else:
            with pytest.raises(IssboxError, match="not an Ed25519 private key"):
                SigningKey(made)
