"""Lifecycle environments and what they hold: rows in, the same words out."""

from dataclasses import replace
from datetime import timedelta

import pytest
from makers.stores import KEY, NOW, Library, package, repository

from issbox.errors import AlreadyExistsError, InUseError, InvalidValueError, NotFoundError
from issbox.model import (
    LIBRARY,
    Actor,
    Held,
    LifecycleEnvironment,
    PromotionAction,
    RepositoryKey,
    VersionOrigin,
    ViewVersionName,
)

OTHER = RepositoryKey("Example", "tools", "other")
FILTERED = replace(KEY, view="servers")
DEV = LifecycleEnvironment("Example", "dev", "Development", LIBRARY, "First stage")
PROD = LifecycleEnvironment("Example", "prod", "Production", "dev")
NAME = ViewVersionName("servers", "1.0")


@pytest.fixture
def stages(library: Library) -> Library:
    """The library with two repositories, Library > dev > prod, and the content view version servers 1.0."""
    store = library.store
    store.repositories.create(repository(OTHER))
    for key in (KEY, OTHER):
        library.publish([package(1)], key)
        library.publish([package(2)], key)
    for environment in (DEV, PROD):
        assert store.environments.create(environment) == environment
    store.views.create("Example", "servers", name="Servers")
    store.view_versions.add("Example", "servers", created_at=NOW, description="", pins={KEY: 1, OTHER: 2})
    return library


def test_environments_follow_each_other(stages: Library) -> None:
    store = stages.store
    library = LifecycleEnvironment("Example", LIBRARY, LIBRARY, None)
    assert store.environments.list("Example") == [library, DEV, PROD]
    second = store.environments.create(LifecycleEnvironment("Example", "test", "Test", "dev"))
    assert store.environments.get("Example", "test") == second
    assert store.environments.update("Example", "dev", name="New", at=NOW) == replace(DEV, name="New")
    assert store.environments.update("Example", "dev", description="", at=NOW).description == ""
    for label in ("dev", "DEV", "library"):
        with pytest.raises(AlreadyExistsError):
            store.environments.create(LifecycleEnvironment("Example", label, "x", LIBRARY))
    with pytest.raises(InvalidValueError):
        store.environments.create(LifecycleEnvironment("Example", "second", "x", None))
    with pytest.raises(NotFoundError):
        store.environments.create(LifecycleEnvironment("Example", "second", "x", "none"))
    with pytest.raises(InUseError):
        store.environments.delete("Example", LIBRARY)
    store.environments.delete("Example", "dev")
    assert [(each.label, each.prior) for each in store.environments.list("Example")] == [
        (LIBRARY, None),
        ("prod", LIBRARY),
        ("test", LIBRARY),
    ]


def test_an_environment_holds_one_version_at_a_path(stages: Library) -> None:
    store = stages.store
    store.repositories.derive(FILTERED)
    with store.versions.draft(FILTERED) as draft:
        draft.add([package(1)])
        store.versions.commit(
            [draft],
            created_at=NOW,
            origin=VersionOrigin.PUBLISH,
            source="",
            repomd={FILTERED: "0" * 64},
            environment=None,
        )
    held = [Held(FILTERED, 1, True, NAME), Held(OTHER, 2, None, NAME)]
    store.promotions.change("Example", "dev", hold_=held, drop=[])
    assert [each.held for each in store.promotions.list("Example", "dev")] == held
    assert store.versions.promoted("Example", "dev") == [
        (store.repositories.get(FILTERED), 1),
        (store.repositories.get(OTHER), 2),
    ]
    assert store.view_versions.get("Example", NAME).environments == ("dev",)
    store.promotions.change("Example", "dev", hold_=[Held(KEY, 2)], drop=[])
    assert [each.held for each in store.promotions.list("Example", "dev")] == [Held(KEY, 2), held[1]]
    store.promotions.change("Example", "dev", hold_=[], drop=[replace(OTHER, view="servers")])
    assert [each.held for each in store.promotions.list("Example", "dev")] == [Held(KEY, 2)]
    assert store.promotions.list("Example", "prod") == []
    assert store.promotions.holders([KEY, OTHER]) == [LIBRARY, "dev"]
    assert store.view_versions.get("Example", NAME).environments == ()
    for wrong in (
        Held(KEY, 9),
        Held(KEY, 1, None, ViewVersionName("servers", "9.0")),
        Held(replace(KEY, label="x"), 1),
    ):
        with pytest.raises(NotFoundError):
            store.promotions.change("Example", "dev", hold_=[Held(OTHER, 1), wrong], drop=[KEY])
    assert [each.held for each in store.promotions.list("Example", "dev")] == [Held(KEY, 2)], "all or nothing"


def test_a_new_version_in_library_keeps_the_override(stages: Library) -> None:
    store = stages.store
    store.promotions.change("Example", LIBRARY, hold_=[Held(KEY, 2, False)], drop=[])
    stages.publish([package(3)])
    assert store.promotions.list("Example", LIBRARY)[0].held == Held(KEY, 3, False)


def test_a_content_view_version_stays_as_long_as_an_environment_holds_it(stages: Library) -> None:
    store = stages.store
    store.promotions.change("Example", "prod", hold_=[Held(KEY, 1, None, NAME)], drop=[])
    with pytest.raises(InUseError, match="prod"):
        store.view_versions.delete("Example", NAME)
    assert store.versions.prunable(KEY, 1) == []
    store.environments.delete("Example", "prod")
    store.view_versions.delete("Example", NAME)
    assert store.versions.prunable(KEY, 1) == [1]


def test_history_outlives_what_it_tells_of(stages: Library) -> None:
    store = stages.store
    actor = Actor("admin", "192.0.2.1")
    first = store.promotions.record(
        organization="Example",
        environment="dev",
        at=NOW,
        actor=actor,
        action=PromotionAction.PROMOTE,
        subject="servers 1.0",
        reason="urgent",
        before=[Held(FILTERED, 3, False, NAME)],
        after=[Held(KEY, 1), Held(OTHER, 2, True, NAME)],
    )
    assert (first.actor, first.at, first.reason, first.undone_by) == (actor, NOW, "urgent", None)
    assert (first.before, first.after) == (
        (Held(FILTERED, 3, False, NAME),),
        (Held(KEY, 1), Held(OTHER, 2, True, NAME)),
    )
    second = store.promotions.record(
        organization="Example",
        environment="dev",
        at=NOW + timedelta(days=1),
        actor=actor,
        action=PromotionAction.UNDO,
        subject="servers 1.0",
        reason="",
        before=first.after,
        after=first.before,
        undoes=first.id,
    )
    assert store.promotions.get(first.id) == replace(first, undone_by=second.id)
    assert store.promotions.history("Example") == [second, replace(first, undone_by=second.id)]
    assert store.promotions.history("Example", "dev", limit=1) == [second]
    assert store.promotions.history("Example", "prod") == store.promotions.history("Other") == []
    store.environments.delete("Example", "dev")
    assert store.promotions.get(first.id).before == first.before
    with pytest.raises(NotFoundError):
        store.promotions.get(second.id + 1)
