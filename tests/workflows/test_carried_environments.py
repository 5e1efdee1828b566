"""Lifecycle environments in bundles: carried when asked for, taken over when asked for, and never anything else."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from makers.crossings import Crossing, make_crossing
from makers.exports import KEY, check_directory, plan
from makers.fleets import quick

from issbox.bundle.report import decode_report, report_text
from issbox.certs.decode import decode_certificate
from issbox.errors import ImportRefusedError, InvalidValueError, NotPermittedError
from issbox.manifest import ManifestEnvironment, ManifestPromotion, ScopeKind
from issbox.model import LIBRARY, BundleForm, ImportState, RepositoryKey, Role, ViewVersionName
from issbox.rules.bundles.carried_environments import EnvironmentFate, PromotionFate
from issbox.workflows.certificates import certificates
from issbox.workflows.content import catalog, views
from issbox.workflows.content.view_publishing import publish_view
from issbox.workflows.context import Context
from issbox.workflows.environments import contents, environments, promoting
from issbox.workflows.hosts import registering
from issbox.workflows.imports.by_hand import run_import
from issbox.workflows.imports.previewing import preview
from issbox.workflows.imports.reporting import import_report
from issbox.workflows.people.users import create_user, grant_role


def stage(ctx: Context, label: str, prior: str = LIBRARY, **facts: str) -> None:
    """Make an environment."""
    environments.create_environment(ctx, organization="acme", label=label, name=label.title(), prior=prior, **facts)


def promote(ctx: Context, environment: str, number: int) -> None:
    """Promote a version of acme/tools/base."""
    promoting.promote(ctx, promoting.plan_repository_promotion(ctx, KEY, number, environment))


@pytest.fixture
def crossing(tmp_path: Path) -> Crossing:
    """Over there dev holds the first version of tools/base and prod, after it, nothing."""
    crossing = make_crossing(tmp_path)
    stage(crossing.sender, "dev", type_="test", description="First\nstage", content_prefix="/$env")
    stage(crossing.sender, "prod", "dev")
    promote(crossing.sender, "dev", 1)
    crossing.publish([0, 1, 2])
    return crossing


def carried(crossing: Crossing, **request: Any) -> tuple[ManifestEnvironment, ...]:
    """Give what a bundle says of environments."""
    path = crossing.export(**request)[0]
    return check_directory(crossing.sender, path).manifest.lifecycle_environments


def test_a_bundle_says_what_is_promoted_where_only_when_asked(crossing: Crossing) -> None:
    ctx = crossing.sender
    assert carried(crossing) == ()
    with ctx.store.session():
        digest = ctx.store.versions.get(KEY, 1).repomd_sha256
    held = ManifestPromotion(content_label="tools_base", path="custom/tools/base", repomd_sha256=digest)
    dev = {"label": "dev", "name": "Dev", "description": "First\nstage", "type": "test", "content_prefix": "/$env"}
    assert carried(crossing, with_environments=True) == (
        ManifestEnvironment(prior="Library", promotions=(held,), **dev),
        ManifestEnvironment(label="prod", name="Prod", prior="dev"),
    )


def test_what_other_products_hold_is_not_told_by_one_who_may_export_some_only(crossing: Crossing) -> None:
    ctx = crossing.sender
    create_user(ctx, name="ede")
    grant_role(ctx, name="ede", role=Role.EXPORTER, organization="acme", products=("tools",))
    ede = ctx.acting_as("ede", "test")
    assert plan(ede).products == {"tools"}
    with pytest.raises(NotPermittedError):
        plan(ede, with_environments=True)


@pytest.mark.parametrize("text", ["\x1b[2J", "x" * 2001, "\ud800"])
def test_a_description_that_no_bundle_may_carry_is_refused_where_it_is_given(crossing: Crossing, text: str) -> None:
    with pytest.raises(InvalidValueError, match="description"):
        stage(crossing.sender, "more", description=text)
    with pytest.raises(InvalidValueError, match="description"):
        environments.update_environment(crossing.sender, "acme", "dev", description=text)


def bring(crossing: Crossing, *, asking: bool = True, form: BundleForm = BundleForm.DIRECTORY, **request: Any) -> Any:
    """Export with environments, import by hand, and give the last row."""
    part = crossing.export(form, with_environments=True, **request)[0]
    return run_import(crossing.receiver, part, with_environments=asking)[-1]


def structure(ctx: Context) -> dict[str, tuple[str | None, str, str, str, str]]:
    """Give the environments with all that bundles say of them."""
    found = environments.list_environments(ctx, "acme")
    return {each.label: (each.prior, each.name, each.description, each.type, each.content_prefix) for each in found}


def held(ctx: Context, environment: str) -> list[tuple[RepositoryKey, int, bool | None]]:
    """Give what an environment holds."""
    content = environments.get_environment(ctx, "acme", environment).content
    return [(each.repository.key, each.number, each.enabled) for each in content]


def served(ctx: Context, environment: str) -> dict[str, bytes]:
    """Give what hosts of an environment see of acme/tools/base."""
    root = ctx.store.state_dir / "content/acme" / environment / "custom/tools/base"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def actions(ctx: Context) -> list[str]:
    with ctx.store.session():
        return [each.action for each in ctx.store.audit.list()]


def test_nothing_follows_unless_somebody_asks(crossing: Crossing) -> None:
    ctx = crossing.receiver
    row = bring(crossing, asking=False)
    assert row.state is ImportState.IMPORTED
    assert list(structure(ctx)) == [LIBRARY]
    again = run_import(ctx, Path(row.path), with_environments=True)[-1]
    assert "only its lifecycle environments" in again.reason
    assert list(structure(ctx)) == [LIBRARY, "dev", "prod"]
    assert held(ctx, "dev") == [], "the version that is promoted there never came here"


@pytest.mark.parametrize("form", [BundleForm.DIRECTORY, BundleForm.TGZ, BundleForm.ISO])
def test_what_was_promoted_there_is_promoted_here(crossing: Crossing, form: BundleForm) -> None:
    ctx, sender = crossing.receiver, crossing.sender
    promote(sender, "dev", 2)
    contents.enable_content(sender, "acme", "dev", "tools_base", enabled=False)
    before = len(actions(ctx))
    row = bring(crossing, form=form)
    assert structure(ctx) == structure(sender)
    assert held(ctx, "dev") == [(KEY, 1, False)], "number 1 is here what is number 2 there"
    assert served(ctx, "dev") == served(sender, "dev") == crossing.seen()
    assert held(ctx, "prod") == []
    assert actions(ctx)[before:] == [
        "content-import.import",
        "lifecycle-environment.create",
        "lifecycle-environment.create",
        "promotion.promote",
    ]
    (record,) = promoting.list_promotions(ctx, "acme")
    assert (record.environment, record.subject) == ("dev", f"bundle {row.bundle_id}")
    again = run_import(ctx, Path(row.path), with_environments=True)[-1]
    assert again.state is ImportState.IMPORTED
    assert len(promoting.list_promotions(ctx, "acme")) == 1, "it is so already"
    promoting.promote(ctx, promoting.plan_undo(ctx, record.id))
    assert held(ctx, "dev") == []


def test_a_version_that_came_earlier_is_promoted_too(crossing: Crossing) -> None:
    ctx, sender = crossing.receiver, crossing.sender
    promote(sender, "dev", 2)
    run_import(ctx, crossing.export()[0])
    crossing.publish([0])
    row = bring(crossing, incremental=True)
    assert row.state is ImportState.IMPORTED
    assert held(ctx, LIBRARY) == [(KEY, 2, None)]
    assert held(ctx, "dev") == [(KEY, 1, None)]
    assert served(ctx, "dev") == served(sender, "dev") != crossing.seen()
    promote(sender, "dev", 3)
    row = bring(crossing, incremental=True)
    assert held(ctx, "dev") == [(KEY, 2, None)]
    assert [each.environment for each in promoting.list_promotions(ctx, "acme")] == ["dev", "dev"]


def test_what_is_this_sides_stays(crossing: Crossing) -> None:
    ctx = crossing.receiver
    stage(ctx, "qa")
    stage(ctx, "dev", "qa", description="Ours")
    environments.update_environment(ctx, "acme", "dev", serves_as_cdn=True)
    stage(ctx, "own", "dev")
    id_ = environments.get_environment(ctx, "acme", "dev").environment.id
    bring(crossing)
    dev = environments.get_environment(ctx, "acme", "dev").environment
    assert (dev.prior, dev.id, dev.serves_as_cdn) == ("qa", id_, True)
    assert (dev.description, dev.type, dev.content_prefix) == ("First\nstage", "test", "/$env")
    assert list(structure(ctx)) == [LIBRARY, "qa", "dev", "own", "prod"]
    with ctx.store.session():
        entry = next(each for each in ctx.store.audit.list() if each.details.get("type") == "test")
    assert entry.action == "lifecycle-environment.update"
    assert entry.details["before"] == {"description": "Ours", "type": "", "content_prefix": ""}


def test_what_the_other_side_does_not_hold_is_not_taken_away(crossing: Crossing) -> None:
    ctx, sender = crossing.receiver, crossing.sender
    run_import(ctx, crossing.export()[0])
    for label in ("dev", "own"):
        stage(ctx, label)
        promote(ctx, label, 1)
    promoting.promote(sender, promoting.plan_demotion(sender, "acme", "dev", [KEY]))
    crossing.publish([0])
    bring(crossing)
    assert held(ctx, "dev") == held(ctx, "own") == [(KEY, 1, None)]


def test_an_environment_that_differs_in_case_refuses_the_whole_import(crossing: Crossing) -> None:
    ctx = crossing.receiver
    stage(ctx, "DEV")
    with pytest.raises(ImportRefusedError, match="dev differs only in case from DEV"):
        bring(crossing)
    assert held(ctx, LIBRARY) == []
    assert list(structure(ctx)) == [LIBRARY, "DEV"]


def test_another_organization_is_never_touched(crossing: Crossing) -> None:
    ctx = crossing.receiver
    catalog.create_organization(ctx, label="other", name="Other")
    promote(crossing.sender, "dev", 2)
    bring(crossing)
    assert [each.label for each in environments.list_environments(ctx, "other")] == [LIBRARY]
    run_import(ctx, crossing.export(with_environments=True)[0], organization="other", with_environments=True)
    assert [each.label for each in environments.list_environments(ctx, "other")] == [LIBRARY, "dev", "prod"]
    assert [each.number for each in environments.get_environment(ctx, "other", "dev").content] == [1]


def test_the_inbox_takes_it_over_when_it_is_configured_so_and_once(tmp_path: Path) -> None:
    crossing = make_crossing(tmp_path, with_lifecycle_environments=True)
    ctx = crossing.receiver
    stage(crossing.sender, "dev")
    promote(crossing.sender, "dev", 1)
    part = crossing.export(with_environments=True)[0]
    drop = ctx.settings.inbox.path / part.name
    shutil.copytree(part, drop)
    assert crossing.drop(drop).state is ImportState.IMPORTED
    assert held(ctx, "dev") == [(KEY, 1, None)]
    promoting.promote(ctx, promoting.plan_demotion(ctx, "acme", "dev", [KEY]))
    shutil.copytree(part, drop)
    assert "nothing to do" in crossing.drop(drop).reason
    assert held(ctx, "dev") == [], "what was decided here since is not undone by the same bundle"


def test_it_takes_those_who_may_change_environments_and_what_they_hold(crossing: Crossing) -> None:
    ctx = crossing.receiver
    for name, roles in (("ida", [Role.IMPORTER]), ("paul", [Role.IMPORTER, Role.PROMOTER]), ("olga", [Role.ORG_ADMIN])):
        create_user(ctx, name=name)
        for role in roles:
            grant_role(ctx, name=name, role=role, organization="acme")
    part = crossing.export(with_environments=True)[0]
    for name in ("ida", "paul"):
        with pytest.raises(NotPermittedError):
            run_import(ctx.acting_as(name, "test"), part, with_environments=True)
        assert list(structure(ctx)) == [LIBRARY]
    assert run_import(ctx.acting_as("ida", "test"), part)[-1].state is ImportState.IMPORTED
    assert list(structure(ctx)) == [LIBRARY]


def test_a_preview_says_it_first(crossing: Crossing) -> None:
    ctx, sender = crossing.receiver, crossing.sender
    run_import(ctx, crossing.export()[0])
    stage(ctx, "dev")
    promote(ctx, "dev", 1)
    promote(sender, "dev", 2)
    promote(sender, "prod", 2)
    crossing.publish([0])
    stage(sender, "late")
    promote(sender, "late", 3)
    stage(sender, "lost")
    promote(sender, "lost", 1)
    before = structure(ctx), held(ctx, "dev")
    found = preview(ctx, crossing.export(with_environments=True)[0])
    assert (structure(ctx), held(ctx, "dev")) == before
    plan = found.environments
    assert [(each.after.label, each.fate) for each in plan.environments] == [
        ("dev", EnvironmentFate.CHANGED),
        ("prod", EnvironmentFate.NEW),
        ("late", EnvironmentFate.NEW),
        ("lost", EnvironmentFate.NEW),
    ]
    assert [(each.environment, each.fate, each.number) for each in plan.promotions] == [
        ("dev", PromotionFate.KEPT, 1),
        ("prod", PromotionFate.IN, 1),
        ("late", PromotionFate.IN, None),
        ("lost", PromotionFate.MISSING, None),
    ]


def test_hosts_get_exactly_what_the_promotions_mean(crossing: Crossing) -> None:
    crossing = replace(crossing, receiver=quick(crossing.receiver))
    ctx = crossing.receiver
    run_import(ctx, crossing.export()[0])
    for label in ("dev", "own"):
        stage(ctx, label, content_prefix="/$env" if label == "dev" else "")
    hosts = [
        registering.register(ctx, organization="acme", name=label, facts={}, environments=[label])
        for label in ("dev", "own")
    ]

    def paths() -> list[list[str]]:
        found = [certificates.certificates_of(ctx, host.uuid)[0].certificate.pem for host in hosts]
        return [list(decode_certificate(pem).paths) for pem in found]

    assert paths() == [[], []]
    promote(crossing.sender, "dev", 2)
    bring(crossing)
    with ctx.store.session():
        stale = [[each.stale for each in ctx.store.entitlements.of(host.uuid)] for host in hosts]
    assert stale == [[True], [False]]
    assert paths() == [["/acme/dev/dev/custom/tools/base"], []]


@pytest.mark.parametrize("form", [BundleForm.DIRECTORY, BundleForm.ISO])
def test_of_several_volumes_the_last_one_in_brings_the_environments(tmp_path: Path, form: BundleForm) -> None:
    crossing = make_crossing(tmp_path, with_lifecycle_environments=True)
    ctx = crossing.receiver
    crossing.publish([0, 1], ballast=1_500_000)
    stage(crossing.sender, "dev")
    promote(crossing.sender, "dev", 2)
    parts = crossing.export(form, with_environments=True, volume_size=600 << 10)
    assert len(parts) > 2
    for part in reversed(parts):
        assert list(structure(ctx)) == [LIBRARY]
        target = ctx.settings.inbox.path / part.name
        shutil.copytree(part, target) if part.is_dir() else shutil.copy2(part, target)
        row = crossing.drop(target)
    assert row.state is ImportState.IMPORTED
    assert held(ctx, "dev") == [(KEY, 1, None)]
    assert served(ctx, "dev") == served(crossing.sender, "dev")


def view_versions(ctx: Context, environment: str) -> list[str]:
    """Give of which content view version each repository of an environment is part there."""
    return [str(each.view_version) for each in environments.get_environment(ctx, "acme", environment).content]


def test_what_a_content_view_version_brought_there_is_part_of_it_here_too_when_it_came(crossing: Crossing) -> None:
    ctx, sender = crossing.receiver, crossing.sender
    views.create_view(sender, organization="acme", label="servers", name="Servers")
    views.add_repository(sender, "acme", "servers", KEY)
    publish_view(sender, "acme", "servers")
    promoting.promote(sender, promoting.plan_view_promotion(sender, "acme", ViewVersionName("servers", "1.0"), "dev"))
    assert carried(crossing, with_environments=True)[0].promotions[0].content_view == "servers"
    row = bring(crossing)
    assert view_versions(ctx, "dev") == ["None"], "the version itself has not come yet"
    assert json.loads(import_report(ctx, row.id))["lifecycle_environments"][0]["promotions"][0]["change"] == "in"
    row = bring(crossing, scope=ScopeKind.CONTENT_VIEW_VERSION, content_view="servers", content_view_version="1.0")
    assert view_versions(ctx, "dev") == ["servers 1.0"]
    (dev, prod) = json.loads(import_report(ctx, row.id))["lifecycle_environments"]
    assert (dev["label"], dev["change"], prod) == ("dev", "kept", {"label": "prod", "change": "kept", "promotions": []})
    (promotion,) = dev["promotions"]
    assert (promotion["change"], promotion["version"]) == ("replaced", 1)
    assert promotion["content_view_version"] == "servers 1.0"
    assert "version 1 of servers 1.0, replaced" in report_text(decode_report(import_report(ctx, row.id)))
    promote(sender, "dev", 2)
    bring(crossing)
    assert view_versions(ctx, "dev") == ["servers 1.0"], "what is promoted here already stays part of it"


def test_a_content_view_version_of_other_content_is_not_taken_for_that_of_the_other_side(crossing: Crossing) -> None:
    ctx, sender = crossing.receiver, crossing.sender
    run_import(ctx, crossing.export()[0])
    for box in (ctx, sender):
        views.create_view(box, organization="acme", label="servers", name="Servers")
        views.add_repository(box, "acme", "servers", KEY)
    publish_view(ctx, "acme", "servers")
    crossing.publish([0])
    publish_view(sender, "acme", "servers")
    promoting.promote(sender, promoting.plan_view_promotion(sender, "acme", ViewVersionName("servers", "1.0"), "dev"))
    bring(crossing, incremental=True)
    assert held(ctx, "dev") == [(KEY, 2, None)]
    assert view_versions(ctx, "dev") == ["None"]


def test_a_report_of_an_import_that_took_nothing_over_names_no_environment(crossing: Crossing) -> None:
    row = bring(crossing, asking=False)
    report = import_report(crossing.receiver, row.id)
    assert json.loads(report)["lifecycle_environments"] == []
    assert "Lifecycle environments" not in report_text(decode_report(report))
