"""Promoting into environments of a real store: what hosts see, what is recorded, and what is refused."""

from dataclasses import replace
from pathlib import Path

import pytest
from makers.boxes import KEY, Gap, make_gap
from makers.recorder import Recorder

from issbox.errors import (
    AlreadyExistsError,
    BusyError,
    InUseError,
    InvalidValueError,
    NotFoundError,
    PromotionRefusedError,
    WrongStateError,
)
from issbox.files import FileLock, remove_tree
from issbox.model import LIBRARY, PromotionAction, RepositoryKey, ViewVersionName
from issbox.workflows.appliance.upkeep import collect_garbage, reconcile
from issbox.workflows.content import repositories, views
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.content.view_publishing import publish_view
from issbox.workflows.context import Context
from issbox.workflows.environments import environments, promoting
from issbox.workflows.environments.promoting import (
    STEPS,
    plan_demotion,
    plan_repository_promotion,
    plan_undo,
    plan_view_promotion,
    promote,
)

APPS = RepositoryKey("acme", "tools", "apps")
ONE, TWO = ViewVersionName("servers", "1.0"), ViewVersionName("servers", "2.0")


@pytest.fixture
def gap(tmp_path: Path) -> Gap:
    """A box with Library > dev > prod, and the content view servers: 1.0 of base and apps, 2.0 of base alone."""
    gap = make_gap(tmp_path)
    ctx = gap.outside.context()
    repositories.create_repository(
        ctx, organization="acme", product="tools", label="apps", name="Apps", url=gap.upstream.as_uri()
    )
    for label, prior in (("dev", LIBRARY), ("prod", "dev")):
        environments.create_environment(ctx, organization="acme", label=label, name=label.title(), prior=prior)
    views.create_view(ctx, organization="acme", label="servers", name="Servers")
    for key in (KEY, APPS):
        synchronize(ctx, key)
        views.add_repository(ctx, "acme", "servers", key)
    publish_view(ctx, "acme", "servers")
    gap.change_upstream(3)
    synchronize(ctx, KEY)
    views.remove_repository(ctx, "acme", "servers", APPS)
    publish_view(ctx, "acme", "servers")
    return gap


def shown(gap: Gap, environment: str) -> dict[str, str]:
    """What hosts see in an environment: repository path and the number of the version it leads to."""
    root = gap.outside.state / "content/acme" / environment
    links = {str(path.relative_to(root)): path for path in root.rglob("*") if path.is_symlink()}
    for path in links.values():
        assert (path / "repodata/repomd.xml").is_file()
    return {name: "/".join(path.resolve().parts[-2:]) for name, path in links.items()}


def put(ctx: Context, name: ViewVersionName, environment: str) -> int:
    record = promote(ctx, plan_view_promotion(ctx, "acme", name, environment))
    assert record is not None
    return record.id


def held(ctx: Context, environment: str) -> dict[str, tuple[int, str]]:
    content = environments.get_environment(ctx, "acme", environment).content
    return {each.repository.key.short: (each.number, str(each.view_version)) for each in content}


def test_a_content_view_version_goes_along_the_path(gap: Gap) -> None:
    progress = Recorder()
    ctx = replace(gap.outside.context(), progress=progress)
    plan = plan_view_promotion(ctx, "acme", ONE, "dev")
    assert [(change.kind, change.key, len(change.difference.added)) for change in plan.changes] == [
        ("in", APPS, 2),
        ("in", KEY, 2),
    ]
    assert shown(gap, "dev") == {}, "a plan changes nothing"
    record = promote(ctx, plan)
    assert progress.steps == list(STEPS)
    assert record is not None
    assert (record.action, record.subject, record.before) == (PromotionAction.PROMOTE, "servers 1.0", ())
    assert shown(gap, "dev") == {"custom/tools/base": "base/1", "custom/tools/apps": "apps/1"}
    assert (gap.outside.state / "content/acme/dev/custom/tools/listing").read_text() == "apps\nbase"
    assert held(ctx, "dev") == {"tools/apps": (1, "servers 1.0"), "tools/base": (1, "servers 1.0")}
    assert shown(gap, "prod") == {}
    with pytest.raises(PromotionRefusedError, match="comes before prod"):
        promote(ctx, plan_view_promotion(ctx, "acme", TWO, "prod"))
    put(ctx, ONE, "prod")
    put(ctx, TWO, "dev")
    assert shown(gap, "dev") == {"custom/tools/base": "base/2"}, "what the view dropped has left"
    assert (gap.outside.state / "content/acme/dev/custom/tools/listing").read_text() == "base"
    assert shown(gap, "prod") == {"custom/tools/base": "base/1", "custom/tools/apps": "apps/1"}
    assert views.get_view_version(ctx, "acme", ONE).environments == ("prod",)
    gap.outside.check()


