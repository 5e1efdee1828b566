"""Certificates of others, damaged ones and hostile ones: decoded, or refused in words."""

import zlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st
from makers.certificates import NOW, YEAR, authority_of, certificate_of, entitle, key_of, payload_of
from makers.chains import pem_of

from issbox.certs import der, oids, pem
from issbox.certs.decode import CertificateKind, decode_certificate
from issbox.certs.entitlement import issue_entitlement, prepare_v1
from issbox.certs.keys import KeyKind
from issbox.certs.payload import pack
from issbox.errors import BadCertificateError
from issbox.rules.entitlements.path_tree import build
from issbox.rules.entitlements.path_tree_code import encode

WHOLE = entitle(["/Acme/dev/a", "/Acme/dev/$releasever/b"])


def foreign(values: dict[str, bytes], *, serial: int = 5) -> str:
    """Give a certificate with these extensions, made without issbox."""
    key = load_pem_private_key(key_of(KeyKind.EC_P256).pem().encode(), None)
    assert isinstance(key, EllipticCurvePrivateKey)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "abc")]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "another server")]))
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(YEAR.not_before)
        .not_valid_after(YEAR.not_after)
    )
    for oid, value in values.items():
        builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value), critical=False)
    return pem_of(builder.sign(key, SHA256()))


def third(tree: bytes = b"", version: str = "3.0", kind: str = "Basic") -> dict[str, bytes]:
    return {
        oids.VERSION: der.utf8_string(version),
        oids.TYPE: der.utf8_string(kind),
        oids.PATH_TREE: der.tlv(der.OCTET_STRING, tree),
    }


@pytest.mark.parametrize("version", ["3.0", "3.1", "3.3", "3.4", "3.9"])
def test_every_version_3_is_read(version: str) -> None:
    found = decode_certificate(foreign(third(encode(build(["/x/y"])), version), serial=2**63 + 12345))
    assert (found.version, found.paths, found.serial) == (version, ("/x/y",), 2**63 + 12345)
    assert (found.organization, found.issuer) == (None, "CN=another server")


@pytest.mark.parametrize("label", ["SIGNATURE", "RSA SIGNATURE"])
def test_both_labels_of_the_signature_are_read_whatever_stands_between_the_parts(label: str) -> None:
    packed = pack(payload_of(["/x/y"]))
    text = foreign(third(encode(build(["/x/y"]))))
    text = f"a comment\r\n{text}\nmore\n{pem.write('ENTITLEMENT DATA', packed)}{pem.write(label, b'sig')}"
    found = decode_certificate(text.replace("\n", "\r\n").encode())
    assert found.payload == payload_of(["/x/y"])
    assert found.signature == b"sig"
    assert not found.payload_is_genuine(certificate_of(authority_of()))


def test_a_certificate_without_a_type_is_read() -> None:
    values = third(encode(build(["/x"])))
    del values[oids.TYPE]
    assert decode_certificate(foreign(values)).type is None


def test_what_a_certificate_is_for_is_told_from_its_extensions() -> None:
    text = der.utf8_string("x")
    for values, kind in (
        ({}, CertificateKind.IDENTITY),
        ({f"{oids.PRODUCT}.69.1": text}, CertificateKind.PRODUCT),
        ({f"{oids.PRODUCT}.69.1": text, f"{oids.ORDER}.1": text}, CertificateKind.ENTITLEMENT),
        (third(), CertificateKind.ENTITLEMENT),
    ):
        assert decode_certificate(foreign(values)).kind is kind
    assert decode_certificate(authority_of().root_pem).kind is CertificateKind.AUTHORITY


