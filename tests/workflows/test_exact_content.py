"""Environments that hold exactly what is asked for, or all that another one holds, in a real store."""

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers.boxes import KEY
from makers.fleets import APPS, Fleet, make_fleet

from issbox.errors import InvalidValueError, NotFoundError, PromotionRefusedError
from issbox.model import LIBRARY, PackageRule, PromotionRecord, ViewFilter, ViewVersionName, WantedContent
from issbox.rules.environments.promoted_states import ContentState
from issbox.workflows.content import repositories, views
from issbox.workflows.content.view_publishing import publish_view
from issbox.workflows.environments import contents, environments, promoting
from issbox.workflows.environments.exact_content import plan_content_set, plan_everything
from issbox.workflows.environments.wanted_content import read_wanted, view_content
from issbox.workflows.job_kinds import from_row, to_row
from issbox.workflows.job_kinds.promotions import PromoteJob
from issbox.workflows.jobs import create_job, run_job

BASE_ONE, APPS_ONE = WantedContent("tools", "base", 1), WantedContent("tools", "apps", 1)
ONE = ViewVersionName("servers", "1.0")


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return make_fleet(tmp_path)


def put(fleet: Fleet, environment: str, *wanted: WantedContent, **order: object) -> PromotionRecord | None:
    plan = plan_content_set(fleet.ctx, "acme", environment, wanted, **order)  # type: ignore[arg-type]
    return promoting.promote(fleet.ctx, plan)


def held(fleet: Fleet, environment: str) -> dict[str, int]:
    content = environments.get_environment(fleet.ctx, "acme", environment).content
    return {each.repository.key.short: each.number for each in content}


def shown(fleet: Fleet, environment: str) -> set[str]:
    root = fleet.gap.outside.state / "content/acme" / environment
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_symlink()}


