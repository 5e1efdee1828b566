"""What other boxes took: added up by certificate and environment, and not without end, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest
from makers.stores import KEY, NOW, Library

from issbox.errors import NotFoundError
from issbox.model import Consumer, HostProfile, Taking
from issbox.store import takings

ACME = KEY.organization
TAKEN = Taking(ACME, "Library", "ab" * 32, "CN=box", "CN=ca", str(2**80), NOW, NOW, 3, 1 << 40, "uuid")


def test_takings_of_the_same_certificate_add_up(library: Library) -> None:
    store, later = library.store, NOW + timedelta(hours=1)
    store.takings.add(TAKEN)
    assert store.takings.list(ACME) == [TAKEN]
    store.takings.add(replace(TAKEN, first_at=later, last_at=later, requests=1, size=5))
    assert store.takings.list(ACME) == [replace(TAKEN, last_at=later, requests=4, size=(1 << 40) + 5)]
    store.takings.add(replace(TAKEN, environment="dev", consumer=None))
    assert [each.environment for each in store.takings.list(ACME)] == ["Library", "dev"]
    with pytest.raises(NotFoundError):
        store.takings.add(replace(TAKEN, organization="nobody"))


def test_the_oldest_are_forgotten(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(takings, "MOST_KEPT", 3)
    for number in range(6):
        at = NOW + timedelta(minutes=number)
        library.store.takings.add(replace(TAKEN, fingerprint=f"{number:064}", last_at=at))
    assert [int(each.fingerprint) for each in library.store.takings.list(ACME)] == [5, 4, 3]


def test_whose_entitlements_are_those_of_boxes(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(takings, "_PART", 2)
    for number, kind in enumerate(("candlepin", "satellite", "system", "candlepin")):
        uuid = f"00000000-0000-4000-8000-{number:012}"
        library.store.consumers.create(Consumer(ACME, uuid, f"box{number}", kind, {}, HostProfile(()), NOW, "PEM"))
        library.store.entitlements.create(f"{number:032}", uuid, None, ACME)
    wanted = [f"{number:032}" for number in range(3)] * 2
    boxes = {f"{number:032}": f"00000000-0000-4000-8000-{number:012}" for number in range(2)}
    assert library.store.takings.entitled([*wanted, "absent"]) == boxes
    assert library.store.takings.entitled([]) == {}


def test_an_organization_goes_with_what_was_taken_of_it(library: Library) -> None:
    library.store.organizations.create("other", "Other")
    library.store.takings.add(replace(TAKEN, organization="other"))
    library.store.organizations.delete("other")
    library.store.organizations.create("other", "Other")
    assert library.store.takings.list("other") == []