def test_version_3_with_an_order_and_no_path_tree_grants_nothing() -> None:
    values = {oids.VERSION: der.utf8_string("3.4"), f"{oids.ORDER}.1": der.utf8_string("x")}
    found = decode_certificate(foreign(values))
    assert (found.kind, found.paths) == (CertificateKind.IDENTITY, ())


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (third(version="4.0"), "version '4.0'"),
        (third(kind="Everything"), "unknown type 'Everything'"),
        (third(b"xx"), "path tree"),
        (third() | {oids.PATH_TREE: b"\x04\x05"}, "path tree of the certificate is cut off"),
        (third() | {oids.PATH_TREE: b"\x0c\x00"}, "does not have the form"),
        (third() | {oids.VERSION: b"\x0c\x01\xff"}, "9.6 is not UTF-8"),
        (third() | {oids.VERSION: b"3.4"}, "9.6 does not have the form"),
        ({f"{oids.ORDER}.1": der.utf8_string("x"), f"{oids.ORDER}.6": der.utf8_string("soon")}, "where a time"),
        ({f"{oids.ORDER}.1": der.utf8_string("x"), f"{oids.ORDER}.5": der.utf8_string("many")}, "where a number"),
        ({f"{oids.ORDER}.1": der.utf8_string("x"), f"{oids.CONTENT}.5.1.6": der.utf8_string("x/y")}, "is no path"),
    ],
)
def test_a_flaw_is_told(values: dict[str, bytes], reason: str) -> None:
    with pytest.raises(BadCertificateError, match=reason):
        decode_certificate(foreign(values))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not PEM"),
        ("nothing", "not PEM"),
        (b"\xff\xfe\x00", "not PEM"),
        ("-----BEGIN CERTIFICATE-----\nAAAA", "not PEM"),
        ("-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----", "not base64"),
        ("-----BEGIN CERTIFICATE-----\n\u00e4\n-----END CERTIFICATE-----", "not base64"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "cannot be read"),
        (pem.write("ENTITLEMENT DATA", b"x"), "no certificate in it"),
        ("x" * (9 << 20), "more than"),
    ],
)
def test_what_is_no_certificate_is_refused(text: str | bytes, reason: str) -> None:
    with pytest.raises(BadCertificateError, match=reason):
        decode_certificate(text)


def test_a_payload_that_unpacks_without_end_is_refused() -> None:
    bomb = pem.write("ENTITLEMENT DATA", zlib.compress(bytes(100 << 20)))
    with pytest.raises(BadCertificateError, match="grow beyond"):
        decode_certificate(WHOLE.split("-----BEGIN ENTITLEMENT")[0] + bomb)


@settings(deadline=None)
@given(st.integers(0, len(pem.read(WHOLE)[0].data) - 1), st.integers(1, 255), st.booleans())
def test_a_damaged_certificate_is_decoded_or_refused(place: int, change: int, cut: bool) -> None:
    data = bytearray(pem.read(WHOLE)[0].data)
    if cut:
        del data[place:]
    else:
        data[place] ^= change
    try:
        found = decode_certificate(pem.write("CERTIFICATE", bytes(data)))
    except BadCertificateError:
        return
    assert found.serial is not None
    assert isinstance(found.key, str)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([f"{oids.ARC}.{end}" for end in ("1.5.1", "2.5.1", "2.5.1.6", "4.1", "6", "7", "8")]),
        st.binary(max_size=12),
    )
)
def test_any_extensions_are_decoded_or_refused(values: dict[str, bytes]) -> None:
    try:
        found = decode_certificate(foreign(values))
    except BadCertificateError:
        return
    assert found.version == "1.0" or found.version.startswith("3.") or found.kind is CertificateKind.IDENTITY


def test_version_1_of_a_content_that_is_named_twice_counts_once() -> None:
    payload = payload_of(["/a", "/b"])
    text = issue_entitlement(
        authority_of(),
        prepare_v1(payload),
        organization="Acme",
        entitlement="x",
        public=key_of(KeyKind.EC_P256, 1).public,
        valid=YEAR,
        serial=3,
    )
    assert decode_certificate(text).paths == ("/a", "/b")
    assert decode_certificate(text).valid.holds(NOW)


def test_a_name_that_is_a_bit_string_is_refused_in_words() -> None:
    data = bytearray(pem.read(WHOLE)[0].data)
    data[data.index(b"test root") - 2] = 3  # BIT STRING in place of UTF8String
    with pytest.raises(BadCertificateError, match="cannot be read"):
        decode_certificate(pem.write("CERTIFICATE", bytes(data)))
