"""Catalogues and host profiles for tests of who gets what, made in words or at random."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from hypothesis import strategies as st

from issbox.model import Catalogue, ContentSnapshot, HostProfile, Offer, PromotedContent, Stage
from issbox.rules.entitlements.staleness import Holder

CONTENTS = ("1", "2", "3", "4")
STAGES = ("A", "B", "C")
PRODUCTS = ("tools", "apps")


def snapshot(content: str, **changes: object) -> ContentSnapshot:
    """Describe the content with this id."""
    described = ContentSnapshot(content, f"content-{content}", f"Content {content}", f"/custom/c{content}")
    return replace(described, **changes)  # type: ignore[arg-type]  # the tests give fields by name


def held(*contents: str, **changes: object) -> dict[str, PromotedContent]:
    """Describe what an environment holds."""
    return {each: PromotedContent(snapshot(each, **changes)) for each in contents}


def catalogue(
    stages: Mapping[str, Iterable[str]], products: Mapping[str, Iterable[str]] | None = None, **changes: object
) -> Catalogue:
    """Describe an organization: which contents its environments hold and its products have."""
    offered = {"tools": CONTENTS} if products is None else products
    made = Catalogue(
        "Acme",
        products={
            label: Offer(label, label.title(), {each: snapshot(each) for each in contents})
            for label, contents in offered.items()
        },
        stages={label: Stage(label, content=held(*contents)) for label, contents in stages.items()},
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # the tests give fields by name


def staged(before: Catalogue, label: str, **changes: object) -> Catalogue:
    """Give the catalogue with one environment changed."""
    stage = replace(before.stages[label], **changes)  # type: ignore[arg-type]  # the tests give fields by name
    return replace(before, stages={**before.stages, label: stage})


_snapshots = st.builds(
    snapshot,
    st.sampled_from(CONTENTS),
    path=st.sampled_from(["/custom/a", "/custom/$basearch/os", "/custom/x$y", "https://mirror.example.com/a"]),
    arches=st.sampled_from([(), ("noarch",), ("x86_64",), ("aarch64", "x86_64"), ("x86",)]),
    enabled=st.booleans(),
    gpg_key=st.sampled_from([None, "vendor"]),
)
_promoted = st.builds(PromotedContent, _snapshots, st.sampled_from([None, True, False]))


def _by_id(promoted: list[PromotedContent]) -> dict[str, PromotedContent]:
    return {each.snapshot.id: each for each in promoted}


stages = st.builds(
    Stage,
    st.sampled_from(STAGES),
    st.sampled_from(["", "base", "/other/$env"]),
    st.lists(_promoted, max_size=4).map(_by_id),
)
offers = st.builds(
    Offer,
    st.sampled_from(PRODUCTS),
    st.just("Name"),
    st.lists(_snapshots, max_size=3).map(lambda each: {one.id: one for one in each}),
    st.frozensets(st.sampled_from(CONTENTS), max_size=2),
)
catalogues = st.builds(
    Catalogue,
    st.just("Acme"),
    st.sampled_from(["/$org/$env", "", "/other"]),
    products=st.lists(offers, max_size=2).map(lambda each: {one.label: one for one in each}),
    stages=st.lists(stages, max_size=3).map(lambda each: {one.label: one for one in each}),
)
profiles = st.builds(
    HostProfile,
    st.lists(st.sampled_from(STAGES), unique=True, max_size=3).map(tuple),
    st.sampled_from([(), ("x86_64",), ("aarch64",), ("i686",)]),
    st.sampled_from([1, 3, 3, 3]),
)
scopes = st.sampled_from([None, *PRODUCTS])
_moving = st.builds(Holder, profiles, profiles, scopes)
_staying = st.builds(Holder.staying, profiles, scopes)
holders = st.lists(_staying | _moving, max_size=8)


@st.composite
def changes(draw: st.DrawFn) -> tuple[Catalogue, Catalogue]:
    """Draw two catalogues: unrelated ones, or one with a single thing in it changed."""
    before = draw(catalogues)
    kind = draw(st.sampled_from(["any", "stage", "offer", "prefix"]))
    if kind == "any":
        return before, draw(catalogues)
    if kind == "prefix":
        return before, replace(before, prefix=draw(st.sampled_from(["/$org/$env", "/$env/$org"])))
    if kind == "stage":
        stage = draw(stages)
        return before, replace(before, stages={**before.stages, stage.label: stage})
    offer = draw(offers)
    return before, replace(before, products={**before.products, offer.label: offer})
