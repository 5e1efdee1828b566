"""Locations of Red Hat content: rows in, the same words out, on both databases."""

import pytest
from makers.stores import KEY, Library

from issbox.errors import InUseError, NotFoundError
from issbox.model import CdnLocation, CdnServer, CdnType, CdnUpstream, ContentCredential, CredentialKind

ACME = KEY.organization


def test_a_location_comes_back_as_it_was_put(library: Library) -> None:
    store = library.store
    store.credentials.create(ContentCredential(ACME, "ca", "CA", CredentialKind.CA_CERTIFICATE, "pem"))
    store.credentials.create(ContentCredential(ACME, "client", "C", CredentialKind.CLIENT_CERTIFICATE, "pem"))
    assert store.cdn_locations.get(ACME) == CdnLocation(ACME)
    for location in (
        CdnLocation(
            ACME,
            CdnType.NETWORK_SYNC,
            "https://box1",
            "ca",
            "client",
            "",
            False,
            CdnUpstream("A", "B", "C", CdnServer.KATELLO),
        ),
        CdnLocation(ACME, CdnType.EXPORT_SYNC, None, shows_manifest=False),
        CdnLocation(ACME, ca="ca", proxy="http://proxy"),
    ):
        store.cdn_locations.put(location)
        assert store.cdn_locations.get(ACME) == location
    with pytest.raises(InUseError, match="CDN location"):
        store.credentials.delete(ACME, "ca")
    store.credentials.delete(ACME, "client")


def test_only_what_is_there_can_be_named(library: Library) -> None:
    store = library.store
    with pytest.raises(NotFoundError):
        store.cdn_locations.get("nobody")
    with pytest.raises(NotFoundError):
        store.cdn_locations.put(CdnLocation(ACME, ca="absent"))
    assert store.cdn_locations.get(ACME) == CdnLocation(ACME)


def test_an_organization_goes_with_its_location(library: Library) -> None:
    store = library.store
    store.organizations.create("other", "Other")
    store.cdn_locations.put(CdnLocation("other", CdnType.CUSTOM_CDN, "https://cdn", shows_manifest=False))
    store.organizations.delete("other")
    store.organizations.create("other", "Other")
    assert store.cdn_locations.get("other") == CdnLocation("other")
