"""Rows of subscription manifests, on both databases."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from makers.stores import repository

from issbox.errors import InUseError, NotFoundError
from issbox.model import (
    Actor,
    Content,
    Distributor,
    EntitlementFile,
    ManifestAction,
    ManifestEvent,
    ManifestRecord,
    ManifestSubscription,
    OfferedContent,
    Product,
    ProductKind,
    RepositoryKey,
    Validity,
)
from issbox.store import Store

NOW = datetime(2026, 11, 20, 8, 0, 0, tzinfo=UTC)
RECORD = ManifestRecord(
    organization="Example",
    id="0123",
    sha256="0" * 64,
    size=10,
    signed_by="CN=ca",
    imported_at=NOW,
    imported_by="anna",
    created=NOW,
    version="4",
    cdn_label="",
    distributor=Distributor("uuid-1", "acme"),
    subscriptions=(ManifestSubscription("RH1", "RHEL", 3, None, NOW),),
    certificates=(EntitlementFile(str(2**62), "CN=x", Validity(NOW, NOW.replace(year=2027)), 2),),
)


def offered(number: int) -> OfferedContent:
    content = Content(str(number), f"c{number}", f"C {number}", f"/content/dist/{number}", arches=("x86_64",))
    return OfferedContent(content, "Red Hat", "file:///key")


@pytest.fixture(autouse=True)
def _products(store: Store) -> None:
    for organization in ("Example", "Other"):
        store.organizations.create(organization, organization)
        for number, label in (("479", "rhel"), ("69", "server")):
            store.products.create(Product(organization, label, label, ProductKind.REDHAT, number=number))


def ids(found: dict[str, list[OfferedContent]]) -> dict[str, list[str]]:
    return {label: [each.content.id for each in contents] for label, contents in found.items()}


def test_what_is_put_is_there_and_takes_the_place_of_what_was(store: Store) -> None:
    assert store.manifests.find("Example") is None
    store.manifests.put(RECORD, {"rhel": map(offered, range(450)), "server": [offered(7)]})
    assert store.manifests.get("Example") == RECORD
    assert len(store.manifests.offered("Example")["rhel"]) == 450
    assert store.manifests.offered("Example", "server") == {"server": [offered(7)]}
    other = replace(RECORD, id="4567", distributor=Distributor("uuid-2", "next"))
    store.manifests.put(other, {"server": [offered(8)]})
    assert store.manifests.all() == [other]
    assert ids(store.manifests.offered("Example")) == {"server": ["8"]}


def test_organizations_have_rows_of_their_own(store: Store) -> None:
    store.manifests.put(RECORD, {"rhel": [offered(1)]})
    theirs = replace(RECORD, organization="Other", distributor=Distributor("uuid-2", "other"))
    store.manifests.put(theirs, {"rhel": [offered(1), offered(2)]})
    store.manifests.remove("Example")
    assert (store.manifests.find("Example"), store.manifests.find("Other")) == (None, theirs)
    assert ids(store.manifests.offered("Other")) == {"rhel": ["1", "2"]}
    assert store.manifests.holder("uuid-2", besides="Example") == "Other"
    assert store.manifests.holder("uuid-2", besides="Other") is None


def test_unknown_products_and_organizations_are_refused(store: Store) -> None:
    with pytest.raises(NotFoundError, match="there is no product Example/nothing"):
        store.manifests.put(RECORD, {"nothing": [offered(1)]})
    assert store.manifests.find("Example") is None, "nothing of it stays"
    with pytest.raises(NotFoundError, match="has no subscription manifest"):
        store.manifests.get("Example")
    for ask in (store.manifests.find, store.manifests.offered, store.manifests.remove, store.manifests.history):
        with pytest.raises(NotFoundError, match="there is no organization"):
            ask("Nowhere")


def test_a_new_repository_gets_what_only_the_manifest_says(store: Store) -> None:
    store.manifests.put(RECORD, {"rhel": [offered(1)]})
    key = RepositoryKey("Example", "rhel", "one")
    store.repositories.create(repository(key, content=offered(1).content, path="content/dist/1"))
    described = store.catalogues.described(key)
    assert (described.vendor, described.gpg_url) == ("Red Hat", "file:///key")
    again = replace(offered(1), content=replace(offered(1).content, name="Another", path="/moved"), vendor="RH")
    store.manifests.describe_content("Example", again)
    described = store.catalogues.described(key)
    assert (described.name, described.path, described.vendor) == ("Another", "/content/dist/1", "RH")
    assert store.manifests.needed_products("Example") == {"rhel"}
    assert store.manifests.needed_products("Other") == set()
    store.repositories.withdraw("Example", "1")
    assert store.manifests.withdrawn("Example") == {"1"}


def test_history_is_the_newest_first_and_ends_with_the_organization(store: Store) -> None:
    event = ManifestEvent(
        "Example", NOW, Actor("anna", "local"), ManifestAction.IMPORT, "acme", "uuid-1", NOW, "0" * 64, "", 1, 2, 0, 0
    )
    store.manifests.note(event)
    store.manifests.note(replace(event, action=ManifestAction.DELETE))
    assert [each.action for each in store.manifests.history("Example")] == [
        ManifestAction.DELETE,
        ManifestAction.IMPORT,
    ]
    assert store.manifests.history("Example")[1] == event
    assert store.manifests.history("Other") == []
    _delete(store, "Example", ["rhel", "server"])
    store.organizations.create("Example", "Another of this name")
    assert store.manifests.history("Example") == []


def test_an_organization_with_a_manifest_stays(store: Store) -> None:
    store.manifests.put(RECORD, {})
    with pytest.raises(InUseError, match="subscription manifest"):
        _delete(store, "Example", ["rhel", "server"])
    store.manifests.remove("Example")
    store.organizations.delete("Example")


def _delete(store: Store, organization: str, products: Iterable[str]) -> None:
    for label in products:
        store.products.delete(organization, label)
    store.organizations.delete(organization)