def test_what_is_asked_for_is_there_and_nothing_else(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev")
    fleet.promote(APPS, "dev")
    assert fleet.paths(host) == ["/acme/dev/custom/tools/apps"]
    plan = plan_content_set(fleet.ctx, "acme", "dev", [BASE_ONE])
    assert [(each.key.label, each.kind) for each in plan.changes] == [("apps", "out"), ("base", "in")]
    assert (plan.effect.hosts.number, plan.effect.certificates) == (1, 1)
    assert held(fleet, "dev") == {"tools/apps": 1}, "a plan changes nothing"
    record = promoting.promote(fleet.ctx, plan)
    assert record is not None
    assert (held(fleet, "dev"), shown(fleet, "dev")) == ({"tools/base": 1}, {"custom/tools/base"})
    assert fleet.stale(host) == {"dev1"}
    assert fleet.paths(host) == ["/acme/dev/custom/tools/base"]
    with fleet.ctx.store.session():
        entry = [each for each in fleet.ctx.store.audit.list() if each.action == "promotion.set"][-1]
    assert entry.details == {"reason": "", "changes": {"tools/apps": ["1", None], "tools/base": [None, "1"]}}
    assert put(fleet, "dev", BASE_ONE) is None, "asking twice is asking once"
    promoting.promote(fleet.ctx, promoting.plan_undo(fleet.ctx, record.id))
    assert (held(fleet, "dev"), fleet.paths(host)) == ({"tools/apps": 1}, ["/acme/dev/custom/tools/apps"])
    put(fleet, "dev")
    assert (held(fleet, "dev"), fleet.paths(host)) == ({}, [])
    fleet.gap.outside.check()


def test_asking_again_carries_no_changed_product_to_hosts(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev")
    put(fleet, "dev", BASE_ONE)
    serial = fleet.certificate(host).serial
    repositories.update_repository(fleet.ctx, KEY, arches=["x86_64"])
    assert put(fleet, "dev", BASE_ONE) is None
    assert (fleet.stale(host), fleet.certificate(host).serial) == (set(), serial)
    put(fleet, "dev", replace(BASE_ONE, enabled=False))
    (status,) = [each for each in contents.list_statuses(fleet.ctx, "acme", "dev") if each.override is not None]
    assert (status.enabled, status.states) == (False, (ContentState.CHANGED,))


def test_all_that_stands_against_it_is_told_at_once(fleet: Fleet) -> None:
    unknown = WantedContent("tools", "base", 9)
    of_view = replace(BASE_ONE, view_version=ONE)
    plan = plan_content_set(fleet.ctx, "acme", "prod", [unknown, of_view, BASE_ONE, APPS_ONE])
    assert [each.code for each in plan.refusals] == ["unknown", "unknown", "out-of-order", "out-of-order"]
    with pytest.raises(PromotionRefusedError, match=r"no version 9.*no version 1\.0.*tools/base.*tools/apps|servers"):
        promoting.promote(fleet.ctx, plan)
    assert held(fleet, "prod") == {}
    assert put(fleet, "prod", BASE_ONE, force=True, reason="urgent") is not None
    with pytest.raises(PromotionRefusedError, match="Library"):
        put(fleet, LIBRARY, force=True, reason="x")
    with pytest.raises(NotFoundError):
        put(fleet, "nowhere")


def test_filtered_content_of_a_view_is_the_views_own(fleet: Fleet) -> None:
    views.create_view(fleet.ctx, organization="acme", label="servers", name="Servers")
    views.add_repository(fleet.ctx, "acme", "servers", KEY)
    views.create_filter(fleet.ctx, "acme", "servers", ViewFilter("less", False, PackageRule(("gap-almanac",))))
    publish_view(fleet.ctx, "acme", "servers")
    wanted = view_content(fleet.ctx, "acme", [ONE])
    assert wanted == [WantedContent("tools", "base", 1, ONE)]
    put(fleet, "dev", *wanted)
    assert held(fleet, "dev") == {"tools/base@servers": 1}
    with pytest.raises(PromotionRefusedError, match="asked for twice"):
        put(fleet, "dev", *wanted, BASE_ONE)


def test_everything_goes_on_to_the_next_environment(fleet: Fleet) -> None:
    host = fleet.host("prod1", "prod")
    promoting.promote(fleet.ctx, plan_everything(fleet.ctx, "acme", LIBRARY, "dev"))
    assert held(fleet, "dev") == {"tools/base": 1, "tools/apps": 1}
    contents_of_dev = contents.list_statuses(fleet.ctx, "acme", "dev")
    contents.enable_content(fleet.ctx, "acme", "dev", contents_of_dev[0].label, enabled=False)
    repositories.update_repository(fleet.ctx, KEY, arches=["aarch64"])
    record = promoting.promote(fleet.ctx, plan_everything(fleet.ctx, "acme", "dev", "prod"))
    assert record is not None
    assert (record.action, record.subject) == ("promote", "everything in dev")
    assert len(fleet.paths(host)) == 2, "hosts are told what those of dev are told, not what is new"
    assert [each.override for each in contents.list_statuses(fleet.ctx, "acme", "prod")] == [None, None]
    assert plan_everything(fleet.ctx, "acme", "dev", "prod").changes == ()
    fleet.demote(APPS, "dev")
    assert plan_everything(fleet.ctx, "acme", "dev", "prod").changes == ()
    exact = plan_everything(fleet.ctx, "acme", "dev", "prod", exactly=True)
    assert [(each.key.label, each.kind) for each in exact.changes] == [("apps", "out")]
    promoting.promote(fleet.ctx, exact)
    assert shown(fleet, "prod") == {"custom/tools/base"}
    fleet.gap.outside.check()


def test_everything_goes_past_no_environment(fleet: Fleet) -> None:
    for exactly in (False, True):
        plan = plan_everything(fleet.ctx, "acme", LIBRARY, "prod", exactly=exactly)
        assert {each.code for each in plan.refusals} == {"out-of-order"}
        plan = plan_everything(fleet.ctx, "acme", "prod", LIBRARY, exactly=exactly)
        assert {each.code for each in plan.refusals} == {"library"}


def test_processors_left_out_take_a_reason_as_well(fleet: Fleet) -> None:
    fleet.host("dev1", "dev")
    with fleet.ctx.store.session(), fleet.ctx.store.transaction():
        content = replace(fleet.ctx.store.repositories.get(KEY).content, path="/custom/tools/$basearch/base")
        fleet.ctx.store.repositories.update(KEY, content=content, variables={"basearch": "aarch64"})
    for order in ({}, {"force": True}):
        plan = plan_content_set(fleet.ctx, "acme", "dev", [BASE_ONE], **order)  # type: ignore[arg-type]
        assert [each.code for each in plan.refusals] == ["arch-missing"]
    assert put(fleet, "dev", BASE_ONE, force=True, reason="others follow") is not None


def test_as_jobs(fleet: Fleet) -> None:
    for parameters, expected in (
        (PromoteJob("acme", "dev", "", source=LIBRARY), {"tools/base": 1, "tools/apps": 1}),
        (PromoteJob("acme", "dev", "", wanted=(BASE_ONE,)), {"tools/base": 1}),
        (PromoteJob("acme", "dev", "", wanted=()), {}),
    ):
        assert from_row("promote", to_row(parameters)) == parameters
        done = run_job(fleet.ctx, create_job(fleet.ctx, parameters).id)
        assert done is not None
        assert (done.state, held(fleet, "dev")) == ("finished", expected)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("[]", "expected object"),
        ('{"content": [{"repository": "tools/base"}]}', r"\$\.content\[0\].*version"),
        ('{"content": [{"repository": "tools/base", "version": 0}]}', r"content\[0\].version"),
        ('{"content": [{"repository": "tools", "version": 1}]}', r"content\[0\].repository: 'tools' is not PRODUCT/"),
        ('{"content": [{"repository": "../base", "version": 1}]}', "is not PRODUCT/LABEL"),
        ('{"content": [{"repository": "a/b", "version": 1, "content_view": "x"}]}', "belong together"),
        (
            '{"content": [{"repository": "a/b", "version": 1, "content_view": "x", "content_view_version": "new"}]}',
            r"content_view_version: 'new' is not valid",
        ),
        ("[" * 100_000, "nested too deeply|not JSON|expected"),
    ],
)
def test_a_list_of_content_that_is_wrong_says_where(text: str, words: str) -> None:
    with pytest.raises(InvalidValueError, match=words):
        read_wanted(text.encode(), "dev.json")


labels = st.text("abcXYZ019_-", min_size=1, max_size=8)
numbers = st.builds("{}.{}".format, st.integers(0, 99), st.integers(0, 9))
wanted_contents = st.builds(
    WantedContent,
    labels,
    labels,
    st.integers(1, 2**31 - 1),
    st.none() | st.builds(ViewVersionName, labels, numbers),
    st.sampled_from([None, True, False]),
)


@given(st.lists(wanted_contents, max_size=5))
def test_what_info_writes_is_what_is_read(wanted: list[WantedContent]) -> None:
    content = [
        {
            "repository": f"{each.product}/{each.repository}",
            "path": "custom/x",
            "version": each.number,
            "filtered": True,
            "enabled": each.enabled,
            "content_view": None if each.view_version is None else each.view_version.view,
            "content_view_version": None if each.view_version is None else each.view_version.number,
        }
        for each in wanted
    ]
    assert read_wanted(json.dumps({"label": "dev", "content": content}).encode(), "x") == wanted


@given(st.binary(max_size=200))
def test_whatever_is_read_is_read_or_refused(data: bytes) -> None:
    with suppress(InvalidValueError):
        read_wanted(data, "x")
