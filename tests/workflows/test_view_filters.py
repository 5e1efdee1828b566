"""Filtered versions in a real store: what hosts see of them, when a new one is made, and what goes with them."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import createrepo_c
import pytest
from makers.boxes import KEY, PACKAGES, Gap, make_gap
from makers.recorder import Recorder
from makers.repodata import Listed, write, write_repository
from makers.rpms import Extra, Repository
from makers.rpms import write_repository as write_real_repository

from issbox.errors import BadMetadataError, BusyError, InUseError, InvalidValueError, NotFoundError
from issbox.files import remove_tree
from issbox.manifest import ScopeKind
from issbox.model import (
    LIBRARY,
    ErratumRule,
    ErratumType,
    ExportState,
    FileKind,
    PackageRule,
    RepositoryVersion,
    VersionOrigin,
    ViewFilter,
    ViewVersion,
    ViewVersionName,
)
from issbox.workflows.appliance.upkeep import collect_garbage, reconcile
from issbox.workflows.content import repositories, views
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.content.view_publishing import publish_view
from issbox.workflows.context import Context
from issbox.workflows.environments import environments
from issbox.workflows.environments.promoting import plan_view_promotion, promote
from issbox.workflows.exports import ExportRequest, export, plan_export

FILTERED = replace(KEY, view="servers")
NO_GREETING = ViewFilter("No greetings", False, PackageRule(("gap-greet*",)))
ADVISORIES = """<updates>
<update type="security"><id>GAP-1</id><issued date="2026-01-01 00:00:00"/><pkglist><collection>
<package name="gap-greeting" epoch="0" version="1.0" release="1" arch="noarch"/></collection></pkglist></update>
<update type="bugfix"><id>GAP-2</id><issued date="2026-02-01 00:00:00"/><pkglist><collection>
<package name="gap-almanac" epoch="0" version="2026.1" release="3" arch="noarch"/></collection></pkglist></update>
</updates>"""
EXTRAS = (
    Extra("updateinfo", "updateinfo.xml", ADVISORIES.encode()),
    Extra("group", "comps.xml", b"<comps><group><id>all</id><name>All</name></group></comps>"),
    Extra("productid", "productid", b"certificate", compressed=False),
)


@pytest.fixture
def gap(tmp_path: Path) -> Gap:
    """A box with Library > dev, a repository of three packages with advisories, and the content view servers of it."""
    gap = make_gap(tmp_path)
    upload(gap)
    ctx = gap.outside.context()
    views.create_view(ctx, organization="acme", label="servers", name="Servers")
    views.add_repository(ctx, "acme", "servers", KEY)
    environments.create_environment(ctx, organization="acme", label="dev", name="Dev", prior=LIBRARY)
    return gap


def upload(gap: Gap, packages: int = 3) -> None:
    remove_tree(gap.upstream)
    write_real_repository(Repository(gap.upstream, PACKAGES[:packages], EXTRAS, revision=str(packages)))
    synchronize(gap.outside.context(), KEY)


def publish(ctx: Context, *filters: ViewFilter) -> ViewVersion:
    for each in filters:
        views.create_filter(ctx, "acme", "servers", each)
    return publish_view(ctx, "acme", "servers")


def pinned(version: ViewVersion) -> list[tuple[Any, int, int]]:
    return [(pin.repository.key, pin.number, pin.packages) for pin in version.repositories]


def versions(ctx: Context) -> list[RepositoryVersion]:
    with ctx.store.session():
        return list(ctx.store.versions.list(FILTERED))


def names(tree: Path) -> set[str]:
    """Give the packages of a published tree as its metadata has them, all of them being there."""
    reader = createrepo_c.RepositoryReader.from_path(str(tree))
    packages = list(reader.iter_packages())
    assert {package.location_href for package in packages} == {
        str(path.relative_to(tree)) for path in tree.rglob("*.rpm")
    }
    return {package.name for package in packages}


def test_filters_that_mean_nothing_here_say_so(gap: Gap) -> None:
    progress = Recorder()
    nobody = replace(NO_GREETING, rule=PackageRule(names=("no-such-package",)))
    publish(replace(gap.outside.context(), progress=progress), nobody)
    assert progress.notes == ["tools/base: filters take nothing away"]


def test_what_filters_leave_is_a_whole_repository(gap: Gap) -> None:
    progress = Recorder()
    ctx = replace(gap.outside.context(), progress=progress)
    version = publish(ctx, NO_GREETING)
    assert progress.notes == ["tools/base: filters take 1 package away"]
    assert pinned(version) == [(FILTERED, 1, 2)]
    (made,) = versions(ctx)
    assert (made.origin, made.source) == (VersionOrigin.PUBLISH, "version 1 of tools/base")
    tree = gap.outside.state / "published/acme/tools/base@servers/1"
    assert names(tree) == {"gap-almanac", "gap-traveller"}
    reader = createrepo_c.RepositoryReader.from_path(str(tree))
    assert [advisory.id for advisory in reader.advisories()] == ["GAP-2"]
    records = {record.type: record for record in createrepo_c.Repomd(str(tree / "repodata/repomd.xml")).records}
    source = gap.outside.state / "published/acme/tools/base/1"
    for type_ in ("group", "productid"):
        href = records[type_].location_href
        assert (tree / href).read_bytes() == (source / href).read_bytes()
    assert names(gap.outside.tree()) == {"gap-almanac", "gap-greeting", "gap-traveller"}, "Library is not filtered"
    gap.outside.check()


@pytest.mark.skipif(shutil.which("dnf") is None, reason="dnf is not installed")
def test_dnf_reads_what_filters_leave(gap: Gap, tmp_path: Path) -> None:
    ctx = gap.outside.context()
    publish(ctx, NO_GREETING)
    promote(ctx, plan_view_promotion(ctx, "acme", ViewVersionName("servers", "1.0"), "dev"))
    options = [
        f"--repofrompath=dev,file://{gap.outside.state}/content/acme/dev/custom/tools/base",
        "--repo=dev",
        f"--setopt=cachedir={tmp_path / 'dnf'}",
        f"--setopt=reposdir={tmp_path / 'none'}",
        f"--installroot={tmp_path / 'root'}",
        "--releasever=9",
        "--disableplugin=*",
    ]

    def dnf(*words: str) -> list[str]:
        done = subprocess.run(["dnf", "--quiet", *options, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    assert dnf("repoquery", "--queryformat", "%{name}") == ["gap-almanac", "gap-traveller"]
    assert dnf("repoquery", "--advisory=GAP-2") == ["gap-almanac-0:2026.1-3.noarch"]
    assert dnf("repoquery", "--advisory=GAP-1") == []


def test_publishing_again_makes_no_new_filtered_version(gap: Gap) -> None:
    ctx = gap.outside.context()
    first, second = publish(ctx, NO_GREETING), publish(ctx)
    assert (first.number, second.number) == ("1.0", "2.0")
    assert pinned(first) == pinned(second) == [(FILTERED, 1, 2)]
    assert "gap-greeting" in names(gap.outside.tree()), "Library is not filtered"
    assert [each.repository.key for each in environments.get_environment(ctx, "acme", LIBRARY).content] == [KEY]
    upload(gap, packages=2)
    assert pinned(publish(ctx)) == [(FILTERED, 2, 1)]
    assert [version.source for version in versions(ctx)] == ["version 1 of tools/base", "version 2 of tools/base"]
    gap.outside.check()


def test_filters_that_change_nothing_leave_the_version_as_upstream_made_it(gap: Gap) -> None:
    ctx = gap.outside.context()
    version = publish(ctx, ViewFilter("none", False, PackageRule(("nothing*",))))
    assert pinned(version) == [(KEY, 1, 3)]
    with ctx.store.session():
        assert ctx.store.repositories.derived(KEY) == []
    views.create_filter(ctx, "acme", "servers", NO_GREETING)
    assert pinned(publish(ctx)) == [(FILTERED, 1, 2)]
    views.delete_filter(ctx, "acme", "servers", NO_GREETING.name)
    assert pinned(publish(ctx)) == [(KEY, 1, 3)]
    with pytest.raises(NotFoundError):
        views.delete_filter(ctx, "acme", "servers", NO_GREETING.name)


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        ([ViewFilter("x", True, PackageRule(("gap-*",), min_version="1.0"))], {"gap-almanac", "gap-greeting"}),
        ([ViewFilter("x", True, ErratumRule(types=(ErratumType.SECURITY,)))], {"gap-greeting"}),
        ([ViewFilter("x", True, ErratumRule(("GAP-1",)), without_errata=True)], {"gap-greeting", "gap-traveller"}),
        ([ViewFilter("x", False, ErratumRule(("GAP-1",)))], {"gap-almanac", "gap-traveller"}),
        ([ViewFilter("x", False, PackageRule(("*",)))], set()),
        ([ViewFilter("x", True, PackageRule(("gap-g*", "gap-a*"))), NO_GREETING], {"gap-almanac"}),
    ],
)
def test_filters_of_all_kinds(gap: Gap, filters: list[ViewFilter], left: set[str]) -> None:
    ctx = gap.outside.context()
    assert pinned(publish(ctx, *filters)) == [(FILTERED, 1, len(left))]
    assert names(gap.outside.state / "published/acme/tools/base@servers/1") == left
    gap.outside.check()


def test_a_filter_limited_to_another_repository(gap: Gap) -> None:
    ctx = gap.outside.context()
    other = replace(KEY, label="other")
    url = gap.upstream.as_uri()
    repositories.create_repository(ctx, organization="acme", product="tools", label="other", name="Other", url=url)
    synchronize(ctx, other)
    limited = replace(NO_GREETING, repositories=("tools/other",))
    with pytest.raises(InvalidValueError, match="tools/other"):
        views.create_filter(ctx, "acme", "servers", limited)
    views.add_repository(ctx, "acme", "servers", other)
    assert pinned(publish(ctx, limited)) == [(KEY, 1, 3), (replace(other, view="servers"), 1, 2)]


def test_promoting_a_filtered_version_in_place_of_the_whole(gap: Gap) -> None:
    ctx = gap.outside.context()
    publish(ctx)
    promote(ctx, plan_view_promotion(ctx, "acme", ViewVersionName("servers", "1.0"), "dev"))
    publish(ctx, NO_GREETING)
    plan = plan_view_promotion(ctx, "acme", ViewVersionName("servers", "2.0"), "dev")
    (change,) = plan.changes
    assert (change.kind, change.key) == ("replaced", FILTERED)
    assert [each.name for each in change.difference.removed] == ["gap-greeting"]
    assert [each.id for each in change.difference.errata_lost] == ["GAP-1"]
    promote(ctx, plan)
    link = gap.outside.state / "content/acme/dev/custom/tools/base"
    assert names(link) == {"gap-almanac", "gap-traveller"}
    remove_tree(gap.outside.state / "content/acme/dev")
    remove_tree(gap.outside.state / "published/acme/tools/base@servers")
    reconcile(ctx)
    assert names(link) == {"gap-almanac", "gap-traveller"}
    gap.outside.check()


def test_what_filters_made_goes_with_the_content_view(gap: Gap) -> None:
    ctx = gap.outside.context()
    ctx = replace(ctx, settings=replace(ctx.settings, versions=replace(ctx.settings.versions, keep=1)))
    for packages in (3, 2):
        upload(gap, packages)
        publish(ctx, *([NO_GREETING] if packages == 3 else []))
    assert [version.number for version in versions(ctx)] == [1, 2]
    views.delete_view_version(ctx, "acme", ViewVersionName("servers", "1.0"))
    assert collect_garbage(ctx, dry_run=False).versions == 2, "version 1 of the repository and of what was filtered"
    assert [version.number for version in versions(ctx)] == [2]
    gap.outside.check()
    views.delete_view(ctx, "acme", "servers")
    with ctx.store.session():
        assert ctx.store.repositories.derived(KEY) == []
    assert not (gap.outside.state / "published/acme/tools/base@servers").exists()
    collect_garbage(ctx, dry_run=False)
    gap.outside.check()


def test_every_repository_of_a_kickstart_tree_is_filtered_and_its_images_stay(gap: Gap) -> None:
    ctx = gap.outside.context()
    remove_tree(gap.upstream)
    write_repository(gap.upstream, *(Listed(f"Packages/{name}.rpm", name.encode(), name) for name in ("one", "two")))
    inner = gap.upstream / "addons/Extra"
    write_repository(inner, *(Listed(f"{name}.rpm", name.encode(), name) for name in ("two", "three")))
    write(gap.upstream, "images/boot.iso", b"boot")
    treeinfo = "[images-x86_64]\nboot.iso = images/boot.iso\n[addon-Extra]\nrepository = addons/Extra\n"
    write(gap.upstream, ".treeinfo", treeinfo.encode())
    synchronize(ctx, KEY)
    version = publish(ctx, ViewFilter("two", False, PackageRule(("two",))))
    assert pinned(version) == [(FILTERED, 1, 2)]
    with ctx.store.session():
        files = {file.path: file.kind for file in ctx.store.versions.files(FILTERED, 1)}
    assert {path for path, kind in files.items() if kind is FileKind.PACKAGE} == {
        "Packages/one.rpm",
        "addons/Extra/three.rpm",
    }
    assert {path for path, kind in files.items() if kind is FileKind.KICKSTART} == {".treeinfo", "images/boot.iso"}
    gap.outside.check()


def test_metadata_that_filters_cannot_read_leaves_everything_as_it_was(gap: Gap) -> None:
    ctx = gap.outside.context()
    remove_tree(gap.upstream)
    write_repository(gap.upstream, Listed("a.rpm", b"a", "a"), others={"filelists": b"no XML"})
    synchronize(ctx, KEY)
    with pytest.raises(BadMetadataError, match="tools/base/repodata/filelists"):
        publish(ctx, ViewFilter("a", False, PackageRule(("a",))))
    assert views.list_view_versions(ctx, "acme", "servers") == []
    assert list((gap.outside.state / "tmp").iterdir()) == []


def test_what_an_export_is_based_on_stays_unless_forced(gap: Gap) -> None:
    ctx = gap.outside.context()
    publish(ctx, NO_GREETING)
    request = ExportRequest(
        organization="acme", scope=ScopeKind.CONTENT_VIEW_VERSION, content_view="servers", destination="far"
    )
    export(ctx, plan_export(ctx, request), gap.media)
    first = ViewVersionName("servers", "1.0")
    with pytest.raises(InUseError, match="based on"):
        views.delete_view_version(ctx, "acme", first)
    with pytest.raises(InUseError, match="based on"):
        views.delete_view(ctx, "acme", "servers")
    publish(ctx)
    views.delete_view_version(ctx, "acme", first)
    assert pinned(views.get_view_version(ctx, "acme", ViewVersionName("servers", "2.0"))) == [(FILTERED, 1, 2)]
    views.delete_view(ctx, "acme", "servers", force=True)
    gap.outside.check()


def test_what_is_being_exported_stays(gap: Gap) -> None:
    ctx = gap.outside.context()
    publish(ctx, NO_GREETING)
    request = ExportRequest(organization="acme", scope=ScopeKind.CONTENT_VIEW_VERSION, content_view="servers")
    done = export(ctx, plan_export(ctx, request), gap.media)
    with ctx.store.session():
        ctx.store.exports.update(done.id, state=ExportState.WRITING)
    for force in (False, True):
        with pytest.raises(BusyError, match="being exported"):
            views.delete_view(ctx, "acme", "servers", force=force)


def test_filtered_content_arrives_as_it_was_filtered(gap: Gap) -> None:
    ctx = gap.outside.context()
    publish(ctx, NO_GREETING)
    request = ExportRequest(organization="acme", scope=ScopeKind.CONTENT_VIEW_VERSION, content_view="servers")
    gap.inside.run("import", export(ctx, plan_export(ctx, request), gap.media).path)
    assert names(gap.inside.tree()) == {"gap-almanac", "gap-traveller"}
    tree = gap.outside.state / "published/acme/tools/base@servers/1"
    assert gap.inside.repomd() == (tree / "repodata/repomd.xml").read_bytes()
    gap.inside.check()
