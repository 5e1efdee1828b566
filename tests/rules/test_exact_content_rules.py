"""Making an environment hold exactly something: that and nothing else, once, and back again."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issbox.model import (
    LIBRARY,
    Actor,
    Held,
    LifecycleEnvironment,
    PromotionAction,
    PromotionRecord,
    RepositoryKey,
    ViewVersionName,
)
from issbox.rules.environments.exact_content import plan_exact_content
from issbox.rules.environments.promoting import PromotionPlan, plan_undo

ENVIRONMENTS = [
    LifecycleEnvironment("acme", LIBRARY, LIBRARY, None),
    LifecycleEnvironment("acme", "dev", "Development", LIBRARY),
    LifecycleEnvironment("acme", "prod", "Production", "dev"),
]
PLACES = {each.label: each for each in ENVIRONMENTS}
BASE, APPS = (RepositoryKey("acme", "tools", label) for label in ("base", "apps"))
ONE = ViewVersionName("servers", "1.0")

keys = st.builds(
    RepositoryKey, st.just("acme"), st.just("tools"), st.sampled_from("abc"), st.sampled_from(["", "servers"])
)
holdings = st.lists(
    st.builds(Held, keys, st.integers(1, 3), st.sampled_from([None, True, False]), st.sampled_from([None, ONE])),
    max_size=3,
    unique_by=lambda each: each.key.source,
)


def plan(held: list[Held], wanted: list[Held], place: str = "dev", **more: object) -> PromotionPlan:
    known: dict[str, object] = {"subject": "exactly so", "prior": []}
    return plan_exact_content(ENVIRONMENTS, PLACES[place], held, wanted, **(known | more))  # type: ignore[arg-type]


def applied(held: list[Held], planned: PromotionPlan) -> list[Held]:
    present = {each.key.source: each for each in held}
    for change in planned.changes:
        assert present.pop(change.key.source, None) == change.before
        if change.after is not None:
            present[change.key.source] = change.after
    return sorted(present.values(), key=lambda each: each.key)


@given(holdings, holdings)
def test_it_holds_exactly_what_was_asked_for(held: list[Held], wanted: list[Held]) -> None:
    after = applied(held, plan(held, wanted))
    assert {(each.key, each.number, each.view_version) for each in after} == {
        (each.key, each.number, each.view_version) for each in wanted
    }
    before = {each.key.source: each.enabled for each in held}
    asked = {each.key.source: each.enabled for each in wanted}
    for each in after:
        said = asked[each.key.source]
        assert each.enabled == (before.get(each.key.source) if said is None else said)


@given(holdings, holdings)
def test_asking_twice_is_asking_once(held: list[Held], wanted: list[Held]) -> None:
    assert plan(applied(held, plan(held, wanted)), wanted).changes == ()


@given(holdings, holdings)
def test_it_can_be_taken_back(held: list[Held], wanted: list[Held]) -> None:
    planned = plan(held, wanted)
    record = PromotionRecord(
        id=7,
        organization="acme",
        environment="dev",
        at=datetime(2026, 11, 1, tzinfo=UTC),
        actor=Actor("x", "local"),
        action=planned.action,
        subject=planned.subject,
        reason="",
        before=tuple(change.before for change in planned.changes if change.before is not None),
        after=tuple(change.after for change in planned.changes if change.after is not None),
    )
    after = applied(held, planned)
    back = plan_undo(PLACES["dev"], after, record, {})
    assert back.refusals == ()
    assert [(each.key, each.number) for each in applied(after, back)] == sorted(
        (each.key, each.number) for each in held
    )


@pytest.mark.parametrize(
    ("wanted", "place", "more", "codes"),
    [
        ([Held(BASE, 2)], "dev", {}, []),
        ([Held(BASE, 2)], "prod", {}, ["out-of-order"]),
        ([Held(BASE, 2), Held(APPS, 1)], "prod", {}, ["out-of-order", "out-of-order"]),
        ([Held(BASE, 2)], "prod", {"prior": [Held(BASE, 2)]}, []),
        ([Held(BASE, 2)], "prod", {"prior": [Held(BASE, 1)]}, ["out-of-order"]),
        ([Held(BASE, 9)], "prod", {}, []),
        ([Held(BASE, 2)], "prod", {"force": True, "reason": "urgent"}, []),
        ([Held(BASE, 2), Held(APPS, 1)], "prod", {"force": True, "reason": " "}, ["no-reason"]),
        ([], "prod", {}, []),
        ([], LIBRARY, {"force": True, "reason": "x"}, ["library"]),
        ([Held(BASE, 2), Held(APPS, 1)], LIBRARY, {}, ["library"]),
        ([Held(BASE, 2), Held(replace(BASE, view="servers"), 2)], "dev", {}, ["twice"]),
        ([Held(BASE, 2)], "dev", {"unknown": ["no x", "no y"]}, ["unknown", "unknown"]),
    ],
)
def test_every_reason_against_it_is_told(
    wanted: list[Held], place: str, more: dict[str, object], codes: list[str]
) -> None:
    planned = plan([Held(BASE, 9)], wanted, place, **more)
    assert [each.code for each in planned.refusals] == codes
    assert all(each.message and each.hint for each in planned.refusals)
    assert planned.action is PromotionAction.SET
