"""What rows say about serving: open repositories, environments that stand in for a CDN, authorities of hosts."""

import pytest
from makers.stores import KEY, NOW, repository

from issbox.errors import InUseError, NotFoundError
from issbox.model import ContentCredential, CredentialKind, LifecycleEnvironment, Product
from issbox.store import Store


@pytest.fixture
def filled(store: Store) -> Store:
    store.organizations.create("Example", "Example")
    store.organizations.create("Other", "Other")
    for label in ("first", "second"):
        credential = ContentCredential("Example", label, label, CredentialKind.CA_CERTIFICATE, "PEM")
        store.credentials.create(credential)
    store.products.create(Product("Example", "tools", "Tools"))
    return store


def test_an_organization_knows_whose_certificates_of_hosts_it_accepts(filled: Store) -> None:
    assert filled.organizations.get("Example").client_cas == ()
    filled.credentials.accept_from_hosts("Example", ["second", "first", "second"])
    assert filled.organizations.get("Example").client_cas == ("first", "second")
    assert [each.client_cas for each in filled.organizations.list()] == [("first", "second"), ()]
    with pytest.raises(InUseError, match="organization Example for certificates of hosts"):
        filled.credentials.delete("Example", "first")
    with pytest.raises(NotFoundError):
        filled.credentials.accept_from_hosts("Other", ["first"])
    filled.credentials.accept_from_hosts("Example", [])
    filled.credentials.delete("Example", "first")
    assert filled.organizations.get("Example").client_cas == ()


def test_deleting_an_organization_takes_its_authorities_with_it(filled: Store) -> None:
    filled.credentials.accept_from_hosts("Example", ["first"])
    filled.products.delete("Example", "tools")
    filled.organizations.delete("Example")
    assert [each.label for each in filled.organizations.list()] == ["Other"]


def test_an_environment_stands_in_for_a_cdn_only_when_told(filled: Store) -> None:
    made = filled.environments.create(LifecycleEnvironment("Example", "dev", "Dev", "Library"))
    assert not made.serves_as_cdn
    assert filled.environments.update("Example", "dev", serves_as_cdn=True, at=NOW).serves_as_cdn
    assert [each.serves_as_cdn for each in filled.environments.list("Example")] == [False, True]
    assert not filled.environments.update("Example", "dev", name="D", serves_as_cdn=False, at=NOW).serves_as_cdn


def test_a_repository_is_protected_until_it_is_opened_and_filtered_ones_follow(filled: Store) -> None:
    made = filled.repositories.create(repository())
    assert not made.unprotected
    derived = filled.repositories.derive(type(KEY)(KEY.organization, KEY.product, KEY.label, "view"))
    assert filled.repositories.update(KEY, unprotected=True).unprotected
    assert filled.repositories.get(derived.key).unprotected
