"""Clearing up: what no version needs goes, everything else stays, and a dry run tells the truth."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from makers.bundles import SampleBundle, SampleRepository, make_bundle, new_key
from makers.inboxes import make_context

from issbox.bundle.signature import SigningKey
from issbox.config import JobSettings
from issbox.errors import BusyError, NotFoundError
from issbox.files import FileLock, digest_file, remove_tree
from issbox.model import LIBRARY, ImportState, RepositoryKey
from issbox.workflows.appliance.box_status import status
from issbox.workflows.appliance.upkeep import GarbageReport, collect_garbage, reconcile
from issbox.workflows.content.publishing import point_environment
from issbox.workflows.context import Context
from issbox.workflows.imports.by_hand import run_import
from issbox.workflows.job_kinds.upkeep import AuditJob
from issbox.workflows.jobs import create_job, get_job, list_jobs, run_job

KEY = RepositoryKey("acme", "tools", "base")


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return new_key()


@pytest.fixture
def ctx(tmp_path: Path, key: SigningKey) -> Context:
    """A box with four versions of a repository, of which one package each is its own."""
    ctx = make_context(tmp_path / "box", trusted=key)
    for number in (1, 2, 3, 4):
        packages = {"common-1.0-1.noarch.rpm": b"common", f"only-{number}.0-1.noarch.rpm": b"only %d" % number}
        repository = replace(SampleRepository(number=number), packages=packages)
        sample = SampleBundle((repository,), bundle_id=f"0d5cbe8e-52b1-4a0a-9f5c-{number:012d}", sequence=number)
        run_import(ctx, make_bundle(tmp_path, key, sample, name=f"bundle-{number}"))
    return replace(ctx, settings=replace(ctx.settings, versions=replace(ctx.settings.versions, keep=2)))


def numbers(ctx: Context) -> list[int]:
    with ctx.store.session():
        return [version.number for version in ctx.store.versions.list(KEY)]


def files(ctx: Context, place: str) -> dict[str, int]:
    root = ctx.store.state_dir / place
    return {str(path.relative_to(root)): path.stat().st_size for path in root.rglob("*") if path.is_file()}


def trees(ctx: Context) -> set[int]:
    return {number for _, number in ctx.store.trees.list()}


def test_the_tree_of_a_version_that_nobody_is_shown_becomes_the_next_one(ctx: Context) -> None:
    assert (numbers(ctx), trees(ctx)) == ([1, 2, 3, 4], {3, 4})
    report = reconcile(ctx)
    assert (report.trees_built, report.trees_removed, report.links_changed) == (0, 0, 0)
    with ctx.store.session():
        ctx.store.versions.promote(LIBRARY, KEY, 1)
        assert point_environment(ctx, "acme", LIBRARY) == 1
        listed = {file.path: file.sha256 for file in ctx.store.versions.files(KEY, 1)}
    assert trees(ctx) == {1, 3, 4}
    shown = ctx.store.state_dir / "content/acme/Library/custom/tools/base"
    assert {
        str(path.relative_to(shown)): digest_file(path).sha256 for path in shown.rglob("*") if path.is_file()
    } == listed


def test_a_start_builds_only_what_is_shown(ctx: Context) -> None:
    remove_tree(ctx.store.state_dir / "published")
    (ctx.store.state_dir / "published").mkdir()
    assert reconcile(ctx).trees_built == 1
    assert trees(ctx) == {4}


def test_a_dry_run_tells_what_the_real_one_then_removes(ctx: Context) -> None:
    before = files(ctx, "blobs"), files(ctx, "published"), numbers(ctx)
    foretold = collect_garbage(ctx, dry_run=True)
    assert (files(ctx, "blobs"), files(ctx, "published"), numbers(ctx)) == before
    done = collect_garbage(ctx, dry_run=False)
    assert done == replace(foretold, dry_run=False)
    removed = before[0].keys() - files(ctx, "blobs").keys()
    assert (done.versions, done.blobs) == (2, len(removed))
    assert done.size == sum(before[0][name] for name in removed) > 0
    assert numbers(ctx) == [3, 4]
    assert {name.split("/")[3] for name in files(ctx, "published")} == {"3", "4"}


def test_jobs_are_forgotten_when_they_ended_long_ago(ctx: Context) -> None:
    ctx = replace(ctx, settings=replace(ctx.settings, jobs=JobSettings(keep_days=30)))
    ended, waits, newest = (create_job(ctx, AuditJob()).id for _ in range(3))
    for number in (ended, newest):
        assert run_job(ctx, number) is not None
    later = replace(ctx, clock=lambda: ctx.clock() + timedelta(days=29))
    assert collect_garbage(later, dry_run=True).jobs == 0
    later = replace(ctx, clock=lambda: ctx.clock() + timedelta(days=31))
    assert collect_garbage(later, dry_run=True).jobs == 1
    assert [job.id for job in list_jobs(ctx)] == [newest, waits, ended]
    assert collect_garbage(later, dry_run=False).jobs == 1
    assert [job.id for job in list_jobs(ctx)] == [newest, waits], "what waits is not forgotten, nor the last number"
    with ctx.store.session():
        (cleanup,) = (entry for entry in ctx.store.audit.list() if entry.action == "store.cleanup")
        assert cleanup.details["jobs"] == 1
    with pytest.raises(NotFoundError, match=f"there is no job {ended}"):
        get_job(ctx, ended)
    assert create_job(ctx, AuditJob()).id > newest


def test_what_is_left_is_whole_and_nothing_more_is_found(ctx: Context) -> None:
    collect_garbage(ctx, dry_run=False)
    assert collect_garbage(ctx, dry_run=False) == GarbageReport(0, 0, 0, 0, 0, dry_run=False)
    with ctx.store.session():
        for number in (3, 4):
            for file in ctx.store.versions.files(KEY, number):
                assert ctx.store.blobs.has(file.sha256, file.size)
        assert [entry.action for entry in ctx.store.audit.list()].count("store.cleanup") == 1


def test_cleanup_waits_for_work_on_content(ctx: Context) -> None:
    lock = FileLock(ctx.store.locks / "content.lock", shared=True)
    with lock, pytest.raises(BusyError, match="content is being changed"):
        collect_garbage(ctx, dry_run=False)
    assert numbers(ctx) == [1, 2, 3, 4]


def test_abandoned_downloads_go_with_cleanup_and_stay_with_reconcile(ctx: Context) -> None:
    with ctx.store.blobs.batch("synchronize-x") as batch:
        partial = batch.temporary("file.part")
        partial.write_bytes(b"half")
    reconcile(ctx)
    assert partial.read_bytes() == b"half"
    collect_garbage(ctx, dry_run=True)
    assert partial.exists()
    collect_garbage(ctx, dry_run=False)
    assert not partial.exists()


def test_what_was_kept_of_a_bundle_that_came_to_nothing_goes_with_cleanup_alone(ctx: Context) -> None:
    kept = ctx.store.incoming / "0d5cbe8e-52b1-4a0a-9f5c-00000000000f"
    kept.mkdir(parents=True)
    (kept / "half.whole").write_bytes(b"half")
    collect_garbage(ctx, dry_run=True)
    assert (kept / "half.whole").read_bytes() == b"half"
    collect_garbage(ctx, dry_run=False)
    assert not kept.exists()


def test_reconcile_says_what_it_had_to_do(ctx: Context) -> None:
    assert reconcile(ctx).trees_built == 0
    with ctx.store.session():
        row = ctx.store.imports.list()[0]
        ctx.store.imports.update(row.id, updated_at=ctx.clock(), state=ImportState.IMPORTING)
        ctx.store.trees.remove(KEY, 4)
        ctx.store.trees.build(KEY, 9, [])
        ctx.store.trees.unpoint("acme", "Library", "custom/tools/base")
    report = reconcile(ctx)
    assert (report.trees_built, report.trees_removed, report.links_changed, report.imports_put_back) == (1, 1, 1, 1)
    again = reconcile(ctx)
    assert (again.trees_built, again.trees_removed, again.links_changed, again.imports_put_back) == (0, 0, 0, 0)


@pytest.fixture
def refused(ctx: Context) -> Iterator[int]:
    with ctx.store.session():
        row = ctx.store.imports.list()[0]
        ctx.store.imports.update(row.id, updated_at=ctx.clock(), state=ImportState.REFUSED, reason="damaged")
        yield row.id


def test_status_counts_and_names_what_waits_for_a_person(ctx: Context, refused: int) -> None:
    found = status(ctx)
    assert (found.organizations, found.repositories, found.trusted_keys) == (1, 1, 1)
    assert found.imports == {"imported": 3, "refused": 1}
    assert [row.id for row in found.needs_attention] == [refused]
    assert 0 < found.free <= found.total
