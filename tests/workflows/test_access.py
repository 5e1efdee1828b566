"""What a context lets its user do, and what it writes down when it refuses."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from issbox.config import load_settings
from issbox.errors import NotFoundError, NotPermittedError
from issbox.model import Actor, AuditEntry, Role
from issbox.progress import Silent
from issbox.store import Store
from issbox.wiring import calling_actor
from issbox.workflows.content import catalog
from issbox.workflows.context import Context, Permission
from issbox.workflows.people import users

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def admin(store: Store, tmp_path: Path) -> Context:
    """The local administrator of a box with two organizations and the users ann and bob."""
    settings = load_settings({"ISSBOX_STATE_DIR": str(store.state_dir), "XDG_CONFIG_HOME": str(tmp_path)})
    ctx = Context(store, settings, Actor("root", "local"), lambda: NOW, Silent())
    for label in ("ACME", "Other"):
        catalog.create_organization(ctx, label=label, name=label)
    for name in ("ann", "bob"):
        users.create_user(ctx, name=name)
    return ctx


@pytest.fixture
def ann(admin: Context) -> Context:
    """The user ann, without any role yet."""
    return admin.acting_as("ann", "192.0.2.7")


def refusals(ctx: Context) -> list[AuditEntry]:
    return [entry for entry in ctx.store.audit.list() if entry.action == "permission.refuse"]


def test_the_local_administrator_may_everything(admin: Context) -> None:
    for permission in Permission:
        admin.require(permission)
        admin.require(permission, "ACME", ["Tools"])
        admin.require_anywhere(permission)
        assert admin.require_some(permission, "ACME").cover([])
    assert refusals(admin) == []


def test_a_refusal_is_written_down_with_who_and_from_where(admin: Context, ann: Context) -> None:
    users.grant_role(admin, "ann", Role.VIEWER, organization="ACME")
    with pytest.raises(NotPermittedError, match="ann may not export content of the product Tools") as caught:
        ann.require(Permission.CONTENT_EXPORT, "ACME", ["Tools"])
    assert caught.value.exit_code == 12
    assert caught.value.hint == NotPermittedError.hint
    (entry,) = refusals(admin)
    assert (entry.actor, entry.subject, entry.organization) == (Actor("ann", "192.0.2.7"), "content.export", "ACME")
    assert entry.details == {"products": ["Tools"]}


def test_the_hint_names_super_admins_to_ask(admin: Context, ann: Context) -> None:
    users.grant_role(admin, "bob", Role.SUPER_ADMIN)
    with pytest.raises(NotPermittedError) as caught:
        ann.require(Permission.USER_MANAGE)
    assert "bob" in caught.value.hint
    users.update_user(admin, "bob", disabled=True)
    with pytest.raises(NotPermittedError) as caught:
        ann.require(Permission.USER_MANAGE)
    assert "bob" not in caught.value.hint


def test_a_refusal_stays_when_the_caller_rolls_back(admin: Context, ann: Context) -> None:
    with suppress(NotPermittedError), admin.store.transaction():
        ann.store.organizations.create("Third", "Third")
        with ann.store.transaction():
            ann.require(Permission.ORGANIZATION_MANAGE)
    assert [each.label for each in admin.store.organizations.list()] == ["ACME", "Other"]
    assert [entry.subject for entry in refusals(admin)] == ["organization.manage"]
    admin.store.audit.verify()


def test_a_refusal_that_the_caller_survives_is_written_once(admin: Context, ann: Context) -> None:
    with admin.store.transaction():
        with pytest.raises(NotPermittedError):
            ann.require(Permission.USER_MANAGE)
        admin.audit("something.else", "x")
    with admin.store.transaction():
        pass
    assert [entry.action for entry in admin.store.audit.list()][-2:] == ["something.else", "permission.refuse"]
    assert len(refusals(admin)) == 1


def test_a_foreign_organization_looks_as_if_it_did_not_exist(admin: Context, ann: Context) -> None:
    users.grant_role(admin, "ann", Role.ORG_ADMIN, organization="ACME")
    said = []
    for label in ("Other", "None"):
        with pytest.raises(NotFoundError) as caught:
            catalog.list_products(ann, label)
        said.append((str(caught.value).replace(label, "X"), caught.value.hint))
        with pytest.raises(NotFoundError):
            catalog.create_product(ann, organization=label, label="p", name="p")
    with pytest.raises(NotFoundError) as caught:
        admin.store.organizations.get("None")
    assert said == [(str(caught.value).replace("None", "X"), caught.value.hint)] * 2
    assert [entry.organization for entry in refusals(admin)] == ["Other", "Other"]
    assert [each.label for each in catalog.list_organizations(ann)] == ["ACME"]
    assert catalog.choose_organization(ann, None) == "ACME"


def test_lists_show_only_the_products_of_a_limited_role(admin: Context, ann: Context) -> None:
    for label in ("Base", "Tools"):
        catalog.create_product(admin, organization="ACME", label=label, name=label)
    users.grant_role(admin, "ann", Role.ORG_ADMIN, organization="ACME", products=("Tools",))
    assert [each.label for each in catalog.list_products(ann, "ACME")] == ["Tools"]
    assert catalog.update_product(ann, "ACME", "Tools", name="New").name == "New"
    for refused in ("Base", "Another"):
        with pytest.raises(NotPermittedError, match="cover only the product Tools"):
            catalog.create_product(ann, organization="ACME", label=refused, name="x")
    with pytest.raises(NotPermittedError):
        catalog.get_product(ann, "ACME", "Base")


def test_roles_end_at_once(admin: Context, ann: Context) -> None:
    users.grant_role(admin, "ann", Role.SUPER_ADMIN)
    ann.require(Permission.USER_MANAGE)
    users.update_user(admin, "ann", disabled=True)
    with pytest.raises(NotPermittedError):
        ann.require(Permission.USER_MANAGE)
    users.update_user(admin, "ann", disabled=False)
    ann.require(Permission.USER_MANAGE)
    users.revoke_role(admin, "ann", Role.SUPER_ADMIN)
    with pytest.raises(NotPermittedError):
        ann.require(Permission.USER_MANAGE)
    users.grant_role(admin, "ann", Role.SUPER_ADMIN)
    users.delete_user(admin, "ann")
    with pytest.raises(NotPermittedError):
        ann.require(Permission.USER_MANAGE)


def test_only_an_enabled_user_enters(admin: Context, ann: Context) -> None:
    assert users.check_enters(ann, "ann").name == "ann"
    users.update_user(admin, "bob", disabled=True)
    for name in ("bob", "eve", "", "Ann", "a\nb", "x" * 300, "\udcff"):
        with pytest.raises(NotPermittedError):
            users.check_enters(admin.acting_as(name, "192.0.2.9"), name)
    entries = refusals(admin)
    assert [entry.details["reason"] for entry in entries[:2]] == ["disabled", "unknown"]
    assert len(entries) == 7
    assert all(len(entry.actor.name) <= 64 for entry in entries)


def test_who_calls() -> None:
    ssh = {"ISSBOX_USER": "ann", "SSH_CONNECTION": "192.0.2.7 5000 192.0.2.1 22", "SUDO_USER": "eve"}
    assert calling_actor(ssh) == Actor("ann", "192.0.2.7")
    assert calling_actor({"ISSBOX_USER": ""}) == Actor("", "local")
    assert calling_actor({"SUDO_USER": "eve"}).name.endswith("(sudo by eve)")
