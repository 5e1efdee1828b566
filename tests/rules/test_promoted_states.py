"""How environments stand to what there is: changed since, available, partly promoted, dangling, unusable."""

from dataclasses import replace

from makers.catalogues import catalogue, held, snapshot, staged

from issbox.model import Offer, PromotedContent
from issbox.rules.environments.promoted_states import ContentState, ContentStatus, content_statuses


def statuses(known, shown=(), paths=None) -> dict[str, ContentStatus]:  # type: ignore[no-untyped-def]  # short
    return {each.id: each for each in content_statuses(known, known.stages["A"], paths or {}, shown)}


def test_what_is_as_it_should_be_has_no_state() -> None:
    found = statuses(catalogue({"A": "1"}, {"tools": "1"}))["1"]
    assert (found.states, found.enabled, found.products) == ((), True, ("tools",))


def test_changed_since_promotion() -> None:
    known = staged(catalogue({"A": "1"}), "A", content=held("1", path="/custom/old", enabled=False))
    found = statuses(known)["1"]
    assert (found.states, found.changed) == ((ContentState.CHANGED,), ("path", "enabled"))


def test_available_but_not_promoted() -> None:
    known = catalogue({"A": "1"}, {"tools": "12"})
    assert statuses(known, paths={"2": ["custom/c2"]})["2"].states == (ContentState.AVAILABLE,)


def test_partly_promoted() -> None:
    paths = {"1": ["content/9.3/x86_64/os", "content/9.4/x86_64/os"]}
    found = statuses(catalogue({"A": "1"}), ["content/9.3/x86_64/os"], paths)["1"]
    assert (found.states, found.missing) == ((ContentState.PARTLY,), ("content/9.4/x86_64/os",))


def test_dangling() -> None:
    known = replace(catalogue({"A": "1"}), products={"tools": Offer("tools", "Tools", {}, frozenset("1"))})
    assert statuses(known)["1"].states == (ContentState.DANGLING,)


def test_unusable() -> None:
    known = staged(catalogue({"A": "1"}), "A", content={"1": PromotedContent(snapshot("1", path="/custom/x$y"), True)})
    assert statuses(known)["1"].states == (ContentState.CHANGED, ContentState.UNUSABLE)
