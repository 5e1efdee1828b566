"""What goes stale: every event there is, the cases of priority, and the law that it is exactly what would differ."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from makers.catalogues import catalogue, changes, held, holders, snapshot, staged

from issbox.model import Catalogue, CertificateType, HostProfile, Offer, PromotedContent, Stage
from issbox.rules.entitlements.entitlements import contents, is_organization_wide, organization_paths
from issbox.rules.entitlements.staleness import Holder, stale

A, B, NOWHERE = HostProfile(("A",)), HostProfile(("B",)), HostProfile()
EVERYBODY = [Holder.staying(profile, scope) for profile in (A, B, NOWHERE) for scope in (None, "tools", "apps")]
KNOWN = catalogue({"A": "12", "B": "1"}, {"tools": "12", "apps": "3"})


def names(before: Catalogue, after: Catalogue) -> set[str]:
    """Say who goes stale: environment or `-`, and scope or `*`."""
    found = stale(before, after, EVERYBODY)
    return {f"{''.join(each.after.environments) or '-'}/{each.scope or '*'}" for each in found}


def offered(label: str, *contents: str, **fields: object) -> Catalogue:
    """Give the catalogue with another content of one product."""
    content = {each: snapshot(each, **fields) for each in contents}
    return replace(KNOWN, products={**KNOWN.products, label: Offer(label, label.title(), content)})


EVENTS = {
    "promoted": (staged(KNOWN, "A", content=held("1", "2", "3")), {"A/*", "A/apps"}),
    "demoted": (staged(KNOWN, "A", content=held("1")), {"A/*", "A/tools"}),
    "promoted-as-it-is": (staged(KNOWN, "A", content=held("1", "2")), set()),
    "promoted-after-a-change": (
        staged(KNOWN, "A", content=held("1") | held("2", path="/custom/new")),
        {"A/*", "A/tools"},
    ),
    "enabled-override": (
        staged(KNOWN, "B", content={"1": PromotedContent(snapshot("1"), False)}),
        {"B/*", "B/tools"},
    ),
    "enabled-override-as-the-default": (
        staged(KNOWN, "B", content={"1": PromotedContent(snapshot("1"), True)}),
        set(),
    ),
    "content-changed": (offered("tools", "1", "2", path="/custom/new"), {"-/*", "-/tools"}),
    "content-renamed": (offered("tools", "1", "2", name="New"), {"-/*", "-/tools"}),
    "content-with-another-key": (offered("apps", "3", gpg_key="new"), {"-/*", "-/apps"}),
    "content-added-to-a-product": (offered("tools", "1", "2", "4"), {"-/*", "-/tools"}),
    "content-removed-from-a-product": (offered("apps"), {"-/*", "-/apps"}),
    "product-renamed": (
        replace(KNOWN, products={**KNOWN.products, "apps": replace(KNOWN.products["apps"], name="New")}),
        set(),
    ),
    "product-added": (replace(KNOWN, products={**KNOWN.products, "new": Offer("new", "New")}), set()),
    "environment-prefix": (staged(KNOWN, "B", prefix="base"), {"B/*", "B/tools"}),
    "environment-prefix-of-the-same-path": (staged(KNOWN, "B", prefix="/"), set()),
    "organization-prefix": (
        replace(KNOWN, prefix="/$env"),
        {"A/*", "A/tools", "B/*", "B/tools", "-/*", "-/tools", "-/apps"},
    ),
    "environment-added": (replace(KNOWN, stages={**KNOWN.stages, "C": Stage("C", content=held("3"))}), set()),
    "access": (replace(KNOWN, access=CertificateType.ORG_LEVEL), {"A/*", "B/*", "-/*"}),
}  # fmt: skip


@pytest.mark.parametrize("event", EVENTS)
def test_event(event: str) -> None:
    after, expected = EVENTS[event]
    assert names(KNOWN, after) == expected
    assert names(after, KNOWN) == expected, "and when it is taken back"


def test_event_what_a_manifest_takes_away_is_no_event_for_environments() -> None:
    gone = Offer("tools", "Tools", {"1": snapshot("1")}, frozenset("2"))
    after = replace(KNOWN, products={**KNOWN.products, "tools": gone})
    assert names(KNOWN, after) == {"-/*", "-/tools"}


def test_event_an_environment_is_deleted() -> None:
    """Its hosts are given another list of environments in the same step."""
    after = replace(KNOWN, stages={"B": KNOWN.stages["B"]})
    only, other, both = Holder(A, NOWHERE, "tools"), Holder(B, B, "tools"), Holder(HostProfile(("B", "A")), B, "tools")
    alone = Holder(HostProfile(("A",)), HostProfile(("gone",)), "apps")
    assert stale(KNOWN, after, [only, other, both, alone]) == {only, both}


@pytest.mark.parametrize(
    ("before", "after", "differs"),
    [
        (HostProfile(), A, True),
        (A, HostProfile(), True),
        (A, replace(A, version=1), True),
        (A, replace(A, arches=("x86_64",)), False),
        (HostProfile(("A", "B")), A, False),
        (A, B, True),
    ],
)
def test_event_a_host_moves_or_tells_other_facts(before: HostProfile, after: HostProfile, differs: bool) -> None:
    holder = Holder(before, after, "tools")
    assert (stale(KNOWN, KNOWN, [holder]) == {holder}) is differs


PRIORITIES = {
    # what A and B hold; environments before and after; whether the certificate says something else
    "lower with the same content added": ("1", "1", "A", "AB", False),
    "lower with other content added": ("1", "2", "A", "AB", True),
    "lower without content added": ("1", "", "A", "AB", False),
    "higher with the same content added": ("1", "1", "A", "BA", True),
    "higher with other content added": ("1", "2", "A", "BA", True),
    "higher without content added": ("1", "", "A", "BA", False),
    "lower with the same content removed": ("1", "1", "AB", "A", False),
    "lower with other content removed": ("1", "2", "AB", "A", True),
    "higher with the same content removed": ("1", "1", "BA", "A", True),
    "reordered with the same content": ("1", "1", "AB", "BA", True),
    "reordered with different contents": ("1", "2", "AB", "BA", False),
    "reordered, one of them empty": ("1", "", "AB", "BA", False),
    "replaced by one with the same content": ("1", "1", "A", "B", True),
    "first one joined without content": ("", "", "A", "AB", False),
}


@pytest.mark.parametrize("case", PRIORITIES)
def test_priority(case: str) -> None:
    in_a, in_b, before, after, differs = PRIORITIES[case]
    known = catalogue({"A": in_a, "B": in_b})
    holder = Holder(HostProfile(tuple(before)), HostProfile(tuple(after)), "tools")
    assert (stale(known, known, [holder]) == {holder}) is differs


def test_a_change_that_a_more_important_environment_hides_makes_nothing_stale() -> None:
    known = catalogue({"A": "1", "B": "1"})
    hidden, seen = Holder.staying(HostProfile(("A", "B")), None), Holder.staying(HostProfile(("B", "A")), None)
    for after in (
        staged(known, "B", content={}),
        staged(known, "B", content=held("1", path="/custom/new")),
        staged(known, "B", prefix="base"),
    ):
        assert stale(known, after, [hidden, seen]) == {seen}


def test_what_the_processor_cannot_use_makes_nothing_stale() -> None:
    known = staged(catalogue({"A": ""}), "A", content=held("1", arches=("aarch64",)))
    after = staged(known, "A", content=held("1", "2", arches=("aarch64",)))
    other = Holder.staying(HostProfile(("A",), ("x86_64",)), None)
    assert stale(known, after, [other]) == frozenset()
    assert stale(known, after, [Holder.staying(HostProfile(("A",), ("aarch64",)), None)])


def test_promotions_change_no_organization_wide_certificate() -> None:
    known = catalogue({"A": "1", "B": ""}, access=CertificateType.ORG_LEVEL)
    assert names(known, staged(known, "A", content=held("1", "2"))) == {"A/tools"}
    assert names(known, staged(known, "A", prefix="base")) == {"A/*", "A/tools"}
    reordered = Holder(HostProfile(("A", "B")), HostProfile(("B", "A")), None)
    assert stale(known, known, [reordered]) == frozenset(), "the same paths are open"


@given(changes(), holders)
@settings(max_examples=400)
def test_the_stale_are_exactly_those_whose_freshly_built_content_differs(
    change: tuple[Catalogue, Catalogue], those: list[Holder]
) -> None:
    before, after = change
    expected = {
        each for each in those if _said(before, each.before, each.scope) != _said(after, each.after, each.scope)
    }
    assert stale(before, after, those) == expected


def _said(known: Catalogue, profile: HostProfile, scope: str | None) -> object:
    """Give all that a certificate says."""
    if is_organization_wide(known, profile, scope):
        return organization_paths(known, profile)
    return profile.version, contents(known, profile, scope)
