"""The stock client's library reads what is issued here, and grants what was promoted and nothing beside it.

The library (PyPI: rhsm) is a tool of the tests only; without it they are skipped.
"""

import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from makers.certificates import (
    CONSUMER,
    KINDS,
    YEAR,
    authority_of,
    entitle,
    key_of,
    payload_of,
    some_paths,
)

from issbox.certs.decode import decode_certificate
from issbox.certs.entitlement import issue_entitlement, prepare_v1, prepare_v3
from issbox.certs.identity import issue_identity
from issbox.certs.keys import KeyKind
from issbox.model import CertifiedContent, EntitlementPayload, Order, Subscription
from issbox.rules.entitlements.path_tree import grants

stock = pytest.importorskip("rhsm.certificate", reason="the package rhsm, the stock client's reader, is not installed")
SETS = 300


def read(text: str) -> Any:
    return stock.create_from_pem(text)


def filled(path: str, choice: random.Random) -> str:
    """Give a path that a host would ask for."""
    return "/".join(choice.choice(["9", "8.4", "x86_64"]) if each.startswith("$") else each for each in path.split("/"))


def beside(path: str, granted: list[str], choice: random.Random) -> list[str]:
    """Give paths near a granted one: longer and shorter names, other names, and everything above it."""
    segments = path.split("/")[1:]
    place = choice.randrange(len(segments))
    changes = (segments[place] + "x", segments[place][:-1], "other")
    found = [[*segments[:place], change, *segments[place + 1 :]] for change in changes]
    return ["/" + "/".join(each) for each in (*found, segments[:place])]


def check_set(number: int) -> None:
    choice = random.Random(number)
    paths = some_paths(choice, 40)
    text = entitle(paths)
    theirs, ours = read(text), decode_certificate(text)
    assert theirs.serial == ours.serial
    assert sorted({each.url for each in theirs.content}) == sorted(set(paths))
    if not paths:
        return  # the stock reader raises for a certificate without any path
    for path in paths:
        asked = filled(path, choice)
        for end in ("", "/repodata/repomd.xml"):
            assert theirs.check_path(asked + end), (paths, asked + end)
            assert grants(ours.tree, asked + end)
        for near in beside(asked, paths, choice):
            if near.strip("/"):
                expected = obviously(paths, near)
                assert grants(ours.tree, near) is expected, (paths, near)
                assert bool(theirs.check_path(near)) is expected, (paths, near)


def obviously(paths: list[str], asked: str) -> bool:
    wanted = [each for each in asked.split("/") if each]
    for path in paths:
        segments = path.split("/")[1:]
        pairs = list(zip(segments, wanted, strict=False))
        if len(wanted) >= len(segments) and all(one[0] == "$" or one == other for one, other in pairs):
            return True
    return False


