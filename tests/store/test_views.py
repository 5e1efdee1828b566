"""Content views, their versions and filters, and repositories that filters make: rows in, the same words out."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from makers.stores import KEY, NOW, Library, package, repository, sha256

from issbox.errors import AlreadyExistsError, InUseError, InvalidValueError, NotFoundError
from issbox.model import (
    LIBRARY,
    ContentView,
    ErratumDate,
    ErratumRule,
    ErratumType,
    ImportMark,
    LifecycleEnvironment,
    PackageRule,
    Product,
    RepositoryKey,
    RepositoryVersion,
    Upstream,
    VersionOrigin,
    ViewFilter,
    ViewVersionName,
)
from issbox.store import Store

OTHER = RepositoryKey("Example", "tools", "other")
FILTERED = replace(KEY, view="servers")


@pytest.fixture
def views(library: Library) -> Library:
    """The library with a second repository, the content view servers of both, and a version of each repository."""
    store = library.store
    store.repositories.create(repository(OTHER))
    store.views.create("Example", "servers", name="Servers", description="All of them")
    for key in (OTHER, KEY):
        store.views.add_repository("Example", "servers", key)
        library.publish([package(1), package(2)], key)
    return library


def test_a_view_gets_what_it_lacks(views: Library) -> None:
    store = views.store
    store.views.create("Example", "more", name="More")
    assert store.views.exists("Example", "more")
    assert not store.views.exists("Example", "less")
    store.views.add_repository("Example", "more", KEY)
    for _ in range(2):
        store.views.complete("Example", "more", [FILTERED, OTHER, KEY, OTHER])
        assert set(store.views.get("Example", "more").repositories) == {KEY, OTHER}


def filtered(library: Library, files: list[Any], key: RepositoryKey = FILTERED) -> RepositoryVersion:
    """Make the next version of a repository that filters made, as publishing does."""
    store = library.store
    with store.versions.draft(key) as draft, store.transaction():
        draft.add(files)
        store.repositories.derive(key)
        (version,) = store.versions.commit(
            [draft],
            created_at=NOW,
            origin=VersionOrigin.PUBLISH,
            source="version 1 of tools/base",
            repomd={key: sha256("filtered")},
            environment=None,
        )
    return version


def publish(store: Store, **pins: int) -> str:
    keys = {"base": KEY, "other": OTHER, "filtered": FILTERED}
    made = store.view_versions.add(
        "Example",
        "servers",
        created_at=NOW,
        description="",
        pins={keys[name]: number for name, number in pins.items()},
    )
    return made.number


def test_a_content_view_comes_back_as_it_was_made(views: Library) -> None:
    store = views.store
    made = ContentView("Example", "servers", "Servers", "All of them", (KEY, OTHER))
    assert store.views.get("Example", "servers") == made
    assert store.views.list("Example") == [made]
    with pytest.raises(AlreadyExistsError):
        store.views.create("Example", "servers", name="again")
    with pytest.raises(AlreadyExistsError):
        store.views.add_repository("Example", "servers", KEY)
    assert store.views.update("Example", "servers", name="New").name == "New"
    assert store.views.update("Example", "servers", description="").description == ""
    assert store.views.remove_repository("Example", "servers", KEY).repositories == (OTHER,)
    with pytest.raises(NotFoundError):
        store.views.remove_repository("Example", "servers", KEY)
    with pytest.raises(NotFoundError):
        store.views.get("Example", "none")
    with pytest.raises(NotFoundError):
        store.views.create("Nobody", "servers", name="x")
    with pytest.raises(NotFoundError):
        store.views.add_repository("Example", "servers", replace(KEY, label="none"))


@pytest.mark.parametrize("label", ["", "a@b", "a/b", "x" * 127])
def test_labels_of_content_views_fit_a_directory_name(library: Library, label: str) -> None:
    with pytest.raises(InvalidValueError):
        library.store.views.create("Example", label, name="x")
    assert library.store.views.create("Example", "x" * 126, name="x").label == "x" * 126


FILTERS = (
    ViewFilter("all", True, PackageRule()),
    ViewFilter(
        "kernels",
        False,
        PackageRule(("kernel*", "kmod-?"), "1:5.14", "5.0", "6.1-2", ("x86_64", "noarch")),
        without_errata=True,
        repositories=("tools/base",),
        description="No kernels",
    ),
    ViewFilter(
        "security",
        True,
        ErratumRule(
            ("RHSA-2026:0001",), (ErratumType.SECURITY,), NOW - timedelta(days=9), NOW, date=ErratumDate.ISSUED
        ),
    ),
)


def test_every_field_of_a_filter_comes_back(views: Library) -> None:
    store = views.store
    for each in reversed(FILTERS):
        store.views.add_filter("Example", "servers", each)
    assert store.views.get("Example", "servers").filters == FILTERS
    with pytest.raises(AlreadyExistsError):
        store.views.add_filter("Example", "servers", FILTERS[0])
    assert store.views.remove_filter("Example", "servers", "kernels").filters == (FILTERS[0], FILTERS[2])
    with pytest.raises(NotFoundError):
        store.views.remove_filter("Example", "servers", "kernels")


def test_versions_pin_repository_versions_and_are_counted_on(views: Library) -> None:
    store = views.store
    assert publish(store, base=1, other=1) == "1.0"
    views.publish([package(3)])
    assert publish(store, base=2, other=1) == "2.0"
    newest, first = store.view_versions.list("Example", "servers")
    assert [(pin.repository.key, pin.number, pin.packages) for pin in newest.repositories] == [
        (KEY, 2, 1),
        (OTHER, 1, 2),
    ]
    assert (first.number, first.created_at, str(first)) == ("1.0", NOW, "servers 1.0")
    assert store.views.get("Example", "servers").latest == "2.0"
    store.view_versions.delete("Example", ViewVersionName("servers", "2.0"))
    assert publish(store, base=2) == "3.0", "a number never means two things"
    for number in ("2.0", "3", "3.0.0", "x", "-3.0", "9" * 30 + ".0"):
        with pytest.raises(NotFoundError):
            store.view_versions.get("Example", ViewVersionName("servers", number))
    with pytest.raises(NotFoundError):
        publish(store, base=9)


def test_pruning_keeps_what_content_view_versions_hold(views: Library) -> None:
    store = views.store
    for number in (3, 4):
        views.publish([package(number)])
    publish(store, base=1)
    assert store.versions.prunable(KEY, 1) == [2]
    assert store.versions.prune([KEY], 1) == [(KEY, 2)]
    store.view_versions.delete("Example", ViewVersionName("servers", "1.0"))
    assert store.versions.prune([KEY], 1) == [(KEY, 1)]


def test_a_filtered_repository_shares_everything_with_its_source_but_its_versions(views: Library) -> None:
    store = views.store
    store.repositories.update(KEY, upstream=Upstream("https://example.com"), imported=ImportMark("box", 3))
    made = filtered(views, [package(1)])
    assert (made.repository, made.number, made.packages) == (FILTERED, 1, 1)
    source, derived = store.repositories.get(KEY), store.repositories.get(FILTERED)
    assert derived == replace(source, key=FILTERED, upstream=Upstream(), imported=None, latest=1, library=None)
    assert views.files(1, FILTERED) == [package(1)]
    assert views.files(1) == [package(1), package(2)]
    assert [each.key for each in store.repositories.list()] == [KEY, OTHER]
    assert [each.key for each in store.repositories.list(derived=True)] == [KEY, FILTERED, OTHER]
    assert store.versions.in_use() == {(KEY, 1), (OTHER, 1), (FILTERED, 1)}
    assert [key for key, _ in _held(store, LIBRARY)] == [KEY, OTHER], "filtering puts nothing into Library"
    store.repositories.update(KEY, name="Renamed", content=replace(source.content, name="New", arches=()))
    assert store.repositories.get(FILTERED).name == "Renamed"
    assert store.repositories.get(FILTERED).content == store.repositories.get(KEY).content
    assert store.repositories.get(FILTERED).upstream == Upstream()


def _held(store: Store, environment: str) -> list[tuple[RepositoryKey, int]]:
    return [(each.repository.key, each.number) for each in store.promotions.list("Example", environment)]


def test_a_filtered_repository_is_made_of_one_that_is_there(library: Library) -> None:
    store = library.store
    with pytest.raises(NotFoundError):
        store.repositories.derive(replace(KEY, label="none", view="servers"))
    with pytest.raises(InvalidValueError):
        store.repositories.create(repository(FILTERED))
    assert store.repositories.derive(FILTERED) == store.repositories.derive(FILTERED)


def test_what_filters_made_goes_with_the_last_that_holds_it(views: Library, count_rows: Any) -> None:
    store = views.store
    filtered(views, [package(1)])
    filtered(views, [package(7)])
    publish(store, filtered=2, other=1)
    assert store.view_versions.drop_unused("Example", "servers") == []
    store.views.remove_repository("Example", "servers", KEY)
    assert store.view_versions.drop_unused("Example", "servers") == [], "a version holds it"
    store.environments.create(LifecycleEnvironment("Example", "dev", "Dev", LIBRARY))
    store.versions.promote("dev", FILTERED, 1)
    store.view_versions.delete("Example", ViewVersionName("servers", "1.0"))
    assert store.view_versions.drop_unused("Example", "servers") == [], "an environment holds it"
    store.versions.promote("dev", KEY, 1)
    assert sorted(store.view_versions.drop_unused("Example", "servers")) == [(FILTERED, 1), (FILTERED, 2)]
    assert [each.key for each in store.repositories.list(derived=True)] == [KEY, OTHER]
    assert count_rows("package") == 2, "package 7 went along"


def test_deleting_a_content_view_takes_its_filters_along(views: Library, count_rows: Any) -> None:
    store = views.store
    store.views.add_filter("Example", "servers", FILTERS[0])
    filtered(views, [package(1)])
    with pytest.raises(InUseError):
        store.views.delete("Example", "servers")
    store.views.remove_repository("Example", "servers", KEY)
    store.view_versions.drop_unused("Example", "servers")
    store.views.delete("Example", "servers")
    for table in ("content_view", "content_view_filter", "content_view_repository"):
        assert count_rows(table) == 0
    with pytest.raises(NotFoundError):
        store.views.get("Example", "servers")


def test_who_uses_a_repository(views: Library) -> None:
    store = views.store
    filtered(views, [package(1)])
    store.views.create("Example", "second", name="Second")
    assert store.views.using(KEY) == ["servers"]
    publish(store, filtered=1)
    store.views.remove_repository("Example", "servers", KEY)
    assert store.views.using(KEY) == ["servers"], "a version holds what was filtered from it"
    store.view_versions.delete("Example", ViewVersionName("servers", "1.0"))
    assert store.views.using(KEY) == []
    assert store.repositories.derived(KEY) == [FILTERED]
    store.repositories.delete(KEY)
    assert [each.key for each in store.repositories.list(derived=True)] == [OTHER]


def test_organizations_do_not_share_content_views(views: Library, count_rows: Any) -> None:
    store = views.store
    store.organizations.create("Other", "Other")
    store.products.create(Product("Other", "tools", "Tools"))
    theirs = replace(KEY, organization="Other")
    store.repositories.create(repository(theirs))
    store.views.create("Other", "servers", name="Theirs")
    store.views.add_repository("Other", "servers", theirs)
    assert store.views.get("Other", "servers").repositories == (theirs,)
    assert store.view_versions.list("Other", "servers") == []
    filtered(views, [package(1)], replace(theirs, view="servers"))
    store.views.remove_repository("Example", "servers", KEY)
    assert store.view_versions.drop_unused("Example", "servers") == []
    store.views.remove_repository("Other", "servers", theirs)
    assert store.view_versions.drop_unused("Other", "servers") == [(replace(theirs, view="servers"), 1)]
    store.repositories.delete(theirs)
    store.products.delete("Other", "tools")
    store.organizations.delete("Other")
    assert count_rows("content_view") == 1


def test_every_field_has_a_test() -> None:
    """A field added to a filter has to be added to the filters above."""
    changed = {
        field.name for each in FILTERS[1:] for field in fields(each) if getattr(each, field.name) != field.default
    }
    assert {field.name for field in fields(ViewFilter)} <= changed
