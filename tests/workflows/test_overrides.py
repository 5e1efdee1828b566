"""Content overrides of hosts, environments and activation keys: who may, what is refused whole, and how many."""

from pathlib import Path

import pytest
from makers.fleets import Fleet, make_fleet

from issbox.errors import ConsumerDeletedError, InvalidValueError, NotFoundError, NotPermittedError
from issbox.model import ActivationKey, ContentOverride, OverrideHolder, OverrideKind, Role
from issbox.workflows.hosts import activation_keys, consumers, overrides
from issbox.workflows.hosts.overrides import change_overrides, read_overrides
from issbox.workflows.people import users
from issbox.workflows.people.audit_log import list_audit

ONE = ContentOverride("base", "enabled", "1")
DEV = OverrideHolder(OverrideKind.ENVIRONMENT, "dev", "acme")
WEB = OverrideHolder(OverrideKind.ACTIVATION_KEY, "web", "acme")


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    fleet = make_fleet(tmp_path)
    activation_keys.create_activation_key(fleet.ctx, ActivationKey("acme", "web", environments=("dev",)))
    return fleet


@pytest.mark.parametrize("kind", OverrideKind)
def test_all_kinds_are_set_and_taken_away_alike(fleet: Fleet, kind: OverrideKind) -> None:
    host = OverrideHolder(OverrideKind.CONSUMER, fleet.host("one", "dev").uuid)
    holder = {OverrideKind.CONSUMER: host, OverrideKind.ENVIRONMENT: DEV, OverrideKind.ACTIVATION_KEY: WEB}[kind]
    two = ContentOverride("apps", "Priority", "5")
    found = change_overrides(fleet.ctx, holder, put=[ONE, two])
    assert found == read_overrides(fleet.ctx, holder) == [ContentOverride("apps", "priority", "5"), ONE]
    (told,) = list_audit(fleet.ctx, limit=1)
    assert (told.action.rpartition(".")[2], told.subject, told.organization) == ("override", holder.name, "acme")
    for wrong in (
        ContentOverride("base", "name", "x"),
        ContentOverride("", "enabled", "1"),
        ContentOverride("a", "b", "\n"),
    ):
        with pytest.raises(InvalidValueError):
            change_overrides(
                fleet.ctx, holder, put=[ContentOverride("new", "enabled", "1"), wrong], drop=[(None, None)]
            )
    assert read_overrides(fleet.ctx, holder) == found
    assert change_overrides(fleet.ctx, holder, put=[ONE], drop=[(None, None)]) == [ONE]
    assert change_overrides(fleet.ctx, holder, drop=[("base", "enabled"), ("absent", None)]) == []


def test_nobody_has_them_without_end(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overrides, "_MOST", 3)
    many = [ContentOverride(f"c{number}", "enabled", "1") for number in range(4)]
    change_overrides(fleet.ctx, DEV, put=many[:3])
    with pytest.raises(InvalidValueError, match="4 content overrides are too many"):
        change_overrides(fleet.ctx, DEV, put=many[3:])
    assert read_overrides(fleet.ctx, DEV) == many[:3]
    assert len(change_overrides(fleet.ctx, DEV, put=many[3:], drop=[("c0", None)])) == 3


def test_who_may(fleet: Fleet) -> None:
    users.create_user(fleet.ctx, name="pat")
    users.grant_role(fleet.ctx, "pat", Role.PROMOTER, organization="acme")
    users.create_user(fleet.ctx, name="vic")
    users.grant_role(fleet.ctx, "vic", Role.VIEWER, organization="acme")
    users.create_user(fleet.ctx, name="nora")
    pat, vic, nora = (fleet.ctx.acting_as(name, "test") for name in ("pat", "vic", "nora"))
    host = OverrideHolder(OverrideKind.CONSUMER, fleet.host("one", "dev").uuid)
    assert change_overrides(pat, DEV, put=[ONE]) == read_overrides(vic, DEV) == [ONE]
    for holder in (host, WEB):
        with pytest.raises(NotPermittedError):
            change_overrides(pat, holder, put=[ONE])
        with pytest.raises(NotPermittedError):
            read_overrides(vic, holder)
    with pytest.raises(NotPermittedError):
        change_overrides(vic, DEV, put=[ONE])
    for holder in (DEV, WEB):
        with pytest.raises(NotFoundError):
            read_overrides(nora, holder)
    assert read_overrides(fleet.ctx, host) == [ONE], "those of its environment"


def test_a_deleted_host_has_none(fleet: Fleet) -> None:
    host = OverrideHolder(OverrideKind.CONSUMER, fleet.host("one").uuid)
    consumers.delete_consumer(fleet.ctx, host.name)
    for deed in (read_overrides, change_overrides):
        with pytest.raises(ConsumerDeletedError):
            deed(fleet.ctx, host)
