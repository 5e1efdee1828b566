"""Entitlement certificates of version 3 and 1: what is issued is decoded again, and openssl reads all of it."""

import subprocess
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from makers.certificates import (
    CONSUMER,
    KINDS,
    YEAR,
    authority_of,
    certificate_of,
    entitle,
    key_of,
    payload_of,
    payloads,
)
from makers.needs import needs_openssl

from issbox.certs import pem
from issbox.certs.authority import Authority
from issbox.certs.decode import CertificateKind, DecodedCertificate, decode_certificate
from issbox.certs.entitlement import (
    MOST_V1_CONTENTS,
    PreparedEntitlement,
    issue_entitlement,
    prepare_v1,
    prepare_v3,
)
from issbox.certs.keys import KeyKind
from issbox.certs.oids import CONTENT_TYPES
from issbox.certs.showing import to_document, to_text
from issbox.errors import CertificateTooLargeError, InvalidValueError
from issbox.model import CertificateType, CertifiedContent, EntitlementPayload, Order, Subscription
from issbox.rules.entitlements.path_tree import build
from issbox.rules.entitlements.path_tree import paths as paths_of


def issue(prepared: PreparedEntitlement, authority: Authority | None = None, serial: int = 11) -> str:
    return issue_entitlement(
        authority or authority_of(),
        prepared,
        organization="Acme",
        entitlement="e1" * 16,
        public=key_of(KeyKind.EC_P256, 1).public,
        valid=YEAR,
        serial=serial,
    )


def decoded_v3(payload: EntitlementPayload, authority: Authority | None = None) -> DecodedCertificate:
    signer = authority or authority_of()
    return decode_certificate(issue(prepare_v3(payload, signer), signer))


@settings(deadline=None)
@given(payloads)
def test_version_3_says_what_it_was_given(payload: EntitlementPayload) -> None:
    found = decoded_v3(payload)
    assert (found.kind, found.version, found.type) == (CertificateKind.ENTITLEMENT, "3.4", CertificateType.BASIC)
    assert (found.serial, found.common_name, found.organization, found.valid) == (11, "e1" * 16, "Acme", YEAR)
    assert found.payload == payload
    assert found.paths == paths_of(build(each.path for each in payload.content))
    assert found.payload_is_genuine(certificate_of(authority_of()))


@settings(deadline=None)
@given(payloads)
def test_version_1_says_what_its_fields_can_hold(payload: EntitlementPayload) -> None:
    found = decode_certificate(issue(prepare_v1(payload)))
    assert (found.kind, found.version, found.type) == (CertificateKind.ENTITLEMENT, "1.0", None)
    listed = [each for each in payload.content if each.type in CONTENT_TYPES]
    assert found.payload is not None
    assert {each.path for each in found.payload.content} == {each.path for each in listed}
    assert found.paths == paths_of(build(each.path for each in listed))
    assert {each.id: each.name for each in found.payload.products if each.id} == {
        each.id: each.name for each in payload.products
    }
    again = {each.label: each for each in found.payload.content}
    for each in listed:
        if sum(other.label == each.label for other in listed) == 1:
            number = again[each.label].id
            assert again[each.label] == replace(each, id=number, arches=())
            assert number == each.id or len(each.id) == 36
    assert found.payload.order == payload.order
    assert found.payload.consumer == payload.consumer
    assert found.payload.subscription == replace(
        payload.subscription, ram=None, cores=None, usage="", roles=(), addons=()
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_three_parts_and_their_labels(kind: KeyKind) -> None:
    authority = authority_of(kind)
    text = issue(prepare_v3(payload_of(["/Acme/dev/a"]), authority), authority)
    signature = "RSA SIGNATURE" if kind is not KeyKind.EC_P256 else "SIGNATURE"
    assert [part.label for part in pem.read(text)] == ["CERTIFICATE", "ENTITLEMENT DATA", signature]
    assert max(map(len, text.splitlines())) == 64
    assert decode_certificate(text).payload_is_genuine(certificate_of(authority))


def test_a_payload_from_another_certificate_is_not_genuine() -> None:
    text = entitle(["/a"])
    other = entitle(["/b"], authority_of(number=1))
    mixed = text[: text.index("-----BEGIN ENTITLEMENT")] + other[other.index("-----BEGIN ENTITLEMENT") :]
    found = decode_certificate(mixed)
    assert found.paths == ("/a",)
    assert not found.payload_is_genuine(certificate_of(authority_of()))


def test_hosts_with_the_same_content_share_all_but_the_x509_part() -> None:
    prepared = prepare_v3(payload_of(["/a"]), authority_of())
    first, second = issue(prepared, serial=1), issue(prepared, serial=2)
    assert first.split("-----END CERTIFICATE-----")[1] == second.split("-----END CERTIFICATE-----")[1]
    assert decode_certificate(first).serial != decode_certificate(second).serial


def test_a_web_server_sees_the_x509_part_only() -> None:
    text = entitle(["/Acme/dev/a"])
    found = decode_certificate(text[: text.index("-----BEGIN ENTITLEMENT")])
    assert found.paths == ("/Acme/dev/a",)
    assert found.payload is None


def test_without_content_a_certificate_grants_nothing() -> None:
    empty = payload_of([])
    for text in (issue(prepare_v3(empty, authority_of())), issue(prepare_v1(empty))):
        found = decode_certificate(text)
        assert (found.kind, found.paths) == (CertificateKind.ENTITLEMENT, ())


def test_an_organization_wide_certificate_has_the_paths_it_is_given() -> None:
    prepared = prepare_v3(
        payload_of(["/Acme/dev/a"]),
        authority_of(),
        kind=CertificateType.ORG_LEVEL,
        paths=["/Acme/dev", "/Acme/qa"],
        namespace="Acme",
    )
    found = decode_certificate(issue(prepared))
    assert (found.type, found.namespace) == (CertificateType.ORG_LEVEL, "Acme")
    assert found.paths == ("/Acme/dev", "/Acme/qa")


def test_a_content_on_another_server_is_listed_but_not_granted() -> None:
    found = decoded_v3(payload_of(["https://mirror.example.com/x", "/Acme/dev/a"]))
    assert found.paths == ("/Acme/dev/a",)
    assert found.payload is not None
    assert len(found.payload.content) == 2


def test_version_1_is_refused_above_its_limit_with_advice() -> None:
    prepare_v1(payload_of([f"/a/{number}" for number in range(MOST_V1_CONTENTS)]))
    with pytest.raises(CertificateTooLargeError, match="at most 185 contents, and this one would hold 186") as refused:
        prepare_v1(payload_of([f"/a/{number}" for number in range(MOST_V1_CONTENTS + 1)]))
    assert "version 3" in refused.value.hint


def test_version_1_needs_numbers_or_uuids() -> None:
    good = payload_of(["/a"])
    product = good.products[0]
    for identifier, fits in (("12", True), (CONSUMER, True), ("tools", False), ("-1", False), ("1" * 40, False)):
        content = CertifiedContent(identifier, "tools", "Tools", "/a")
        payload = replace(good, products=(replace(product, content=(content,)),))
        if fits:
            assert decode_certificate(issue(prepare_v1(payload))).paths == ("/a",)
        else:
            with pytest.raises(InvalidValueError, match="the content tools has the id"):
                prepare_v1(payload)


FULL = replace(
    payload_of(["/Acme/dev/content/$releasever/os"]),
    subscription=Subscription(
        "Tools for all",
        sku="SKU1",
        warning=30,
        sockets=2,
        service_level="Premium",
        roles=("Server",),
        usage="Production",
    ),
    order=Order("o1", 5, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), "c1", "a1"),
    consumer=CONSUMER,
)