@pytest.mark.parametrize("tens", range(SETS // 10))
def test_random_sets_of_contents_are_granted_whole_and_alone(tens: int) -> None:
    for number in range(tens * 10, tens * 10 + 10):
        check_set(number)


@pytest.mark.slow
def test_thousands_of_sets_of_contents_are_granted_whole_and_alone() -> None:
    for number in range(SETS, SETS + 3000):
        check_set(number)


@pytest.mark.parametrize("size", [1, 2, 3, 127, 128, 129, 1000])
def test_trees_of_every_size(size: int) -> None:
    paths = [f"/Acme/dev/content-{number}/{number % 7}/os" for number in range(size)]
    found = read(entitle(paths))
    assert all(found.check_path(path) for path in paths)
    assert not found.check_path("/Acme/dev/content-x/1/os")
    assert not found.check_path(f"/Acme/dev/content-{size}/{size % 7}/os")


@pytest.mark.parametrize("kind", KINDS)
def test_both_kinds_of_keys_make_the_same_certificate_to_it(kind: KeyKind) -> None:
    found = read(entitle(["/Acme/dev/a"], authority_of(kind)))
    assert [each.label for each in found.content] == ["content-1"]
    assert str(found.version) == "3.4"


def whole() -> EntitlementPayload:
    payload = payload_of(["/Acme/dev/a"])
    content = CertifiedContent(
        "77",
        "tools-rpms",
        "Tools (RPMs)",
        "/Acme/dev/content/$releasever/os",
        vendor="Example",
        gpg_url="/Acme/keys/tools",
        enabled=False,
        metadata_expire=86400,
        required_tags=("rhel-9", "extra"),
        arches=("x86_64",),
    )
    return replace(
        payload,
        products=(replace(payload.products[0], content=(content,)),),
        subscription=Subscription(
            "Tools for all",
            sku="SKU1",
            warning=30,
            sockets=2,
            ram=8,
            cores=4,
            management=True,
            stacking_id="stack",
            virt_only=True,
            service_level="Premium",
            service_type="L1-L3",
        ),
        order=Order("o1", 5, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), "c1", "a1"),
        quantity=3,
    )


@pytest.mark.parametrize("version", [1, 3])
def test_every_field_arrives(version: int) -> None:
    prepared = prepare_v1(whole()) if version == 1 else prepare_v3(whole(), authority_of())
    found = read(
        issue_entitlement(
            authority_of(),
            prepared,
            organization="Acme",
            entitlement="e" * 32,
            public=key_of(KeyKind.RSA_2048, 1).public,
            valid=YEAR,
            serial=2**53 - 1,
        )
    )
    assert (found.serial, found.subject["CN"], found.is_valid()) == (2**53 - 1, "e" * 32, True)
    assert (found.start, found.end) == (YEAR.not_before, YEAR.not_after)
    (product,) = found.products
    assert (product.id, product.name, product.version, product.architectures) == ("69", "Tools", "9", ["x86_64"])
    (content,) = found.content
    assert (content.content_type, content.name, content.label) == ("yum", "Tools (RPMs)", "tools-rpms")
    assert (content.vendor, content.url) == ("Example", "/Acme/dev/content/$releasever/os")
    assert (content.gpg, content.enabled) == ("/Acme/keys/tools", False)
    assert int(content.metadata_expire) == 86400
    assert content.required_tags == ["rhel-9", "extra"]
    order = found.order
    assert (order.name, order.number, order.sku, order.contract, order.account) == (
        "Tools for all",
        "o1",
        "SKU1",
        "c1",
        "a1",
    )
    assert (int(order.quantity), int(order.quantity_used), int(order.socket_limit)) == (5, 3, 2)
    assert (int(order.warning_period), order.stacking_id) == (30, "stack")
    assert (order.service_level, order.service_type) == ("Premium", "L1-L3")
    assert order.provides_management in (True, "1")
    assert order.virt_only in (True, "1")
    if version == 3:
        assert (order.ram_limit, order.core_limit, content.arches) == (8, 4, ["x86_64"])


def test_version_1_grants_its_paths() -> None:
    found = read(
        issue_entitlement(
            authority_of(),
            prepare_v1(payload_of(["/Acme/dev/a", "/Acme/dev/$releasever/b"])),
            organization="Acme",
            entitlement="e",
            public=key_of(KeyKind.RSA_2048, 1).public,
            valid=YEAR,
            serial=5,
        )
    )
    assert str(found.version).startswith("1.0")
    for path, granted in (("/Acme/dev/a/x", True), ("/Acme/dev/9/b/x", True), ("/Acme/qa/a/x", False)):
        assert bool(found.check_path(path)) is granted


def test_without_content_it_grants_nothing() -> None:
    found = read(entitle([]))
    assert found.content == []
    with pytest.raises((AttributeError, IndexError)):  # it finds no tree, and so grants nothing
        found.check_path("/Acme/dev/a")


def test_an_identity_is_one() -> None:
    found = read(
        issue_identity(
            authority_of(),
            organization="Acme",
            consumer=CONSUMER,
            name="host.example.com",
            public=key_of(KeyKind.RSA_2048, 1).public,
            valid=YEAR,
            serial=5,
        )
    )
    assert type(found).__name__ == "IdentityCertificate"
    assert found.subject["CN"] == CONSUMER
    assert "DirName:/CN=host.example.com" in found.alt_name
