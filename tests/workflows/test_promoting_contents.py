"""Promoting contents by their ids, as programs do that know neither repositories nor versions."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from makers.boxes import KEY
from makers.fleets import APPS, Fleet, make_fleet

from issbox.errors import AlreadyExistsError, BusyError, NotFoundError, NotPermittedError, PromotionRefusedError
from issbox.files import FileLock
from issbox.job_running import do_now
from issbox.model import LIBRARY, Role
from issbox.workflows.content import repositories
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.context import Context
from issbox.workflows.environments import environments, promoting
from issbox.workflows.environments.promoting_contents import plan_contents_exactly, plan_contents_in, plan_contents_out
from issbox.workflows.job_kinds import from_row, to_row
from issbox.workflows.job_kinds.content_promotions import Deed, PromoteContentJob
from issbox.workflows.jobs import list_jobs
from issbox.workflows.people import users


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return make_fleet(tmp_path)


@pytest.fixture
def ids(fleet: Fleet) -> dict[str, str]:
    """The content ids of base and apps."""
    return {key.label: repositories.get_repository(fleet.ctx, key).content.id for key in (KEY, APPS)}


def held(fleet: Fleet, environment: str) -> dict[str, tuple[int, bool | None]]:
    content = environments.get_environment(fleet.ctx, "acme", environment).content
    return {each.repository.key.label: (each.number, each.enabled) for each in content}


def do(fleet: Fleet, deed: Deed, contents: dict[str, bool | None], place: str = "dev", **more: object) -> None:
    do_now(fleet.ctx, PromoteContentJob("acme", place, deed, contents, **more))  # type: ignore[arg-type]


def test_contents_go_in_as_the_environment_before_has_them(fleet: Fleet, ids: dict[str, str]) -> None:
    fleet.gap.change_upstream(3)
    synchronize(fleet.ctx, KEY)
    do(fleet, Deed.PROMOTE, {ids["base"]: False, ids["apps"]: None})
    assert held(fleet, "dev") == {"base": (2, False), "apps": (1, None)}
    do(fleet, Deed.PROMOTE, {ids["base"]: True}, "prod")
    fleet.gap.change_upstream(1)
    synchronize(fleet.ctx, KEY)
    assert held(fleet, "prod") == {"base": (2, True)}
    do(fleet, Deed.DEMOTE, {ids["base"]: None})
    assert held(fleet, "dev") == {"apps": (1, None)}
    fleet.gap.outside.check()


def test_all_or_nothing(fleet: Fleet, ids: dict[str, str]) -> None:
    do(fleet, Deed.PROMOTE, {ids["base"]: None})
    with pytest.raises(AlreadyExistsError, match="holds the content"):
        do(fleet, Deed.PROMOTE, {ids["apps"]: None, ids["base"]: None})
    with pytest.raises(NotFoundError, match="has no content none"):
        do(fleet, Deed.PROMOTE, {ids["apps"]: None, "none": None})
    with pytest.raises(NotFoundError, match="does not hold"):
        do(fleet, Deed.DEMOTE, {ids["apps"]: None, ids["base"]: None})
    with pytest.raises(NotFoundError):
        do(fleet, Deed.SET, {"none": None})
    assert held(fleet, "dev") == {"base": (1, None)}
    assert [each.state for each in list_jobs(fleet.ctx)] == ["finished"], "what is refused makes no job"


def test_nothing_goes_past_an_environment_and_what_is_empty_is_refused(fleet: Fleet, ids: dict[str, str]) -> None:
    do(fleet, Deed.PROMOTE, {ids["apps"]: None})
    for deed in (Deed.PROMOTE, Deed.SET):
        with pytest.raises(PromotionRefusedError, match="dev, which comes before prod, holds nothing of the content"):
            do(fleet, deed, {ids["base"]: None, ids["apps"]: None}, "prod")
        with pytest.raises(PromotionRefusedError, match="only with a reason"):
            do(fleet, deed, {ids["base"]: None, ids["apps"]: None}, "prod", force=True)
        with pytest.raises(PromotionRefusedError, match="Library"):
            do(fleet, deed, {ids["base"]: None} if deed is Deed.SET else {}, LIBRARY)
    empty = repositories.create_repository(fleet.ctx, organization="acme", product="tools", label="new", name="New")
    for force in (False, True):
        with pytest.raises(PromotionRefusedError, match="holds nothing"):
            do(fleet, Deed.PROMOTE, {empty.content.id: None}, force=force, reason="why")
    do(fleet, Deed.PROMOTE, {ids["base"]: None, ids["apps"]: None}, "prod", force=True, reason="urgent")
    assert held(fleet, "prod") == {"base": (1, None), "apps": (1, None)}
    assert promoting.list_promotions(fleet.ctx, "acme")[0].reason == "urgent"


def test_exactly_these_contents(fleet: Fleet, ids: dict[str, str]) -> None:
    do(fleet, Deed.SET, {ids["base"]: False})
    assert held(fleet, "dev") == {"base": (1, False)}
    fleet.gap.change_upstream(3)
    synchronize(fleet.ctx, KEY)
    wanted: dict[str, bool | None] = {ids["base"]: None, ids["apps"]: None}
    do(fleet, Deed.SET, wanted)
    assert held(fleet, "dev") == {"base": (1, False), "apps": (1, None)}, "what is there stays"
    assert plan_contents_exactly(fleet.ctx, "acme", "dev", wanted).changes == ()
    do(fleet, Deed.SET, wanted, newest=True)
    assert held(fleet, "dev") == {"base": (2, False), "apps": (1, None)}
    do(fleet, Deed.SET, {ids["apps"]: True})
    assert held(fleet, "dev") == {"apps": (1, True)}
    do(fleet, Deed.SET, {})
    assert held(fleet, "dev") == {}


def as_user(fleet: Fleet, name: str, role: Role, *products: str) -> Context:
    users.create_user(fleet.ctx, name=name)
    users.grant_role(fleet.ctx, name, role, organization="acme", products=products)
    return fleet.ctx.acting_as(name, "192.0.2.1")


@pytest.mark.parametrize("role", [each for each in Role if each is not Role.SUPER_ADMIN])
def test_for_promoters_and_org_admins(fleet: Fleet, ids: dict[str, str], role: Role) -> None:
    ctx = as_user(fleet, "zoe", role)
    job = PromoteContentJob("acme", "dev", Deed.PROMOTE, {ids["base"]: None})
    if role in (Role.PROMOTER, Role.ORG_ADMIN):
        assert do_now(ctx, job).result["promotion"] == 1
    else:
        with pytest.raises(NotPermittedError):
            do_now(ctx, job)


def test_contents_of_other_products_are_not_there(fleet: Fleet, ids: dict[str, str]) -> None:
    ctx = as_user(fleet, "zoe", Role.PROMOTER, "others")
    for plan in (plan_contents_in, plan_contents_exactly):
        with pytest.raises(NotFoundError):
            plan(ctx, "acme", "dev", {ids["base"]: None})
    do(fleet, Deed.PROMOTE, {ids["base"]: None})
    with pytest.raises(NotFoundError):
        plan_contents_out(ctx, "acme", "dev", {ids["base"]: None})


def test_two_at_once_wait_for_each_other(fleet: Fleet, ids: dict[str, str]) -> None:
    failed: list[BaseException] = []

    def promote(label: str) -> None:
        try:
            do(fleet, Deed.PROMOTE, {ids[label]: None})
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=promote, args=(label,)) for label in ("base", "apps", "base")]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert held(fleet, "dev") == {"base": (1, None), "apps": (1, None)}
    assert [type(each) for each in failed] == [AlreadyExistsError], "the same twice is refused once"


def test_who_takes_too_long_is_not_waited_for(
    fleet: Fleet, ids: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("issbox.workflows.job_kinds.content_promotions._PAUSES", (0.01,))
    with FileLock(fleet.ctx.store.locks / "environment-acme-dev.lock"), pytest.raises(BusyError):
        do(fleet, Deed.PROMOTE, {ids["base"]: None})
    assert [each.error_code for each in list_jobs(fleet.ctx)] == ["busy"]


def test_parameters_survive_the_row(ids: dict[str, str]) -> None:
    job = PromoteContentJob("acme", "dev", Deed.SET, {"1": None, "2": True}, newest=True, reason="x")
    assert from_row(job.kind, to_row(job)) == job
    assert from_row(job.kind, to_row(replace(job, contents={}))).kind == "promote-content"