@needs_openssl
def test_openssl_reads_every_extension_of_both_versions() -> None:
    def shown(text: str) -> str:
        command = ["openssl", "x509", "-noout", "-text"]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout

    third = shown(issue(prepare_v3(FULL, authority_of())))
    for number, text in ((6, "..3.4"), (8, "..Basic")):
        assert f"1.3.6.1.4.1.2312.9.{number}: \n                {text}\n" in third
    first = shown(issue(prepare_v1(FULL)))
    for oid, text in (
        ("1.69.1", "..Tools"),
        ("1.69.3", "..x86_64"),
        ("2.1.1", "..yum"),
        ("2.1.1.1", "..Content 1"),
        ("2.1.1.2", "..content-1"),
        ("2.1.1.6", ". /Acme/dev/content/$releasever/os"),
        ("2.1.1.8", "..1"),
        ("4.2", "..o1"),
        ("4.3", "..SKU1"),
        ("4.5", "..5"),
        ("4.6", "..2026-01-01T00:00:00Z"),
        ("4.7", "..2027-01-01T00:00:00Z"),
        ("4.9", "..2"),
        ("4.10", "..c1"),
        ("4.12", "..30"),
        ("4.13", "..a1"),
        ("4.15", "..Premium"),
        ("5.1", f".${CONSUMER}"),
    ):
        assert f"1.3.6.1.4.1.2312.9.{oid}: \n                {text}" in first, oid
    assert "Tools for all" in first


def test_the_whole_certificate_is_shown_to_people_and_programs() -> None:
    found = decoded_v3(FULL)
    text = to_text(found)
    for piece in (
        "entitlement certificate, version 3.4, type Basic",
        "  Serial            11",
        "/Acme/dev/content/$releasever/os",
        "Product Tools (69) 9",
        "  content-1: Content 1",
        "Premium",
        CONSUMER,
    ):
        assert piece in text
    document = to_document(found)
    assert (document["serial"], document["serial_text"]) == (11, "11")
    assert document["paths"] == ["/Acme/dev/content/$releasever/os"]
    assert isinstance(document["payload"], dict)
    assert document["payload"]["consumer"] == CONSUMER


def test_no_value_makes_a_line_of_its_own() -> None:
    bought = replace(FULL.subscription, sku="x\n  Serial            1", name="y\r\x85\u2028")
    text = to_text(decoded_v3(replace(FULL, subscription=bought)))
    assert len(text.splitlines()) == len(to_text(decoded_v3(FULL)).splitlines())
    assert r"x\n  Serial            1" in text
