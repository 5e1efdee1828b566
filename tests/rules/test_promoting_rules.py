"""What a promotion changes: everything it must and nothing else, in order, and back again."""

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
from issbox.rules.environments.promoting import ChangeKind, PromotionPlan, plan_demotion, plan_promotion, plan_undo

ENVIRONMENTS = [
    LifecycleEnvironment("acme", LIBRARY, LIBRARY, None),
    LifecycleEnvironment("acme", "dev", "Development", LIBRARY),
    LifecycleEnvironment("acme", "qa", "Quality", "dev"),
    LifecycleEnvironment("acme", "prod", "Production", "qa"),
]
PLACES = {each.label: each for each in ENVIRONMENTS}
BASE, APPS, EXTRA = (RepositoryKey("acme", "tools", label) for label in ("base", "apps", "extra"))
ONE, TWO, THEIRS = (
    ViewVersionName("servers", "1.0"),
    ViewVersionName("servers", "2.0"),
    ViewVersionName("theirs", "1.0"),
)


def filtered(key: RepositoryKey, view: str = "servers") -> RepositoryKey:
    return replace(key, view=view)


def plan(
    held: list[Held],
    wanted: list[Held],
    place: str = "dev",
    *,
    where: tuple[str, ...] = (),
    force: bool = False,
    reason: str = "",
) -> PromotionPlan:
    return plan_promotion(
        ENVIRONMENTS, PLACES[place], held, wanted, subject="servers 2.0", where=where, force=force, reason=reason
    )


def applied(held: list[Held], planned: PromotionPlan) -> list[Held]:
    """Give what an environment holds after a plan was carried out."""
    present = {each.key.source: each for each in held}
    for change in planned.changes:
        assert present.get(change.key.source) == change.before
        present.pop(change.key.source, None)
        if change.after is not None:
            present[change.key.source] = change.after
    return sorted(present.values())


keys = st.builds(
    RepositoryKey, st.just("acme"), st.just("tools"), st.sampled_from("abc"), st.sampled_from(["", "servers"])
)
names = st.sampled_from([None, ONE, TWO, THEIRS])
holdings = st.lists(
    st.builds(Held, keys, st.integers(1, 3), st.sampled_from([None, True, False]), names),
    max_size=3,
    unique_by=lambda each: each.key.source,
)
view_holdings = st.lists(
    st.builds(Held, keys, st.integers(1, 3), st.none(), st.just(TWO)),
    max_size=3,
    unique_by=lambda each: each.key.source,
)


@given(holdings, view_holdings)
def test_a_view_version_is_there_exactly_and_nothing_else_changes(held: list[Held], wanted: list[Held]) -> None:
    after = applied(held, plan(held, wanted))
    there = {each.key.source: each for each in after}
    for each in wanted:
        assert (there[each.key.source].key, there[each.key.source].number) == (each.key, each.number)
        assert there[each.key.source].view_version == TWO
    before = {each.key.source: each for each in held}
    for key in before.keys() - {each.key.source for each in wanted}:
        name = before[key].view_version
        other = name is None or name.view != "servers" or not wanted
        assert (there.get(key) == before[key]) if other else key not in there
    assert {key: each.enabled for key, each in there.items() if key in before} == {
        key: each.enabled for key, each in before.items() if key in there
    }


@given(holdings, view_holdings)
def test_promoting_again_changes_nothing(held: list[Held], wanted: list[Held]) -> None:
    after = applied(held, plan(held, wanted))
    assert plan(after, wanted).changes == ()


@given(holdings, view_holdings)
def test_undo_gives_what_was_there(held: list[Held], wanted: list[Held]) -> None:
    planned = plan(held, wanted)
    after = applied(held, planned)
    back = plan_undo(PLACES["dev"], after, record(planned), {})
    assert back.refusals == ()
    assert applied(after, back) == sorted(held)
    assert (back.action, back.undoes) == (PromotionAction.UNDO, 7)


def record(planned: PromotionPlan, undone_by: int | None = None) -> PromotionRecord:
    return PromotionRecord(
        id=7,
        organization="acme",
        environment=planned.environment,
        at=datetime(2026, 11, 1, tzinfo=UTC),
        actor=Actor("x", "local"),
        action=planned.action,
        subject=planned.subject,
        reason="",
        before=tuple(change.before for change in planned.changes if change.before is not None),
        after=tuple(change.after for change in planned.changes if change.after is not None),
        undone_by=undone_by,
    )


