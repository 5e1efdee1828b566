"""Users, their roles, and what they prove themselves with: rows in, the same words out."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from makers.stores import NOW, UndoError

from issbox.errors import AlreadyExistsError, DatabaseError, InvalidValueError, NotFoundError
from issbox.model import ApiToken, Attempts, Grant, Role, SshKey, User, UserSshKey
from issbox.store import Store

ANN, BOB = User("ann", "Ann Other", NOW), User("bob", "Bob", NOW, disabled=True)
KEY = SshKey("ssh-ed25519", "AAAA", "ann@desk", "SHA256:abc")


@pytest.fixture
def people(store: Store) -> Store:
    """A store with two organizations and two users."""
    for label in ("ACME", "Other"):
        store.organizations.create(label, label)
    store.users.create(BOB)
    store.users.create(ANN)
    return store


def test_users_are_kept_by_name(people: Store) -> None:
    assert people.users.list() == [ANN, BOB]
    assert people.users.get("bob") == people.users.find("bob") == BOB
    assert people.users.find("eve") is None
    with pytest.raises(AlreadyExistsError):
        people.users.create(ANN)
    with pytest.raises(InvalidValueError):
        people.users.create(User("Ann", "", NOW))
    assert people.users.update("ann", full_name="Ann New") == User("ann", "Ann New", NOW)
    assert people.users.update("ann", disabled=True).disabled
    assert people.users.update("ann").full_name == "Ann New"
    for act in (people.users.get, people.users.delete, lambda name: people.users.update(name, disabled=True)):
        with pytest.raises(NotFoundError, match="eve"):
            act("eve")


def test_roles_are_granted_once_and_add_up(people: Store) -> None:
    grants = people.grants
    for product in ("Tools", "Base"):
        grants.add("ann", Role.EXPORTER, "ACME", product)
    grants.add("ann", Role.VIEWER, "Other")
    grants.add("ann", Role.SUPER_ADMIN, None)
    grants.add("bob", Role.VIEWER, "ACME")
    assert grants.of("ann") == (
        Grant(Role.SUPER_ADMIN),
        Grant(Role.EXPORTER, "ACME", ("Base", "Tools")),
        Grant(Role.VIEWER, "Other"),
    )
    assert grants.all() == {"ann": grants.of("ann"), "bob": (Grant(Role.VIEWER, "ACME"),)}
    assert grants.of("eve") == ()
    for again in ((Role.EXPORTER, "ACME", "Tools"), (Role.VIEWER, "Other", None), (Role.SUPER_ADMIN, None, None)):
        with pytest.raises(AlreadyExistsError):
            grants.add("ann", *again)
    with pytest.raises(AlreadyExistsError, match="for the product Tools"):
        grants.add("bob", Role.VIEWER, "ACME", "Tools")


def test_org_admins_have_environments_where_the_organization_hands_them_over(people: Store) -> None:
    for organization, role in (("ACME", Role.ORG_ADMIN), ("ACME", Role.VIEWER), ("Other", Role.ORG_ADMIN)):
        people.grants.add("ann", role, organization)
    assert not any(each.environments for each in people.grants.of("ann"))
    assert people.organizations.update("ACME", hands_over_environments=True).hands_over_environments
    found = [(each.organization, each.role) for each in people.grants.of("ann") if each.environments]
    assert found == [("ACME", Role.ORG_ADMIN)]
    people.organizations.update("ACME", hands_over_environments=False)
    assert not any(each.environments for each in people.grants.of("ann"))


def test_a_role_for_all_products_takes_its_limits_away(people: Store) -> None:
    people.grants.add("ann", Role.EXPORTER, "ACME", "Tools")
    people.grants.add("ann", Role.EXPORTER, "ACME")
    assert people.grants.of("ann") == (Grant(Role.EXPORTER, "ACME"),)
    with pytest.raises(NotFoundError, match="Tools"):
        people.grants.remove("ann", Role.EXPORTER, "ACME", "Tools")
    people.grants.remove("ann", Role.EXPORTER, "ACME")
    assert people.grants.of("ann") == ()


def test_the_last_product_taken_away_leaves_no_role_for_all(people: Store) -> None:
    for product in ("Tools", "Base"):
        people.grants.add("ann", Role.EXPORTER, "ACME", product)
    people.grants.remove("ann", Role.EXPORTER, "ACME", "Tools")
    assert people.grants.of("ann") == (Grant(Role.EXPORTER, "ACME", ("Base",)),)
    people.grants.remove("ann", Role.EXPORTER, "ACME", "Base")
    assert people.grants.of("ann") == ()


@pytest.mark.parametrize(
    ("role", "organization", "product"),
    [
        (Role.SUPER_ADMIN, "ACME", None),
        (Role.SUPER_ADMIN, None, "Tools"),
        (Role.VIEWER, None, None),
        (Role.VIEWER, "ACME", "no label"),
        (Role.VIEWER, "ACME", ""),
    ],
)
def test_roles_that_make_no_sense(people: Store, role: Role, organization: str | None, product: str | None) -> None:
    with pytest.raises(InvalidValueError):
        people.grants.add("ann", role, organization, product)
    assert people.grants.of("ann") == ()


def test_roles_of_nobody_or_nowhere(people: Store) -> None:
    for user, organization in (("eve", "ACME"), ("ann", "None")):
        with pytest.raises(NotFoundError):
            people.grants.add(user, Role.VIEWER, organization)
        with pytest.raises(NotFoundError):
            people.grants.remove(user, Role.VIEWER, organization)


def test_roles_go_with_their_organization_and_do_not_come_back_with_its_label(people: Store) -> None:
    people.grants.add("ann", Role.ORG_ADMIN, "ACME")
    people.grants.add("ann", Role.VIEWER, "Other")
    people.organizations.delete("ACME")
    people.organizations.create("ACME", "another one")
    assert people.grants.of("ann") == (Grant(Role.VIEWER, "Other"),)


def test_passwords_and_attempts(people: Store) -> None:
    passwords = people.passwords
    assert passwords.get("ann") is None
    passwords.set_attempts("ann", Attempts(3, NOW))
    assert passwords.attempts("ann") == Attempts(3, NOW)
    passwords.set_attempts("ann", Attempts(4))
    assert passwords.attempts("ann") == Attempts(4, None)
    passwords.set("ann", "hash 1", NOW)
    passwords.set("ann", "hash 2", NOW)
    assert passwords.get("ann") == "hash 2"
    assert passwords.attempts("ann") == Attempts()
    passwords.remove("ann")
    assert passwords.get("ann") is None
    for name in ("ann", "eve"):
        with pytest.raises(NotFoundError):
            passwords.remove(name)
    with pytest.raises(NotFoundError):
        passwords.set("eve", "hash", NOW)


def test_tokens_are_found_by_digest(people: Store) -> None:
    token = ApiToken("ann", "backup", NOW, NOW + timedelta(days=1))
    people.tokens.add(token, "ab" * 32)
    people.tokens.add(ApiToken("bob", "backup", NOW), "cd" * 32)
    assert people.tokens.list("ann") == [token]
    assert people.tokens.find("ab" * 32) == token
    assert people.tokens.find("ef" * 32) is None
    people.tokens.mark_used("ab" * 32, NOW)
    assert people.tokens.list("ann")[0].used_at == NOW
    with pytest.raises(AlreadyExistsError):
        people.tokens.add(token, "ef" * 32)
    with pytest.raises(DatabaseError):
        people.tokens.add(ApiToken("ann", "other", NOW), "ab" * 32)
    people.tokens.remove("ann", "backup")
    assert people.tokens.find("ab" * 32) is None
    assert people.tokens.find("cd" * 32) is not None
    for user, name in (("ann", "backup"), ("eve", "backup")):
        with pytest.raises(NotFoundError):
            people.tokens.remove(user, name)


def test_a_key_belongs_to_one_user(people: Store) -> None:
    owned = UserSshKey("ann", KEY, NOW)
    people.ssh_keys.add(owned)
    for user in ("ann", "bob"):
        with pytest.raises(AlreadyExistsError, match="user ann"):
            people.ssh_keys.add(UserSshKey(user, KEY, NOW))
    assert people.ssh_keys.list() == people.ssh_keys.list("ann") == [owned]
    assert people.ssh_keys.list("bob") == []
    assert people.ssh_keys.find(KEY.fingerprint) == owned
    for user in ("bob", "eve"):
        with pytest.raises(NotFoundError):
            people.ssh_keys.remove(user, KEY.fingerprint)
    people.ssh_keys.remove("ann", KEY.fingerprint)
    assert people.ssh_keys.find(KEY.fingerprint) is None
    with pytest.raises(NotFoundError):
        people.ssh_keys.list("eve")


def test_a_deleted_user_leaves_nothing(people: Store) -> None:
    people.grants.add("ann", Role.VIEWER, "ACME")
    people.passwords.set("ann", "hash", NOW)
    people.passwords.set_attempts("ann", Attempts(7, NOW))
    people.tokens.add(ApiToken("ann", "backup", NOW), "ab" * 32)
    people.ssh_keys.add(UserSshKey("ann", KEY, NOW))
    people.users.delete("ann")
    people.users.create(ANN)
    assert people.grants.of("ann") == ()
    assert people.passwords.get("ann") is None
    assert people.passwords.attempts("ann") == Attempts()
    assert people.tokens.find("ab" * 32) is None
    assert people.ssh_keys.list() == []


def note(log: list[str], word: str) -> Callable[[], None]:
    return lambda: log.append(word)


def test_work_after_a_transaction(store: Store) -> None:
    log: list[str] = []
    store.after_transaction(note(log, "at once"))
    with store.transaction(), store.transaction():
        store.after_transaction(note(log, "committed"))
        assert log == ["at once"]
    assert log == ["at once", "committed"]
    with suppress(UndoError), store.transaction():
        store.after_transaction(note(log, "rolled back"))
        raise UndoError
    with store.transaction():
        pass
    assert log == ["at once", "committed", "rolled back"]
