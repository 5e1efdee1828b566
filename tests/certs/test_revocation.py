"""Revocation lists: read again, tied to their authority, and obeyed by openssl."""

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers.certificates import KINDS, NOW, authority_of, certificate_of, entitle
from makers.needs import needs_openssl

from issbox.certs import pem
from issbox.certs.keys import KeyKind
from issbox.certs.revocation import issue_revocation_list, read_revocation_list
from issbox.errors import BadCertificateError, InvalidValueError, UntrustedCertificateError

DAY = timedelta(days=1)


def list_of(*serials: int, kind: KeyKind = KeyKind.EC_P256, number: int = 3) -> str:
    return issue_revocation_list(
        authority_of(kind), dict.fromkeys(serials, NOW), number=number, this_update=NOW, next_update=NOW + DAY
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_is_read_again(kind: KeyKind) -> None:
    found = read_revocation_list(list_of(5, 2**62, kind=kind), certificate_of(authority_of(kind)))
    assert (found.number, found.this_update, found.next_update) == (3, NOW, NOW + DAY)
    assert found.serials == {5, 2**62}
    assert read_revocation_list(list_of(kind=kind), certificate_of(authority_of(kind))).serials == frozenset()


def test_a_list_of_another_authority_is_refused() -> None:
    with pytest.raises(UntrustedCertificateError, match="not signed by CN=test root"):
        read_revocation_list(list_of(5), certificate_of(authority_of(number=1)))


def test_a_changed_list_is_refused() -> None:
    data = bytearray(pem.read(list_of(0x1122334455667788))[0].data)
    place = data.index(bytes.fromhex("1122334455667788"))
    data[place] ^= 1
    with pytest.raises(UntrustedCertificateError):
        read_revocation_list(pem.write("X509 CRL", bytes(data)), certificate_of(authority_of()))


@settings(deadline=None)
@given(st.integers(0, 200), st.integers(1, 255))
def test_a_damaged_list_is_never_taken_for_a_list(place: int, change: int) -> None:
    data = bytearray(pem.read(list_of(5, 9))[0].data)
    data[place] ^= change
    with pytest.raises((BadCertificateError, UntrustedCertificateError)):
        read_revocation_list(pem.write("X509 CRL", bytes(data)), certificate_of(authority_of()))


def test_an_issuer_whose_name_is_a_bit_string_is_unreadable() -> None:
    data = bytearray(pem.read(list_of(5))[0].data)
    place = data.index(b"test root") - 2
    data[place] = 3  # BIT STRING in place of UTF8String
    with pytest.raises((BadCertificateError, UntrustedCertificateError)):
        read_revocation_list(pem.write("X509 CRL", bytes(data)), certificate_of(authority_of()))


@pytest.mark.parametrize(
    "text", ["", "x", pem.write("X509 CRL", b"x"), authority_of().root_pem, list_of(1) + list_of(2)]
)
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(BadCertificateError):
        read_revocation_list(text, certificate_of(authority_of()))


def test_the_next_list_is_due_later() -> None:
    with pytest.raises(InvalidValueError):
        issue_revocation_list(authority_of(), {}, number=1, this_update=NOW, next_update=NOW)


@needs_openssl
@pytest.mark.parametrize("kind", KINDS)
def test_openssl_refuses_what_the_list_names(kind: KeyKind, tmp_path: Path) -> None:
    authority = authority_of(kind)
    (tmp_path / "root.pem").write_text(authority.root_pem)
    for number, (name, serial) in enumerate((("good", 101), ("revoked", 102)), start=1):
        (tmp_path / f"{name}.pem").write_text(entitle(["/a"], authority, serial))
        (tmp_path / "crl.pem").write_text(list_of(102, 7, kind=kind, number=number))
        done = subprocess.run(
            ["openssl", "verify", "-crl_check", "-CAfile", "root.pem", "-CRLfile", "crl.pem", f"{name}.pem"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert ("certificate revoked" in said) is (name == "revoked"), said
        assert (done.returncode == 0) is (name == "good")
    command = ["openssl", "crl", "-in", "crl.pem", "-noout", "-text"]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "X509v3 CRL Number: \n                2\n" in shown
    assert "Serial Number: 66\n" in shown