def test_kinds_of_changes_and_what_is_said_of_them() -> None:
    held = [
        Held(BASE, 1, None, ONE),
        Held(filtered(APPS), 4, True, ONE),
        Held(EXTRA, 2, None, THEIRS),
        Held(replace(BASE, label="gone"), 1, None, ONE),
        Held(replace(BASE, label="alone"), 1),
    ]
    wanted = [
        Held(BASE, 1, None, TWO),
        Held(APPS, 5, None, TWO),
        Held(EXTRA, 2, None, TWO),
        Held(replace(BASE, label="new"), 1, None, TWO),
    ]
    planned = plan(held, wanted)
    assert [(change.key.label, change.kind) for change in planned.changes] == [
        ("apps", ChangeKind.REPLACED),
        ("base", ChangeKind.KEPT),
        ("extra", ChangeKind.KEPT),
        ("gone", ChangeKind.OUT),
        ("new", ChangeKind.IN),
    ]
    assert planned.changes[0].after == Held(APPS, 5, True, TWO), "what was enabled stays so"
    assert planned.notes == (
        "tools/extra of the content view theirs 1.0 is replaced by that of the content view servers 2.0",
    )
    assert planned.products == {"tools"}
    alone = plan(held, [Held(BASE, 3)])
    assert alone.notes == ("tools/base of the content view servers 1.0 is replaced by one promoted alone",)
    assert [change.key.label for change in alone.changes] == ["base"], "a repository by itself takes nothing else out"


@pytest.mark.parametrize(
    ("place", "where", "force", "reason", "code"),
    [
        ("dev", (), False, "", None),
        ("qa", ("dev",), False, "", None),
        ("qa", (), False, "", "out-of-order"),
        ("prod", ("dev",), False, "", "out-of-order"),
        ("prod", ("prod",), False, "", None),
        ("prod", ("dev",), True, "urgent", None),
        ("prod", ("dev",), True, " ", "no-reason"),
        (LIBRARY, ("dev",), True, "urgent", "library"),
    ],
)
def test_content_goes_one_step_at_a_time(
    place: str, where: tuple[str, ...], force: bool, reason: str, code: str | None
) -> None:
    planned = plan([], [Held(BASE, 1, None, TWO)], place, where=where, force=force, reason=reason)
    assert [each.code for each in planned.refusals] == ([] if code is None else [code])
    assert all(each.message and each.hint for each in planned.refusals)
    assert planned.reason == (reason if force else "")


def test_demotion_takes_out_what_is_there() -> None:
    held = [Held(filtered(BASE), 2, None, ONE), Held(APPS, 1)]
    planned = plan_demotion(PLACES["dev"], held, [BASE], subject="tools/base")
    assert applied(held, planned) == [Held(APPS, 1)]
    assert planned.action is PromotionAction.DEMOTE
    assert [each.code for each in plan_demotion(PLACES["dev"], held, [EXTRA], subject="x").refusals] == ["not-promoted"]
    library = plan_demotion(PLACES[LIBRARY], held, [BASE], subject="x")
    assert [each.code for each in library.refusals] == ["library"]


def test_undo_is_refused_when_something_came_after_it() -> None:
    held = [Held(BASE, 1, None, ONE)]
    planned = plan(held, [Held(BASE, 2, None, TWO), Held(APPS, 1, None, TWO)])
    after = applied(held, planned)
    later = [replace(each, number=9) if each.key == APPS else each for each in after]
    assert [
        (each.code, "tools/apps" in each.message)
        for each in plan_undo(PLACES["dev"], later, record(planned), {}).refusals
    ] == [("changed-since", True)]
    undone = plan_undo(PLACES["dev"], held, record(planned, undone_by=8), {})
    assert [each.code for each in undone.refusals] == ["undone-already"]
    missing = plan_undo(PLACES["dev"], after, record(planned), {held[0]: "version 1 is no more"})
    assert [(each.code, each.message) for each in missing.refusals] == [("gone-since", "version 1 is no more")]
    enabled = [replace(each, enabled=False) if each.key == BASE else each for each in after]
    assert applied(enabled, plan_undo(PLACES["dev"], enabled, record(planned), {})) == [Held(BASE, 1, False, ONE)]
