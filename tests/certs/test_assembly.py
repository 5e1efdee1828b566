"""Certificates and revocation lists are, byte for byte, what the cryptography package's own builders make."""

from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st
from makers.certificates import KINDS, NOW, authority_of, certificate_of, key_of

from issbox.certs import assembly, der, profiles
from issbox.certs.keys import KeyKind
from issbox.errors import BadCertificateError
from issbox.model import Validity

_START = datetime(1951, 1, 1, tzinfo=UTC)
times = st.integers(0, 5_000_000_000).map(lambda seconds: _START + timedelta(seconds=seconds))


@cache
def signer(kind: KeyKind) -> RSAPrivateKey | EllipticCurvePrivateKey:
    key = load_pem_private_key(key_of(kind).pem().encode(), None)
    assert isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey)
    return key


@cache
def host_key() -> EllipticCurvePublicKey:
    key = load_pem_public_key(key_of(KeyKind.EC_P256, 1).public.pem.encode())
    assert isinstance(key, EllipticCurvePublicKey)
    return key


def builder_of(kind: KeyKind, serial: int, valid: Validity, text: str, name: str) -> x509.CertificateBuilder:
    issuer = certificate_of(authority_of(kind))
    own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer.subject)
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .public_key(host_key())
        .serial_number(serial)
        .not_valid_before(valid.not_before)
        .not_valid_after(valid.not_after)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.2312.9.300.1"), der.utf8_string(text)),
            critical=False,
        )
        .add_extension(x509.AuthorityKeyIdentifier(own.digest, None, None), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(host_key()), critical=False)
    )


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None)
@given(
    serial=st.integers(1, 2**159 - 1),
    valid=st.builds(lambda begin, days: Validity(begin, begin + timedelta(days=days)), times, st.integers(1, 20_000)),
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    name=st.text("abc äé日", min_size=1, max_size=10),
)
def test_a_certificate_is_what_the_builder_makes(
    kind: KeyKind, serial: int, valid: Validity, text: str, name: str
) -> None:
    builder = builder_of(kind, serial, valid, text, name)
    extensions = der.extension("2.5.29.19", b"\x30\x00", critical=True)
    extensions += der.text_extensions([("1.3.6.1.4.1.2312.9.300.1", text)])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]).public_bytes()
    statement = assembly.Statement(subject, extensions)
    key = key_of(KeyKind.EC_P256, 1).public
    ours = x509.load_der_x509_certificate(
        assembly.certificate(statement, key, valid, serial, authority_of(kind).issuer)
    )
    theirs = builder.sign(signer(kind), SHA256())
    assert ours.tbs_certificate_bytes == theirs.tbs_certificate_bytes
    assert ours.signature_algorithm_oid == theirs.signature_algorithm_oid
    ours.verify_directly_issued_by(certificate_of(authority_of(kind)))
    if kind is not KeyKind.EC_P256:  # a signature with ECDSA is another one each time
        assert ours == theirs


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None)
@given(
    revoked=st.dictionaries(st.integers(1, 2**63), times, max_size=5),
    number=st.integers(0, 2**64),
)
def test_a_revocation_list_is_what_the_builder_makes(kind: KeyKind, revoked: dict[int, datetime], number: int) -> None:
    authority = authority_of(kind)
    issuer = certificate_of(authority)
    own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(NOW)
        .next_update(NOW + timedelta(days=1))
        .add_extension(x509.AuthorityKeyIdentifier(own.digest, None, None), critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    for serial, at in revoked.items():
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
        )
    theirs = builder.sign(signer(kind), SHA256())
    ours = x509.load_der_x509_crl(
        assembly.revocation_list(revoked.items(), number, NOW, NOW + timedelta(days=1), authority.issuer)
    )
    assert ours.tbs_certlist_bytes == theirs.tbs_certlist_bytes
    assert ours.is_signature_valid(signer(kind).public_key())


@given(st.text("abc äé日-", min_size=1, max_size=12), st.text("abc_-9", min_size=1, max_size=128))
def test_the_quick_way_to_a_name_is_the_same_name(common_name: str, organization: str) -> None:
    if common_name.strip():
        assert profiles.subject(common_name, organization) == profiles.name(common_name, organization).public_bytes()


@given(st.binary(max_size=70_000) | st.binary(max_size=300))
def test_values_come_back(value: bytes) -> None:
    assert der.read_value(der.tlv(der.OCTET_STRING, value), der.OCTET_STRING, "it") == value


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_texts_come_back(text: str) -> None:
    assert der.read_text(der.utf8_string(text), "it") == text


_VALUES = st.binary(max_size=10).map(lambda value: bytes((der.OCTET_STRING, len(value))) + value)


@given(st.binary(max_size=12) | _VALUES)
def test_other_bytes_are_a_value_or_refused(data: bytes) -> None:
    try:
        value = der.read_value(data, der.OCTET_STRING, "it")
    except BadCertificateError:
        return
    assert data == der.tlv(der.OCTET_STRING, value)


@pytest.mark.parametrize("length", [b"\x80", b"\x81\x80", b"\x82\x00\x80"])
def test_a_length_is_written_in_one_way(length: bytes) -> None:
    data = bytes((der.OCTET_STRING,)) + length + bytes(128)
    if length == b"\x81\x80":
        assert der.read_value(data, der.OCTET_STRING, "it") == bytes(128)
        return
    with pytest.raises(BadCertificateError, match="it is cut off or goes on too long"):
        der.read_value(data, der.OCTET_STRING, "it")
