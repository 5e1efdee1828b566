"""Content views: what a version holds, what stays when Library moves on, and what may be deleted."""

from dataclasses import replace
from pathlib import Path

import pytest
from makers.boxes import KEY, Gap, make_gap
from makers.recorder import Recorder

from issbox.errors import AlreadyExistsError, BusyError, InUseError, InvalidValueError, NotFoundError
from issbox.files import FileLock
from issbox.model import ContentView, RepositoryKey, ViewVersionName
from issbox.workflows.appliance.upkeep import collect_garbage
from issbox.workflows.content import repositories, views
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.content.view_publishing import STEPS, publish_view
from issbox.workflows.context import Context

EMPTY = RepositoryKey("acme", "tools", "empty")
FIRST = ViewVersionName("servers", "1.0")


@pytest.fixture
def gap(tmp_path: Path) -> Gap:
    """A box with the synchronized repository tools/base, the empty tools/empty, and the content view servers."""
    gap = make_gap(tmp_path)
    ctx = gap.outside.context()
    repositories.create_repository(ctx, organization="acme", product="tools", label="empty", name="Empty")
    views.create_view(ctx, organization="acme", label="servers", name="Servers")
    synchronize(ctx, KEY)
    return gap


def sync(gap: Gap, packages: int) -> None:
    gap.change_upstream(packages)
    synchronize(gap.outside.context(), KEY)


def actions(ctx: Context) -> list[str]:
    with ctx.store.session():
        return [entry.action for entry in ctx.store.audit.list() if entry.action.startswith("content-view")]


def test_every_change_is_audited(gap: Gap) -> None:
    ctx = gap.outside.context()
    made = views.add_repository(ctx, "acme", "servers", KEY)
    assert made == ContentView("acme", "servers", "Servers", repositories=(KEY,))
    assert views.update_view(ctx, "acme", "servers", name="New", description="x").name == "New"
    publish_view(ctx, "acme", "servers")
    views.delete_view_version(ctx, "acme", FIRST)
    views.remove_repository(ctx, "acme", "servers", KEY)
    assert views.list_views(ctx, "acme") == [views.get_view(ctx, "acme", "servers")]
    assert views.delete_view(ctx, "acme", "servers").name == "New"
    assert actions(ctx) == [
        "content-view.create",
        "content-view.add-repository",
        "content-view.update",
        "content-view.publish",
        "content-view-version.delete",
        "content-view.remove-repository",
        "content-view.delete",
    ]
    with pytest.raises(NotFoundError):
        views.get_view(ctx, "acme", "servers")


def test_refused_changes_leave_no_trace(gap: Gap) -> None:
    ctx = gap.outside.context()
    before = actions(ctx)
    with pytest.raises(AlreadyExistsError):
        views.create_view(ctx, organization="acme", label="servers", name="x")
    with pytest.raises(InvalidValueError):
        views.create_view(ctx, organization="acme", label="a b", name="x")
    with pytest.raises(InvalidValueError):
        views.update_view(ctx, "acme", "servers", name="")
    with pytest.raises(NotFoundError):
        views.add_repository(ctx, "acme", "servers", replace(KEY, label="none"))
    with pytest.raises(NotFoundError, match="no repository of the content view"):
        publish_view(ctx, "acme", "servers")
    assert actions(ctx) == before
    assert views.list_view_versions(ctx, "acme", "servers") == []


def test_a_version_pins_what_library_holds(gap: Gap) -> None:
    ctx = gap.outside.context()
    for key in (KEY, EMPTY):
        views.add_repository(ctx, "acme", "servers", key)
    progress = Recorder()
    first = publish_view(replace(ctx, progress=progress), "acme", "servers", description="November")
    assert progress.steps == list(STEPS)
    assert progress.notes == ["the repository tools/empty has no version in Library yet; it is left out"]
    assert (first.number, first.description) == ("1.0", "November")
    assert [(pin.repository.key, pin.number, pin.packages) for pin in first.repositories] == [(KEY, 1, 2)]
    sync(gap, 3)
    second = publish_view(ctx, "acme", "servers")
    assert [(pin.number, pin.packages) for pin in second.repositories] == [(2, 3)]
    again = views.get_view_version(ctx, "acme", FIRST)
    assert [(pin.number, pin.packages, pin.size) for pin in again.repositories] == [(1, 2, first.repositories[0].size)]
    assert views.get_view(ctx, "acme", "servers").latest == "2.0"
    gap.outside.check()


def test_cleanup_keeps_what_versions_hold(gap: Gap) -> None:
    ctx = gap.outside.context()
    ctx = replace(ctx, settings=replace(ctx.settings, versions=replace(ctx.settings.versions, keep=1)))
    views.add_repository(ctx, "acme", "servers", KEY)
    publish_view(ctx, "acme", "servers")
    for packages in (3, 1):
        sync(gap, packages)
    assert collect_garbage(ctx, dry_run=False).versions == 1
    gap.outside.check()
    assert gap.outside.versions() == [1, 3]
    views.delete_view_version(ctx, "acme", FIRST)
    assert collect_garbage(ctx, dry_run=False).versions == 1
    gap.outside.check()
    assert gap.outside.versions() == [3]


def test_a_repository_of_a_content_view_stays(gap: Gap) -> None:
    ctx = gap.outside.context()
    views.add_repository(ctx, "acme", "servers", KEY)
    publish_view(ctx, "acme", "servers")
    with pytest.raises(InUseError, match="servers"):
        repositories.delete_repository(ctx, KEY)
    views.remove_repository(ctx, "acme", "servers", KEY)
    with pytest.raises(InUseError, match="servers"):
        repositories.delete_repository(ctx, KEY)
    views.delete_view_version(ctx, "acme", FIRST)
    repositories.delete_repository(ctx, KEY)
    gap.outside.check()


def test_two_processes_do_not_publish_at_once(gap: Gap) -> None:
    ctx = gap.outside.context()
    views.add_repository(ctx, "acme", "servers", KEY)
    with FileLock(ctx.store.locks / "content-view-acme-servers.lock"), pytest.raises(BusyError, match="servers"):
        publish_view(ctx, "acme", "servers")
    with FileLock(ctx.store.locks / "content.lock"), pytest.raises(BusyError):
        publish_view(ctx, "acme", "servers")
    assert publish_view(ctx, "acme", "servers").number == "1.0"
