"""The plan of importing or deleting a subscription manifest: pure, so many cases cost little."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issbox.model import (
    Content,
    Distributor,
    ManifestConflict,
    ManifestRecord,
    ManifestSubscription,
    OfferedContent,
    OfferedProduct,
    Product,
    ProductKind,
    RepositoryKey,
    SubscriptionManifest,
)
from issbox.names import is_label
from issbox.rules.content.manifest_conflicts import Holdings
from issbox.rules.content.manifests import ManifestPlan, plan_deletion, plan_import, product_labels

NOW = datetime(2026, 11, 20, 8, 0, 0, tzinfo=UTC)
EARLIER = NOW - timedelta(days=1)
ACME = Distributor("uuid-1", "acme")


def content(number: str, **changes: object) -> OfferedContent:
    made = Content(number, f"c{number}", f"C {number}", f"/content/dist/{number}")
    return OfferedContent(replace(made, **changes))  # type: ignore[arg-type]  # the tests give fields by name


def product(number: str, *contents: str, name: str = "") -> OfferedProduct:
    return OfferedProduct(number, name or f"P {number}", tuple(map(content, contents)))


def manifest(*products: OfferedProduct, created: datetime = EARLIER, **changes: object) -> SubscriptionManifest:
    made = SubscriptionManifest(created, "4", "", ACME, products, ())
    return replace(made, **changes)  # type: ignore[arg-type]  # the tests give fields by name


def record(created: datetime = EARLIER, distributor: Distributor = ACME, sha256: str = "a") -> ManifestRecord:
    return ManifestRecord("acme", "id", sha256, 1, "", NOW, "anna", created, "4", "", distributor, (), ())


def plan(made: SubscriptionManifest, holdings: Holdings, **options: object) -> ManifestPlan:
    return plan_import(made, "a", holdings, now=NOW, **options)  # type: ignore[arg-type]  # the tests give them by name


def after(found: ManifestPlan, holdings: Holdings) -> Holdings:
    """Give what there is once a plan was carried out."""
    products = {label: each for label, each in holdings.products.items() if label not in found.products_out}
    products |= {each.label: each for each in (*found.products_in, *found.products_renamed)}
    withdrawn = (holdings.withdrawn | {each.id for each in found.withdrawn}) - set(found.restored)
    return replace(holdings, products=products, offered=found.offered, withdrawn=withdrawn)


EMPTY = Holdings("acme")
KEY = RepositoryKey("acme", "P_1", "one")
HELD = replace(
    after(plan(manifest(product("1", "10", "11")), EMPTY), EMPTY),
    manifest=record(),
    needed=frozenset({"P_1"}),
    repositories={"10": [KEY]},
    paths={"10": "/content/dist/10"},
    environments={"10": ["Library", "dev"]},
)


def test_a_first_manifest_brings_everything() -> None:
    found = plan(manifest(product("1", "10", "11"), product("2", "10")), EMPTY)
    assert [(each.label, each.number, each.kind) for each in found.products_in] == [
        ("P_1", "1", ProductKind.REDHAT),
        ("P_2", "2", ProductKind.REDHAT),
    ]
    assert [(each.product, each.id) for each in found.contents_in] == [("P_1", "10"), ("P_1", "11"), ("P_2", "10")]
    assert not found.refusals
    assert not found.changes_nothing


def test_the_same_manifest_again_changes_nothing() -> None:
    assert plan(manifest(product("1", "10", "11")), HELD).changes_nothing


def test_what_changes_is_told_apart() -> None:
    made = manifest(replace(product("1"), contents=(content("10", name="New"), content("12"))), created=NOW)
    found = plan(made, HELD)
    assert [each.id for each in found.contents_in] == ["12"]
    assert [each.id for each in found.contents_changed] == ["10"]
    assert [each.id for each in found.contents_out] == ["11"]
    assert found.withdrawn == ()


def test_a_content_that_another_product_offers_is_not_withdrawn() -> None:
    found = plan(manifest(product("2", "10"), created=NOW), HELD)
    assert found.withdrawn == ()
    assert found.products_kept == ("P_1",)


def test_what_goes_with_its_repositories_is_withdrawn_once_and_comes_back() -> None:
    found = plan(manifest(product("1", "11"), created=NOW), HELD)
    (gone,) = found.withdrawn
    assert (gone.id, gone.label, gone.repositories, gone.environments) == (
        "10",
        "c10",
        ("P_1/one",),
        ("Library", "dev"),
    )
    then = after(found, HELD)
    assert plan(manifest(product("1", "11"), created=NOW), then).withdrawn == ()
    assert plan(manifest(product("1", "10", "11"), created=NOW), then).restored == ("10",)


def test_deleting_takes_what_nothing_needs() -> None:
    more = after(plan(manifest(product("1", "10"), product("2", "20"), created=NOW), HELD), HELD)
    found = plan_deletion(more)
    assert (found.products_out, found.products_kept) == (("P_2",), ("P_1",))
    assert [each.id for each in found.withdrawn] == ["10"]
    assert found.offered == {}


def test_a_custom_product_is_never_touched() -> None:
    mine = replace(HELD, products={**HELD.products, "mine": Product("acme", "mine", "Mine")})
    assert plan_deletion(mine).products_out == ()
    assert plan_deletion(replace(mine, needed=frozenset())).products_out == ("P_1",)


@pytest.mark.parametrize(
    ("made", "sha256", "conflict"),
    [
        (manifest(created=EARLIER - timedelta(seconds=1)), "b", ManifestConflict.OLDER),
        (manifest(), "b", ManifestConflict.SAME),
        (manifest(created=NOW, distributor=Distributor("uuid-2", "x")), "b", ManifestConflict.DISTRIBUTOR),
    ],
)
def test_each_conflict_is_overridden_by_its_own_name(
    made: SubscriptionManifest, sha256: str, conflict: ManifestConflict
) -> None:
    found = plan_import(made, sha256, HELD, now=NOW)
    assert [each.conflict for each in found.refusals] == [conflict]
    forced = plan_import(made, sha256, HELD, now=NOW, forced=[conflict])
    assert (forced.refusals, forced.forced) == ((), (conflict,))


def test_all_reasons_are_told_together() -> None:
    made = manifest(
        product("3", "30", name="mine"), created=EARLIER - timedelta(days=9), distributor=Distributor("u", "x")
    )
    mine = {"mine": Product("acme", "mine", "Mine")}
    found = plan(made, replace(HELD, products=mine, custom_contents=frozenset({"30"}), holder="other"))
    assert [each.code for each in found.refusals] == [
        "manifest-elsewhere",
        "manifest-distributor",
        "manifest-older",
        "product-kind",
        "content-kind",
    ]
    assert all(each.hint for each in found.refusals)


def test_another_organization_is_not_overridden() -> None:
    found = plan(manifest(), replace(EMPTY, holder="other"), forced=list(ManifestConflict))
    assert [each.code for each in found.refusals] == ["manifest-elsewhere"]


def test_doubts_are_told() -> None:
    ended = ManifestSubscription("sku", "RHEL", 1, None, EARLIER)
    found = plan(manifest(created=NOW + timedelta(days=2), subscriptions=(ended,), skipped=3), EMPTY)
    assert len(found.warnings) == 4
    assert plan(manifest(product("1", "1"), subscriptions=(replace(ended, end=None),)), EMPTY).warnings == ()


def test_labels_are_those_of_katello_and_stay() -> None:
    made = [product("1", name="Red Hat (RPMs), x"), product("2", name="Red Hat (RPMs), x"), product("3", name="日本")]
    labels = product_labels(made, {})
    assert labels == {"1": "Red_Hat__RPMs___x", "2": "Red_Hat__RPMs___x_2", "3": "product_3"}
    present = {"old": Product("acme", "old", "Old", ProductKind.REDHAT, number="2")}
    assert product_labels(made, present) == {"1": "Red_Hat__RPMs___x", "2": "old", "3": "product_3"}


numbers = st.lists(st.integers(1, 40).map(str), max_size=6, unique=True)
manifests = st.dictionaries(st.integers(1, 6).map(str), numbers, max_size=4).map(
    lambda found: manifest(*(product(number, *ids) for number, ids in sorted(found.items())), created=NOW)
)


@given(one=manifests, other=manifests)
def test_going_to_another_manifest_and_back_is_as_if_nothing_had_been(
    one: SubscriptionManifest, other: SubscriptionManifest
) -> None:
    first = after(plan(one, EMPTY), EMPTY)
    held = {each.content.id: [KEY] for first_product in one.products[:1] for each in first_product.contents}
    first = replace(first, repositories=held, needed=frozenset(list(first.products)[:1]))
    second = after(plan(other, first), first)
    third = after(plan(one, second), second)
    assert (third.products, third.offered, third.withdrawn) == (first.products, first.offered, first.withdrawn)


@given(made=manifests, names=st.lists(st.text(max_size=150), min_size=6, max_size=6))
def test_every_product_gets_a_label_of_its_own(made: SubscriptionManifest, names: list[str]) -> None:
    named = [replace(each, name=names[index]) for index, each in enumerate(made.products)]
    labels = product_labels(named, {})
    assert len(set(labels.values())) == len(labels) == len(named)
    assert all(map(is_label, labels.values()))
