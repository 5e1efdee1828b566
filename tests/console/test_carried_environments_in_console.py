"""Lifecycle environments that bundles carry, in the console: said by an export, taken over by an approval or retry."""

from pathlib import Path

import pytest
from makers.boxes import Gap
from makers.consoles import arrive, session_of
from makers.operators import do, form, lines, told

from issbox.console.session import Session
from issbox.console.words import Target
from issbox.errors import NotPermittedError
from issbox.job_running import work_through
from issbox.model import Role
from issbox.workflows import history
from issbox.workflows.people import users

pytestmark = pytest.mark.usefixtures("_without_workers")


@pytest.fixture
def waiting(gap: Gap) -> Session:
    """The inside box with a bundle that carries environments and waits for an approval."""
    outside = session_of(gap.outside)
    told_first = told(outside, "exports.create", Target(), {"destination": "inside", "environments": "yes"})
    assert any("lifecycle environments" in line for line in told_first.lines)
    do(outside, "exports.create", destination="inside", environments="yes")
    work_through(outside.ctx)
    (made,) = history.list_exports(outside.ctx, "acme")
    arrive(gap.inside, Path(made.path), approvals=1)
    ctx = gap.inside.context()
    for name in ("ada", "ann"):
        users.create_user(ctx, name=name)
    users.grant_role(ctx, "ada", Role.SUPER_ADMIN)
    for role in (Role.IMPORTER, Role.PROMOTER):
        users.grant_role(ctx, "ann", role, organization="acme")
    return session_of(gap.inside, "ada")


def bundle(session: Session) -> Target:
    """Give the one line of the inbox as what an action is about."""
    (line,) = lines(session, "inbox")
    return Target(None, line.thing)


def test_an_approval_takes_environments_over_that_the_preview_shows(waiting: Session) -> None:
    shown = do(waiting, "inbox.preview", bundle(waiting)).text
    assert shown is not None
    assert "  dev after Library: new" in shown.lines
    asked = told(waiting, "inbox.approve", bundle(waiting), {"environments": "yes"})
    assert asked.lines[0] == "Its lifecycle environments are taken over with it."
    do(waiting, "inbox.approve", bundle(waiting), environments="yes")
    work_through(waiting.ctx)
    labels = [each.key for each in lines(waiting, "environments")]
    assert labels == ["Library", "dev", "qa", "prod"]


def test_an_approval_that_does_not_ask_takes_none_over(waiting: Session) -> None:
    assert form(waiting, "inbox.approve", bundle(waiting)) == {"environments": "no"}
    do(waiting, "inbox.approve", bundle(waiting))
    work_through(waiting.ctx)
    assert [each.key for each in lines(waiting, "environments")] == ["Library"]


def test_nothing_is_asked_of_a_bundle_that_carries_none(gap: Gap) -> None:
    outside = session_of(gap.outside)
    do(outside, "exports.create", destination="inside", environments="no")
    work_through(outside.ctx)
    (made,) = history.list_exports(outside.ctx, "acme")
    arrive(gap.inside, Path(made.path), approvals=1)
    inside = session_of(gap.inside)
    assert form(inside, "inbox.approve", bundle(inside)) == {}


def test_who_may_approve_but_not_change_environments_cannot_ask(gap: Gap, waiting: Session) -> None:
    ann = session_of(gap.inside, "ann")
    assert form(ann, "inbox.approve", bundle(ann)) == {}
    with pytest.raises(NotPermittedError):
        do(ann, "inbox.approve", bundle(ann), environments="yes")
    assert bundle(waiting).thing.approvals == ()