def test_the_plan_says_which_packages_come_and_go(gap: Gap) -> None:
    ctx = gap.outside.context()
    put(ctx, ONE, "dev")
    plan = plan_view_promotion(ctx, "acme", TWO, "dev")
    out, replaced = plan.changes
    assert (out.kind, out.key, len(out.difference.removed)) == ("out", APPS, 2)
    assert (replaced.kind, replaced.key, len(replaced.difference.added)) == ("replaced", KEY, 1)


def test_promoting_what_is_there_already_leaves_no_trace(gap: Gap) -> None:
    ctx = gap.outside.context()
    put(ctx, ONE, "dev")
    assert promote(ctx, plan_view_promotion(ctx, "acme", ONE, "dev")) is None
    assert len(promoting.list_promotions(ctx, "acme")) == 1


def test_out_of_order_with_a_reason_only(gap: Gap) -> None:
    ctx = gap.outside.context()
    with pytest.raises(PromotionRefusedError, match="only with a reason"):
        promote(ctx, plan_view_promotion(ctx, "acme", TWO, "prod", force=True))
    record = promote(ctx, plan_view_promotion(ctx, "acme", TWO, "prod", force=True, reason="Security fix"))
    assert record is not None
    assert record.reason == "Security fix"
    with ctx.store.session():
        entry = ctx.store.audit.list()[-1]
    assert (entry.action, entry.subject) == ("promotion.promote", "prod: servers 2.0")
    assert entry.details == {"reason": "Security fix", "changes": {"tools/base": [None, "2"]}}
    with pytest.raises(PromotionRefusedError, match="Library"):
        promote(ctx, plan_view_promotion(ctx, "acme", TWO, LIBRARY, force=True, reason="x"))


def test_a_repository_version_by_itself(gap: Gap) -> None:
    ctx = gap.outside.context()
    put(ctx, ONE, "dev")
    plan = plan_repository_promotion(ctx, KEY, 2, "dev")
    assert plan.notes == ("tools/base of the content view servers 1.0 is replaced by one promoted alone",)
    promote(ctx, plan)
    assert shown(gap, "dev") == {"custom/tools/base": "base/2", "custom/tools/apps": "apps/1"}
    with pytest.raises(PromotionRefusedError, match="tools/base version 1"):
        promote(ctx, plan_repository_promotion(ctx, KEY, 1, "prod"))
    promote(ctx, plan_repository_promotion(ctx, KEY, 2, "prod"))
    assert shown(gap, "prod") == {"custom/tools/base": "base/2"}
    with pytest.raises(NotFoundError):
        plan_repository_promotion(ctx, KEY, 3, "dev")
    with pytest.raises(NotFoundError):
        plan_view_promotion(ctx, "acme", ONE, "nowhere")


def test_taking_back(gap: Gap) -> None:
    ctx = gap.outside.context()
    first, second = put(ctx, ONE, "dev"), put(ctx, TWO, "dev")
    with pytest.raises(PromotionRefusedError, match="changed after"):
        promote(ctx, plan_undo(ctx, first))
    back = promote(ctx, plan_undo(ctx, second))
    assert back is not None
    assert held(ctx, "dev") == {"tools/apps": (1, "servers 1.0"), "tools/base": (1, "servers 1.0")}
    assert shown(gap, "dev") == {"custom/tools/base": "base/1", "custom/tools/apps": "apps/1"}
    assert promoting.get_promotion(ctx, second).undone_by == back.id
    with pytest.raises(PromotionRefusedError, match="taken back already"):
        promote(ctx, plan_undo(ctx, second))
    promote(ctx, plan_undo(ctx, back.id))
    assert held(ctx, "dev") == {"tools/base": (2, "servers 2.0")}
    views.delete_view_version(ctx, "acme", ONE)
    with pytest.raises(PromotionRefusedError, match=r"no version 1\.0"):
        promote(ctx, plan_undo(ctx, second))
    assert [each.action for each in promoting.list_promotions(ctx, "acme", "dev")] == [
        "undo",
        "undo",
        "promote",
        "promote",
    ]


