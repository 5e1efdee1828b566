"""The authority: what it signs, how long, and how it is renewed and replaced."""

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from makers.certificates import CONSUMER, KINDS, NOW, TEN_YEARS, YEAR, authority_of, certificate_of, entitle, key_of
from makers.needs import needs_openssl

from issbox.certs.authority import Authority
from issbox.certs.authority_files import read_authority, read_key, read_passphrase, write_chain, write_key
from issbox.certs.decode import CertificateKind, decode_certificate
from issbox.certs.identity import issue_identity, issue_server
from issbox.certs.keys import KeyKind, PrivateKey, new_serial
from issbox.certs.verify import TrustedAuthorities
from issbox.errors import (
    AuthorityExpiredError,
    AuthorityKeyError,
    BadCertificateError,
    CertificateError,
    InvalidValueError,
    OperatingSystemError,
    PermissionDeniedError,
)
from issbox.model import Validity


def identity(authority: Authority, name: str = "host.example.com", serial: int = 7, valid: Validity = YEAR) -> str:
    return issue_identity(
        authority,
        organization="Acme",
        consumer=CONSUMER,
        name=name,
        public=key_of(KeyKind.EC_P256, 1).public,
        valid=valid,
        serial=serial,
    )


def openssl(*words: str | Path, text: str = "") -> str:
    done = subprocess.run(["openssl", *map(str, words)], input=text, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_an_identity_names_consumer_organization_and_host(kind: KeyKind) -> None:
    found = decode_certificate(identity(authority_of(kind)))
    assert (found.kind, found.version) == (CertificateKind.IDENTITY, "1.0")
    assert (found.common_name, found.organization, found.system_name) == (CONSUMER, "Acme", "host.example.com")
    assert (found.serial, found.valid) == (7, YEAR)
    assert found.paths == ()
    assert TrustedAuthorities([certificate_of(authority_of(kind))]).verify_client(found.certificate, at=NOW)


@needs_openssl
@pytest.mark.parametrize("kind", KINDS)
def test_openssl_shows_an_identity_as_stock_clients_expect_it(kind: KeyKind, tmp_path: Path) -> None:
    shown = openssl("x509", "-noout", "-text", text=identity(authority_of(kind)))
    assert f"DirName:/O=Acme/CN={CONSUMER}, DirName:/CN=host.example.com\n" in shown
    assert f"Subject: O=Acme, CN={CONSUMER}\n" in shown.replace(" = ", "=")  # older versions write it with spaces
    assert "X509v3 Key Usage: critical\n                Digital Signature\n" in shown
    assert "CA:FALSE\n" in shown
    assert "TLS Web Client Authentication\n" in shown
    assert "SSL Client, S/MIME\n" in shown
    (tmp_path / "root.pem").write_text(authority_of(kind).root_pem)
    for purpose, good in (("sslclient", True), ("sslserver", False)):
        said = openssl(
            "verify", "-CAfile", tmp_path / "root.pem", "-purpose", purpose, text=identity(authority_of(kind))
        )
        assert ("OK" in said) is good, said


@needs_openssl
def test_a_server_certificate_names_its_hosts_and_addresses(tmp_path: Path) -> None:
    authority = authority_of()
    pem = issue_server(
        authority,
        names=["box.example.com", "*.repos.example.com", "192.0.2.1", "2001:db8::1"],
        public=key_of(KeyKind.EC_P256, 1).public,
        valid=YEAR,
        serial=8,
    )
    (tmp_path / "root.pem").write_text(authority.root_pem)
    for flag, name, good in (
        ("-verify_hostname", "box.example.com", True),
        ("-verify_hostname", "a.repos.example.com", True),
        ("-verify_hostname", "other.example.com", False),
        ("-verify_ip", "2001:db8::1", True),
    ):
        said = openssl("verify", "-CAfile", tmp_path / "root.pem", "-purpose", "sslserver", flag, name, text=pem)
        assert ("OK" in said) is good, said


@pytest.mark.parametrize("names", [[], ["not a host"], ["-x.example.com"], ["a..b"], ["https://x"], ["ü.example.com"]])
def test_a_server_needs_names_that_are_some(names: list[str]) -> None:
    with pytest.raises(InvalidValueError):
        issue_server(authority_of(), names=names, public=key_of(KeyKind.EC_P256, 1).public, valid=YEAR, serial=8)


def test_a_long_host_name_is_cut_and_a_hostile_one_refused() -> None:
    found = decode_certificate(identity(authority_of(), "ä" * 60))
    assert found.system_name == "ä" * 32
    for name in ("", " ", "a\nb", "a\x00b", "\x1b[2J"):
        with pytest.raises(InvalidValueError):
            identity(authority_of(), name)


@pytest.mark.parametrize("serial", [0, -1, 2**63])
def test_a_serial_that_clients_cannot_keep_is_refused(serial: int) -> None:
    with pytest.raises(InvalidValueError, match="serial number"):
        identity(authority_of(), serial=serial)


def test_the_largest_serial_comes_back_exactly() -> None:
    assert decode_certificate(identity(authority_of(), serial=2**63 - 1)).serial == 2**63 - 1


def test_nothing_outlives_its_authority() -> None:
    late = Validity(NOW, TEN_YEARS.not_after + timedelta(seconds=1))
    with pytest.raises(AuthorityExpiredError, match="itself is valid until"):
        identity(authority_of(), valid=late)
    identity(authority_of(), valid=late.within(authority_of().valid))


@pytest.mark.parametrize("kind", KINDS)
def test_a_renewed_root_and_the_old_one_verify_the_same_certificates(kind: KeyKind) -> None:
    old = authority_of(kind)
    later = Validity(NOW, TEN_YEARS.not_after + timedelta(days=3650))
    new = old.renewed(valid=later, serial=new_serial())
    assert new.is_root
    assert (new.name, new.valid) == (old.name, later)
    for signer, trusted in ((old, new), (new, old), (new, new)):
        certificate = decode_certificate(identity(signer)).certificate
        assert TrustedAuthorities.from_pem(trusted.root_pem).verify_client(certificate, at=NOW)


@needs_openssl
def test_a_root_with_a_new_key_stands_beside_the_old_one(tmp_path: Path) -> None:
    old = authority_of()
    new = Authority.create_root(
        PrivateKey.generate(KeyKind.EC_P256), name="test root ec-p256 0", valid=TEN_YEARS, serial=new_serial()
    )
    assert new.name == old.name
    both = TrustedAuthorities.from_pem(new.root_pem + old.root_pem)
    (tmp_path / "both.pem").write_text(new.root_pem + old.root_pem)
    for signer in (old, new):
        pem = identity(signer)
        chain = both.verify_client(decode_certificate(pem).certificate, at=NOW)
        assert chain[-1] == certificate_of(signer)
        assert "OK" in openssl("verify", "-CAfile", tmp_path / "both.pem", text=pem)


def test_an_authority_needs_the_certificate_of_its_key() -> None:
    with pytest.raises(CertificateError, match="another key"):
        Authority.from_pem(key_of(KeyKind.EC_P256, 5), authority_of().chain_pem)
    with pytest.raises(CertificateError, match="not that of an authority"):
        Authority.from_pem(key_of(KeyKind.EC_P256, 1), identity(authority_of()))
    with pytest.raises(CertificateError, match="no certificate"):
        Authority(key_of(KeyKind.EC_P256), [])
    with pytest.raises(BadCertificateError, match="not PEM"):
        Authority.from_pem(key_of(KeyKind.EC_P256), "nothing")


@pytest.mark.parametrize("kind", KINDS)
def test_an_authority_comes_back_from_its_files(kind: KeyKind, tmp_path: Path) -> None:
    authority = authority_of(kind)
    secret = tmp_path / "passphrase"
    secret.write_text("correct horse\nsecond line\n")
    secret.chmod(0o600)
    passphrase = read_passphrase(secret)
    assert passphrase == b"correct horse"
    write_key(tmp_path / "ca.key", authority.key, passphrase)
    write_chain(tmp_path / "ca.pem", authority)
    assert (tmp_path / "ca.key").stat().st_mode & 0o777 == 0o600
    assert "ENCRYPTED" in (tmp_path / "ca.key").read_text()
    again = read_authority(tmp_path / "ca.key", tmp_path / "ca.pem", passphrase)
    assert again.chain_pem == authority.chain_pem
    assert certificate_of(authority).public_key() == certificate_of(again).public_key()
    with pytest.raises(AuthorityKeyError, match="does not open it"):
        read_key(tmp_path / "ca.key", b"correct hors")
    with pytest.raises(OperatingSystemError):
        read_authority(tmp_path / "ca.key", tmp_path / "missing.pem", passphrase)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_files_that_others_may_read_are_not_used(mode: int, tmp_path: Path) -> None:
    write_key(tmp_path / "ca.key", key_of(KeyKind.EC_P256), b"x")
    (tmp_path / "ca.key").chmod(mode)
    with pytest.raises(PermissionDeniedError, match=f"{mode:04o}"):
        read_key(tmp_path / "ca.key", b"x")
    (tmp_path / "secret").write_text("x")
    (tmp_path / "secret").chmod(mode)
    with pytest.raises(PermissionDeniedError, match="passphrase file"):
        read_passphrase(tmp_path / "secret")


def test_an_empty_passphrase_is_none(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("\nx")
    (tmp_path / "secret").chmod(0o600)
    with pytest.raises(AuthorityKeyError, match="is empty"):
        read_passphrase(tmp_path / "secret")


def test_nothing_shows_a_private_key() -> None:
    authority = authority_of()
    assert repr(authority) == "Authority(CN=test root ec-p256 0)"
    assert "PRIVATE" not in entitle(["/a"], authority) + authority.chain_pem


def test_the_root_may_sign_no_authority_below_it() -> None:
    constraints = certificate_of(authority_of()).extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value == x509.BasicConstraints(ca=True, path_length=0)
