"""What an export takes, and what it leaves out because the other side has it."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from makers.exports import KEY, add_repository, check_directory, make_box, make_sender, plan, publish, write

from issbox.errors import InvalidValueError, NotFoundError, ReceiptError
from issbox.files import remove_tree
from issbox.manifest import Scope, ScopeKind
from issbox.model import LIBRARY, ContentExport, Held, RepositoryKey, VersionOrigin, ViewVersionName
from issbox.wiring import now
from issbox.workflows.appliance import boxes
from issbox.workflows.content import catalog, views
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.content.view_publishing import publish_view
from issbox.workflows.context import Context
from issbox.workflows.environments import environments, promoting
from issbox.workflows.exchange.receipts import create_receipt, write_receipt
from issbox.workflows.exports import ExportRequest, plan_export
from issbox.workflows.imports.by_hand import run_import

MORE = RepositoryKey("acme", "tools", "more")
FILTERED = replace(KEY, view="servers")
VERSION = ScopeKind.CONTENT_VIEW_VERSION


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    """A box with tools/base and tools/more, the content view servers of both, and the environment dev."""
    ctx = make_sender(tmp_path / "box")
    add_repository(ctx, tmp_path / "more", "more", packages=1)
    views.create_view(ctx, organization="acme", label="servers", name="Our servers")
    for key in (KEY, MORE):
        views.add_repository(ctx, "acme", "servers", key)
    environments.create_environment(ctx, organization="acme", label="dev", name="Dev", prior=LIBRARY)
    return ctx


def change(ctx: Context, tmp_path: Path, packages: int) -> None:
    """Publish other packages in tools/base upstream, and synchronize."""
    remove_tree(tmp_path / "box/upstream")
    publish(tmp_path / "box/upstream", packages=packages, revision=str(packages))
    synchronize(ctx, KEY)


def derive(ctx: Context) -> None:
    """Make a version of tools/base as a filter of the content view servers would: of the same files."""
    with ctx.store.session():
        files = list(ctx.store.versions.files(KEY, 1))
        repomd = ctx.store.versions.get(KEY, 1).repomd_sha256
        ctx.store.repositories.derive(FILTERED)
        with ctx.store.versions.draft(FILTERED) as draft:
            draft.add(files)
            ctx.store.versions.commit(
                [draft],
                created_at=now(),
                origin=VersionOrigin.PUBLISH,
                source="servers",
                repomd={FILTERED: repomd},
                environment=None,
            )


def promote(ctx: Context, number: str) -> None:
    promoting.promote(ctx, promoting.plan_view_promotion(ctx, "acme", ViewVersionName("servers", number), "dev"))


def packages(export: ContentExport, *, carried: bool) -> set[str]:
    """Give the names of the packages that an export carries, or that it only lists."""
    lines = map(json.loads, (Path(export.path) / "issbox-files.jsonl").read_bytes().splitlines())
    return {
        line["path"].rpartition("/")[2]
        for line in lines
        if line["kind"] == "package" and (line.get("volume") is not None) is carried
    }


def test_a_content_view_version_is_taken_by_number_newest_or_environment(ctx: Context, tmp_path: Path) -> None:
    publish_view(ctx, "acme", "servers", description="November")
    promote(ctx, "1.0")
    change(ctx, tmp_path, 3)
    publish_view(ctx, "acme", "servers")
    for request, number, version in (
        ({"content_view_version": "1.0"}, "1.0", 1),
        ({}, "2.0", 2),
        ({"environment": "dev"}, "1.0", 1),
    ):
        planned = plan(ctx, scope=VERSION, content_view="servers", **request)
        assert planned.words == f"content view servers {number}"
        assert [(each.key, found.number) for each, found in planned.repositories] == [(KEY, version), (MORE, 1)]
    done = write(ctx, tmp_path / "media", scope=VERSION, content_view="servers", content_view_version="1.0")
    assert Path(done.path).name.startswith("acme-servers-1.0-0001-")
    manifest = check_directory(ctx, Path(done.path)).manifest
    assert manifest.scope == Scope(
        kind=VERSION,
        lifecycle_environment="",
        content_view="servers",
        content_view_name="Our servers",
        content_view_version="1.0",
        description="November",
    )
    metadata = json.loads((Path(done.path) / "metadata.json").read_bytes())
    assert metadata["content_view"]["label"] == "servers"
    assert metadata["content_view_version"] == {"major": 1, "minor": 0, "description": "November"}


def test_which_version_of_a_content_view_has_to_be_clear(ctx: Context, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="has no version yet"):
        plan(ctx, scope=VERSION, content_view="servers")
    publish_view(ctx, "acme", "servers")
    with pytest.raises(NotFoundError, match="dev holds no version of"):
        plan(ctx, scope=VERSION, content_view="servers", environment="dev")
    with pytest.raises(InvalidValueError, match="not by both"):
        plan(ctx, scope=VERSION, content_view="servers", environment="dev", content_view_version="1.0")
    with pytest.raises(NotFoundError, match=r"has no version 7\.0"):
        plan(ctx, scope=VERSION, content_view="servers", content_view_version="7.0")
    with pytest.raises(NotFoundError, match="no content view acme/none"):
        plan(ctx, scope=VERSION, content_view="none")
    change(ctx, tmp_path, 3)
    publish_view(ctx, "acme", "servers")
    for key, number in ((KEY, "2.0"), (MORE, "1.0")):
        with ctx.store.session():
            view_version = ViewVersionName("servers", number)
            ctx.store.promotions.change("acme", "dev", hold_=[_held(ctx, key, view_version)], drop=[])
    with pytest.raises(InvalidValueError, match=r"parts of several versions of .*: 1\.0, 2\.0"):
        plan(ctx, scope=VERSION, content_view="servers", environment="dev")


def _held(ctx: Context, key: RepositoryKey, name: ViewVersionName) -> Held:
    pins = ctx.store.view_versions.get("acme", name).repositories
    return Held(key, next(pin.number for pin in pins if pin.repository.key == key), view_version=name)


def test_an_environment_is_exported_with_what_filters_made(ctx: Context, tmp_path: Path) -> None:
    derive(ctx)
    with ctx.store.session():
        ctx.store.versions.promote("dev", FILTERED, 1)
    done = write(ctx, tmp_path / "media", scope=ScopeKind.LIFECYCLE_ENVIRONMENT, environment="dev")
    assert done.scope == "lifecycle environment dev"
    (repository,) = check_directory(ctx, Path(done.path)).manifest.repositories
    assert (repository.label, repository.version.number, repository.version.lineage) == ("base", 1, "servers")
    assert done.versions[0].repository == FILTERED


def test_filtered_and_unfiltered_versions_are_bases_of_each_other(ctx: Context, tmp_path: Path) -> None:
    library = {"scope": ScopeKind.REPOSITORY, "repositories": (KEY,), "destination": "ship"}
    write(ctx, tmp_path / "media", **library)
    derive(ctx)
    with ctx.store.session():
        ctx.store.versions.promote("dev", FILTERED, 1)
    filtered = write(
        ctx,
        tmp_path / "media",
        scope=ScopeKind.LIFECYCLE_ENVIRONMENT,
        environment="dev",
        destination="ship",
        incremental=True,
    )
    assert packages(filtered, carried=True) == set()
    assert len(packages(filtered, carried=False)) == 2
    change(ctx, tmp_path, 3)
    third = write(ctx, tmp_path / "media", incremental=True, **library)
    assert len(packages(third, carried=True)) == 1
    assert len(packages(third, carried=False)) == 2


def test_since_a_time_means_what_was_here_then(ctx: Context, tmp_path: Path) -> None:
    with ctx.store.session():
        first = ctx.store.versions.get(KEY, 1).created_at
        (newest,) = ctx.store.versions.list(MORE)
    change(ctx, tmp_path, 3)

    def carried(since: datetime) -> int:
        done = write(ctx, tmp_path / f"media-{since.timestamp()}", incremental=True, since=since)
        assert done.base is not None
        assert done.base["kind"] == "since"
        return len(packages(done, carried=True))

    assert carried(newest.created_at) == 1
    assert carried(first - timedelta(microseconds=1)) == 3
    with pytest.raises(InvalidValueError, match="in the future"):
        plan(ctx, since=now() + timedelta(hours=1))


@pytest.fixture
def receiver(tmp_path: Path, ctx: Context) -> Context:
    """A box on the other side; each trusts the other."""
    receiver = make_box(tmp_path / "receiver")
    boxes.add_trusted_key(receiver, boxes.public_key(ctx), "sender")
    boxes.add_trusted_key(ctx, boxes.public_key(receiver), "receiver")
    return receiver


@pytest.mark.parametrize("form", ["file", "compact", "with packages", "number"])
def test_a_receipt_leaves_out_what_its_box_holds(ctx: Context, receiver: Context, tmp_path: Path, form: str) -> None:
    run_import(receiver, Path(write(ctx, tmp_path / "media", destination="ship").path))
    made = create_receipt(receiver, "acme", with_packages=form == "with packages")
    given = made.compact if form == "compact" else str(write_receipt(receiver, made, tmp_path / "x.receipt.json"))
    change(ctx, tmp_path, 3)
    if form == "number":
        plan(ctx, from_receipt=given)
        given = "1"
    done = write(ctx, tmp_path / "media", from_receipt=given, destination="ship")
    assert done.incremental
    assert done.base == {
        "kind": "receipt",
        "box_id": boxes.show(receiver).id,
        "box_name": "receiver",
        "created_at": made.receipt.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "verified": True,
    }
    assert len(packages(done, carried=True)) == 1
    assert len(packages(done, carried=False)) == 2
    run_import(receiver, Path(done.path))
    with receiver.store.session(), ctx.store.session():
        mine, theirs = (
            {file.path: file.sha256 for file in each.store.versions.files(KEY, 2)} for each in (ctx, receiver)
        )
    assert mine == theirs


def test_package_digests_of_a_receipt_count_where_no_version_is_known(
    ctx: Context, receiver: Context, tmp_path: Path
) -> None:
    run_import(receiver, Path(write(ctx, tmp_path / "media").path))
    made = create_receipt(receiver, "acme", with_packages=True)
    given = str(write_receipt(receiver, made, tmp_path / "x.receipt.json"))
    add_repository(ctx, tmp_path / "again", "again", packages=2)
    done = write(
        ctx,
        tmp_path / "media",
        scope=ScopeKind.REPOSITORY,
        repositories=(RepositoryKey("acme", "tools", "again"),),
        from_receipt=given,
    )
    assert packages(done, carried=True) == set()


def test_a_receipt_of_another_organization_is_refused(ctx: Context, receiver: Context, tmp_path: Path) -> None:
    run_import(receiver, Path(write(ctx, tmp_path / "media").path))
    given = create_receipt(receiver, "acme").compact
    catalog.create_organization(ctx, label="other", name="Other")
    with pytest.raises(ReceiptError, match="about the organization acme, not about the organization other"):
        plan_export(ctx, ExportRequest(organization="other", scope=ScopeKind.LIBRARY, from_receipt=given))
    with pytest.raises(InvalidValueError, match="one base"):
        plan(ctx, from_receipt=given, from_export=1)
