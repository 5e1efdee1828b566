"""Taking an import back: Library is as before in one step, and forth again without copying anything."""

from pathlib import Path

import pytest
from makers.crossings import Crossing, make_crossing, shown
from makers.exports import KEY, add_repository
from makers.inboxes import make_context
from makers.katello import REAL

from issbox.errors import BusyError, NotFoundError, NotPermittedError, WrongStateError
from issbox.files import FileLock
from issbox.manifest import ScopeKind
from issbox.model import LIBRARY, ContentImport, ImportState, RepositoryKey, Role, ViewVersionName
from issbox.workflows.appliance.upkeep import collect_garbage, reconcile
from issbox.workflows.content import repositories, view_publishing, views
from issbox.workflows.context import Context
from issbox.workflows.environments import environments, promoting
from issbox.workflows.imports.by_hand import run_import
from issbox.workflows.imports.rolling_back import require_roll_back, roll_back
from issbox.workflows.people.users import create_user, grant_role

EXTRA = RepositoryKey("acme", "tools", "extra")


@pytest.fixture
def crossing(tmp_path: Path) -> Crossing:
    return make_crossing(tmp_path)


def take(crossing: Crossing, **request: object) -> ContentImport:
    """Export and import; gives the import."""
    (row,) = run_import(crossing.receiver, crossing.export(**request)[0])  # type: ignore[arg-type]  # by name
    assert row.state is ImportState.IMPORTED
    return row


def held(ctx: Context) -> dict[RepositoryKey, int]:
    with ctx.store.session():
        return {each.key: number for each, number in ctx.store.versions.promoted("acme", LIBRARY)}


def test_several_repositories_go_back_together_and_new_ones_leave_library(crossing: Crossing) -> None:
    ctx = crossing.receiver
    take(crossing)
    before = crossing.seen()
    crossing.publish([0, 1, 2])
    add_repository(crossing.sender, crossing.root / "other", "extra")
    row = take(crossing)
    after = crossing.seen(), crossing.seen(EXTRA)
    assert held(ctx) == {KEY: 2, EXTRA: 1}
    back = roll_back(ctx, row.id)
    assert back.state is ImportState.ROLLED_BACK
    assert held(ctx) == {KEY: 1}
    assert (crossing.seen(), crossing.seen(EXTRA)) == (before, {})
    assert "extra" not in (ctx.store.state_dir / "content/acme/Library/custom/tools/listing").read_text()
    with ctx.store.session():
        entry = ctx.store.audit.list()[-1]
    assert (entry.action, entry.details["versions"]) == (
        "content-import.rollback",
        {str(KEY): 1, str(EXTRA): None},
    )
    blobs = {path: path.stat().st_mtime_ns for path in (ctx.store.state_dir / "blobs").rglob("*")}
    (again,) = run_import(ctx, crossing.export()[0])
    assert (again.state, again.copied_files, again.copied_size) == (ImportState.IMPORTED, 0, 0)
    assert {path: path.stat().st_mtime_ns for path in (ctx.store.state_dir / "blobs").rglob("*")} == blobs
    assert (crossing.seen(), crossing.seen(EXTRA)) == after
    assert held(ctx) == {KEY: 2, EXTRA: 1}
    roll_back(ctx, again.id)
    assert crossing.seen() == before


def test_the_first_import_can_be_taken_back_too(crossing: Crossing) -> None:
    ctx = crossing.receiver
    row = take(crossing)
    seen = crossing.seen()
    roll_back(ctx, row.id)
    assert (held(ctx), crossing.seen()) == ({}, {})
    reconcile(ctx)
    assert crossing.seen() == {}
    take(crossing)
    assert crossing.seen() == seen


def test_one_after_the_other_and_never_below_a_later_change(crossing: Crossing) -> None:
    ctx = crossing.receiver
    rows = [take(crossing)]
    trees = [crossing.seen()]
    for count in (3, 2):
        crossing.publish(range(count), [count])
        rows.append(take(crossing, incremental=True))
        trees.append(crossing.seen())
    with pytest.raises(WrongStateError, match=r"holds version 3 of .*base, not version 2"):
        roll_back(ctx, rows[1].id)
    assert crossing.seen() == trees[2]
    for row, tree in zip(rows[:0:-1], trees[1::-1], strict=True):
        roll_back(ctx, row.id)
        assert crossing.seen() == tree
    with pytest.raises(WrongStateError, match="rolled-back"):
        roll_back(ctx, rows[1].id)


def test_what_changed_nothing_or_was_never_imported_cannot_be_taken_back(crossing: Crossing) -> None:
    ctx = crossing.receiver
    row = take(crossing)
    (again,) = run_import(ctx, crossing.export()[0])
    for ask in (require_roll_back, roll_back):
        with pytest.raises(WrongStateError, match="changed no repository"):
            ask(ctx, again.id)
    assert require_roll_back(ctx, row.id) == row
    with pytest.raises(NotFoundError):
        roll_back(ctx, 99)
    with FileLock(ctx.store.locks / "import.lock"), pytest.raises(BusyError):
        roll_back(ctx, row.id)
    crossing.publish([0, 1, 2])
    with ctx.store.session():
        refused = ctx.store.imports.add("/x", inbox=False, first_seen=ctx.clock(), state=ImportState.REFUSED)
    with pytest.raises(WrongStateError, match="refused"):
        roll_back(ctx, refused.id)


