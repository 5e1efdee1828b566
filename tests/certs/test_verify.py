"""Chains to trusted authorities: their depth, their times, what was revoked, and what only looks like one."""

import random
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from makers.certificates import NOW, YEAR, authority_of, certificate_of, entitle
from makers.chains import SiteAuthority

from issbox.certs.decode import decode_certificate
from issbox.certs.keys import KeyKind
from issbox.certs.verify import TrustedAuthorities
from issbox.errors import BadCertificateError, UntrustedCertificateError


def line_of(number: int) -> list[SiteAuthority]:
    """Give a root and so many authorities below it."""
    found = [SiteAuthority("level 0")]
    for level in range(1, number + 1):
        found.append(SiteAuthority(f"level {level}", found[-1]))
    return found


def host_below(authority: SiteAuthority, **wanted: object) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "host")])
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    fields: dict[str, object] = {"is_authority": False, "signs_certificates": False} | wanted
    return authority.sign(subject, key, **fields)  # type: ignore[arg-type] # by name


@pytest.mark.parametrize("number", [0, 1, 3, 5])
def test_a_chain_is_followed_over_several_authorities_in_any_order(number: int) -> None:
    line = line_of(number)
    below = [each.certificate for each in line[1:]]
    random.Random(number).shuffle(below)
    host = host_below(line[-1])
    chain = TrustedAuthorities([line[0].certificate]).verify_client(host, below, at=NOW)
    assert chain == (host, *(each.certificate for each in reversed(line)))


def test_the_depth_is_a_choice() -> None:
    line = line_of(3)
    below = [each.certificate for each in line[1:]]
    host = host_below(line[-1])
    assert TrustedAuthorities([line[0].certificate], depth=3).verify_client(host, below, at=NOW)
    with pytest.raises(UntrustedCertificateError, match="does not lead"):
        TrustedAuthorities([line[0].certificate], depth=2).verify_client(host, below, at=NOW)


def test_an_intermediate_may_be_trusted_itself() -> None:
    line = line_of(2)
    host = host_below(line[-1])
    chain = TrustedAuthorities([line[1].certificate]).verify_client(host, [line[2].certificate], at=NOW)
    assert chain[-1] == line[1].certificate


def test_one_of_several_trusted_authorities_is_enough() -> None:
    trusted = TrustedAuthorities.from_pem(
        authority_of(KeyKind.RSA_3072).root_pem + authority_of().root_pem + authority_of(number=1).root_pem
    )
    for number in (0, 1):
        certificate = decode_certificate(entitle(["/a"], authority_of(number=number))).certificate
        assert trusted.verify_client(certificate, at=NOW)
    with pytest.raises(UntrustedCertificateError, match="does not lead to a trusted authority"):
        trusted.verify_client(decode_certificate(entitle(["/a"], authority_of(number=2))).certificate, at=NOW)


def test_without_trusted_authorities_nothing_is_trusted() -> None:
    certificate = decode_certificate(entitle(["/a"])).certificate
    with pytest.raises(UntrustedCertificateError, match="no authority"):
        TrustedAuthorities([]).verify_client(certificate, at=NOW)
    with pytest.raises(BadCertificateError):
        TrustedAuthorities.from_pem("")


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (YEAR.not_before - timedelta(seconds=1), "valid from"),
        (YEAR.not_after + timedelta(seconds=1), "valid until"),
    ],
)
def test_the_time_is_an_argument(at: datetime, reason: str) -> None:
    trusted = TrustedAuthorities([certificate_of(authority_of())])
    certificate = decode_certificate(entitle(["/a"])).certificate
    for good in (YEAR.not_before, YEAR.not_after):
        assert trusted.verify_client(certificate, at=good)
    with pytest.raises(UntrustedCertificateError, match=reason):
        trusted.verify_client(certificate, at=at)


def test_an_authority_that_expired_is_none() -> None:
    root = SiteAuthority("root")
    old = SiteAuthority("old", root, begin=NOW - timedelta(days=9), end=NOW - timedelta(hours=1))
    host = host_below(old)
    trusted = TrustedAuthorities([root.certificate])
    assert trusted.verify_client(host, [old.certificate], at=NOW - timedelta(hours=2))
    with pytest.raises(UntrustedCertificateError):
        trusted.verify_client(host, [old.certificate], at=NOW)


@pytest.mark.parametrize(
    "flaw",
    [
        {"is_authority": False, "signs_certificates": False},
        {"signs_certificates": False},
    ],
)
def test_what_may_not_sign_does_not_make_a_chain(flaw: dict[str, bool]) -> None:
    root = SiteAuthority("root")
    middle = SiteAuthority("middle", root, is_authority=flaw.get("is_authority", True), signs_certificates=False)
    with pytest.raises(UntrustedCertificateError):
        TrustedAuthorities([root.certificate]).verify_client(host_below(middle), [middle.certificate], at=NOW)


def test_a_critical_extension_that_nobody_knows_is_no_trifle() -> None:
    root = SiteAuthority("root")
    trusted = TrustedAuthorities([root.certificate])
    for critical in (False, True):
        host = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "host")]))
            .issuer_name(root.certificate.subject)
            .public_key(root.key.public_key())
            .serial_number(5)
            .not_valid_before(YEAR.not_before)
            .not_valid_after(YEAR.not_after)
            .add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"x"), critical=critical)
            .sign(root.key, SHA256())
        )
        if critical:
            with pytest.raises(UntrustedCertificateError, match=r"1\.2\.3\.4"):
                trusted.verify_client(host, at=NOW)
        else:
            assert trusted.verify_client(host, at=NOW)


def test_a_trusted_authority_that_expired_is_none() -> None:
    root = SiteAuthority("root", begin=NOW - timedelta(days=9), end=NOW - timedelta(hours=1))
    with pytest.raises(UntrustedCertificateError, match="not lead to a trusted authority"):
        TrustedAuthorities([root.certificate]).verify_client(host_below(root), at=NOW)


def test_a_path_length_is_kept() -> None:
    root = SiteAuthority("root", path_length=0)
    below = SiteAuthority("below", root)
    trusted = TrustedAuthorities([root.certificate])
    assert trusted.verify_client(host_below(root), at=NOW)
    with pytest.raises(UntrustedCertificateError):
        trusted.verify_client(host_below(below), [below.certificate], at=NOW)


def test_an_authority_and_a_server_are_no_clients() -> None:
    root = SiteAuthority("root")
    trusted = TrustedAuthorities([root.certificate])
    with pytest.raises(UntrustedCertificateError):
        trusted.verify_client(host_below(root, is_authority=True), at=NOW)
    key = ec.generate_private_key(ec.SECP256R1())
    server = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")]))
        .issuer_name(root.certificate.subject)
        .public_key(key.public_key())
        .serial_number(5)
        .not_valid_before(YEAR.not_before)
        .not_valid_after(YEAR.not_after)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(root.key, SHA256())
    )
    with pytest.raises(UntrustedCertificateError, match="not for clients"):
        trusted.verify_client(server, at=NOW)


def test_a_changed_certificate_is_refused() -> None:
    data = bytearray(decode_certificate(entitle(["/content/a"])).certificate.public_bytes(Encoding.DER))
    trusted = TrustedAuthorities([certificate_of(authority_of())])
    for place in range(len(data) - 40, len(data)):  # within the signature
        changed = bytes(data[:place]) + bytes([data[place] ^ 1]) + bytes(data[place + 1 :])
        with pytest.raises((UntrustedCertificateError, ValueError)):
            trusted.verify_client(x509.load_der_x509_certificate(changed), at=NOW)