def test_demotion(gap: Gap) -> None:
    ctx = gap.outside.context()
    put(ctx, ONE, "dev")
    promote(ctx, plan_demotion(ctx, "acme", "dev", [APPS]))
    assert shown(gap, "dev") == {"custom/tools/base": "base/1"}
    with pytest.raises(PromotionRefusedError, match="does not hold"):
        promote(ctx, plan_demotion(ctx, "acme", "dev", [APPS]))
    record = promote(ctx, plan_demotion(ctx, "acme", "dev", [], view="servers"))
    assert shown(gap, "dev") == {}
    assert not (gap.outside.state / "content/acme/dev").exists()
    assert record is not None
    promote(ctx, plan_undo(ctx, record.id))
    assert shown(gap, "dev") == {"custom/tools/base": "base/1"}
    with pytest.raises(NotFoundError):
        plan_demotion(ctx, "acme", "prod", [], view="servers")
    with pytest.raises(PromotionRefusedError):
        promote(ctx, plan_demotion(ctx, "acme", LIBRARY, [KEY]))


def test_a_plan_is_not_carried_out_on_something_else(gap: Gap) -> None:
    ctx = gap.outside.context()
    plan = plan_view_promotion(ctx, "acme", TWO, "dev")
    promote(ctx, plan_repository_promotion(ctx, KEY, 1, "dev"))
    with pytest.raises(WrongStateError):
        promote(ctx, plan)
    with FileLock(ctx.store.locks / "environment-acme-dev.lock"), pytest.raises(BusyError):
        put(ctx, TWO, "dev")


def test_synchronizing_changes_no_environment_but_library(gap: Gap) -> None:
    ctx = gap.outside.context()
    put(ctx, TWO, "dev")
    gap.change_upstream(1)
    synchronize(ctx, KEY)
    assert shown(gap, "dev") == {"custom/tools/base": "base/2"}
    assert shown(gap, LIBRARY)["custom/tools/base"] == "base/3"


def test_environments_are_made_changed_and_deleted(gap: Gap) -> None:
    ctx = gap.outside.context()
    assert [[each.label for each in path] for path in environments.list_paths(ctx, "acme")] == [
        [LIBRARY, "dev", "prod"]
    ]
    with pytest.raises(InvalidValueError):
        environments.create_environment(ctx, organization="acme", label="content_views", name="x", prior=LIBRARY)
    with pytest.raises(AlreadyExistsError):
        environments.create_environment(ctx, organization="acme", label="Dev", name="x", prior=LIBRARY)
    assert environments.update_environment(ctx, "acme", "dev", name="New", description="x").name == "New"
    put(ctx, ONE, "dev")
    with pytest.raises(InUseError, match="holds 2 repositories and comes before prod"):
        environments.delete_environment(ctx, "acme", "dev")
    plan = environments.plan_deletion(ctx, "acme", "dev")
    assert (len(plan.content), plan.followers) == (2, ("prod",))
    assert environments.delete_environment(ctx, "acme", "dev", force=True) == plan
    assert not (gap.outside.state / "content/acme/dev").exists()
    assert [each.label for each in environments.list_environments(ctx, "acme")] == [LIBRARY, "prod"]
    environments.delete_environment(ctx, "acme", "prod")
    with pytest.raises(InUseError):
        environments.delete_environment(ctx, "acme", LIBRARY, force=True)
    with pytest.raises(NotFoundError):
        environments.delete_environment(ctx, "acme", "prod")
    gap.outside.check()


def test_links_of_environments_are_mended(gap: Gap) -> None:
    ctx = gap.outside.context()
    put(ctx, ONE, "dev")
    before = shown(gap, "dev")
    remove_tree(gap.outside.state / "content/acme/dev")
    (gap.outside.state / "content/acme/gone/custom/tools").mkdir(parents=True)
    (gap.outside.state / "content/acme/gone/custom/tools/base").symlink_to("../../../../../published/acme/tools/base/1")
    reconcile(ctx)
    assert shown(gap, "dev") == before
    assert not (gap.outside.state / "content/acme/gone").exists()


def test_cleanup_leaves_what_taking_back_brings_again(gap: Gap) -> None:
    ctx = gap.outside.context()
    ctx = replace(ctx, settings=replace(ctx.settings, versions=replace(ctx.settings.versions, keep=1)))
    for name in (ONE, TWO):
        views.delete_view_version(ctx, "acme", name)
    promote(ctx, plan_repository_promotion(ctx, KEY, 1, "dev"))
    record = promote(ctx, plan_repository_promotion(ctx, KEY, 2, "dev"))
    assert record is not None
    gap.change_upstream(1)
    synchronize(ctx, KEY)
    assert collect_garbage(ctx, dry_run=False).versions == 0
    promote(ctx, plan_undo(ctx, record.id))
    assert shown(gap, "dev") == {"custom/tools/base": "base/1"}
    environments.delete_environment(ctx, "acme", "prod")
    environments.delete_environment(ctx, "acme", "dev", force=True)
    assert collect_garbage(ctx, dry_run=False).versions == 2, "nobody can take anything back any more"
    gap.outside.check()