def test_environments_keep_what_was_promoted(crossing: Crossing) -> None:
    ctx = crossing.receiver
    take(crossing)
    crossing.publish([0, 1, 2])
    row = take(crossing)
    environments.create_environment(ctx, organization="acme", label="dev", name="Dev", prior=LIBRARY)
    views.create_view(ctx, organization="acme", label="servers", name="Servers")
    views.add_repository(ctx, "acme", "servers", KEY)
    view_publishing.publish_view(ctx, "acme", "servers")
    plan = promoting.plan_view_promotion(ctx, "acme", ViewVersionName("servers", "1.0"), "dev")
    promoting.promote(ctx, plan)
    dev = ctx.store.state_dir / "content/acme/dev/custom/tools/base/repodata/repomd.xml"
    before = dev.read_bytes()
    roll_back(ctx, row.id)
    assert held(ctx) == {KEY: 1}
    assert dev.read_bytes() == before
    assert crossing.seen()["repodata/repomd.xml"] != before
    collect_garbage(ctx, dry_run=False)
    assert dev.read_bytes() == before


def test_the_content_view_version_that_came_goes_with_it(crossing: Crossing) -> None:
    ctx, first = crossing.receiver, ViewVersionName("servers", "1.0")
    views.create_view(crossing.sender, organization="acme", label="servers", name="Servers")
    views.add_repository(crossing.sender, "acme", "servers", KEY)
    view_publishing.publish_view(crossing.sender, "acme", "servers")
    asked = {"scope": ScopeKind.CONTENT_VIEW_VERSION, "content_view": "servers"}

    def numbers() -> list[str]:
        return [each.number for each in views.list_view_versions(ctx, "acme", "servers")]

    row = take(crossing, **asked)
    assert (row.view_version, numbers()) == ("servers 1.0", ["1.0"])
    roll_back(ctx, row.id)
    assert numbers() == []
    (row,) = run_import(ctx, Path(row.path))
    assert numbers() == ["1.0"]
    environments.create_environment(ctx, organization="acme", label="dev", name="Dev", prior=LIBRARY)
    promoting.promote(ctx, promoting.plan_view_promotion(ctx, "acme", first, "dev"))
    back = roll_back(ctx, row.id)
    assert numbers() == ["1.0"], "dev holds it"
    assert "servers 1.0 is in dev" in back.reason
    (again,) = run_import(ctx, crossing.export()[0])
    assert again.view_version is None
    promoting.promote(ctx, promoting.plan_demotion(ctx, "acme", "dev", [KEY]))
    roll_back(ctx, again.id)
    assert numbers() == ["1.0"], "it was here before that import"


def test_the_list_of_repositories_says_what_library_holds(crossing: Crossing) -> None:
    ctx = crossing.receiver
    first = take(crossing)
    crossing.publish([0, 1, 2])
    row = take(crossing)

    def found() -> tuple[int | None, int | None]:
        (repository,) = repositories.list_repositories(ctx, "acme")
        return repository.latest, repository.library

    assert found() == (2, 2)
    roll_back(ctx, row.id)
    assert found() == (2, 1)
    roll_back(ctx, first.id)
    assert found() == (2, None)


def test_a_version_that_is_no_longer_kept_is_said_before_anything_changes(tmp_path: Path) -> None:
    crossing = make_crossing(tmp_path)
    ctx = crossing.receiver
    take(crossing)
    crossing.publish([0, 1, 2])
    row = take(crossing)
    with ctx.store.session(), ctx.store.transaction():
        ctx.store.versions.prune([KEY], 1)
    seen = crossing.seen()
    with pytest.raises(NotFoundError, match=r"version 1 of .* is no longer kept"):
        roll_back(ctx, row.id)
    assert crossing.seen() == seen


@pytest.mark.parametrize("form", ["importable", "syncable"])
def test_an_import_from_a_katello_is_taken_back_too(tmp_path: Path, form: str) -> None:
    ctx = make_context(tmp_path / "box")
    first, second = ("complete", "incremental") if form == "importable" else ("syncable", "syncable-incremental")
    base, tree = RepositoryKey("acme", "gap", "base"), RepositoryKey("acme", "gap", "tree")
    run_import(ctx, REAL / first, accept_unsigned=True)
    before = shown(ctx, base), shown(ctx, tree)
    (row,) = run_import(ctx, REAL / second, accept_unsigned=True)
    after = shown(ctx, base)
    assert after != before[0]
    roll_back(ctx, row.id)
    assert (shown(ctx, base), shown(ctx, tree)) == before
    (again,) = run_import(ctx, REAL / second, accept_unsigned=True)
    assert again.state is ImportState.IMPORTED
    assert shown(ctx, base) == after


def test_it_takes_the_role_of_an_importer(crossing: Crossing) -> None:
    ctx = crossing.receiver
    row = take(crossing)
    for name, role in (("vic", Role.VIEWER), ("ida", Role.IMPORTER)):
        create_user(ctx, name=name)
        grant_role(ctx, name=name, role=role, organization="acme")
    with pytest.raises(NotPermittedError):
        roll_back(ctx.acting_as("vic", "test"), row.id)
    assert roll_back(ctx.acting_as("ida", "test"), row.id).state is ImportState.ROLLED_BACK
