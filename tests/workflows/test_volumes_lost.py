"""Bundles of several volumes when something goes wrong in between: nothing taken in has to be brought twice."""

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from makers.bundles import SampleBundle, SampleRepository, new_key, sample_content, write_volumes
from makers.inboxes import make_context, now

from issbox.bundle.check import Limits, open_head
from issbox.bundle.head import Layout
from issbox.bundle.signature import SigningKey
from issbox.errors import OperatingSystemError
from issbox.model import ContentImport, ImportState, WaitsFor
from issbox.rules.bundles.volumes import DirectoryMeter
from issbox.store import Batch
from issbox.workflows.appliance.upkeep import collect_garbage, reconcile
from issbox.workflows.context import Context
from issbox.workflows.imports import importing
from issbox.workflows.imports.by_hand import run_import
from issbox.workflows.imports.importing import import_bundle
from issbox.workflows.inbox.approving import refuse_import

PACKAGES = {f"p{number}-1-1.noarch.rpm": os.urandom(9000 + number) for number in range(6)} | {
    "huge-1-1.noarch.rpm": os.urandom(70_000)
}
SAMPLE = SampleBundle((SampleRepository(packages=PACKAGES),))
LAYOUT = Layout(new_meter=partial(DirectoryMeter, 64 << 10), bounded=True)


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return new_key()


@pytest.fixture
def ctx(tmp_path: Path, key: SigningKey) -> Context:
    return make_context(tmp_path / "box", trusted=key)


@pytest.fixture
def volumes(ctx: Context, key: SigningKey) -> list[Path]:
    return write_volumes(ctx.settings.inbox.path, "bundle", sample_content(SAMPLE), key, LAYOUT)


def drop(ctx: Context, volume: Path, organization: str | None = None) -> ContentImport:
    with ctx.store.session():
        row = ctx.store.imports.add(str(volume), inbox=True, organization=organization, first_seen=now())
    return import_bundle(ctx, row.id)


def seen_by_hosts(ctx: Context, organization: str = "acme") -> dict[str, bytes]:
    root = ctx.store.state_dir / f"content/{organization}/Library/custom/tools/base"
    return {path.name: path.read_bytes() for path in root.rglob("*.rpm")}


def broken(original: Callable[..., object], when: str) -> Callable[..., object]:
    def fail(*args: object, **words: object) -> object:
        if when == "after":
            original(*args, **words)
        raise OperatingSystemError("the disk has failed")

    return fail


FAILURES = ((Batch, "adopt", "before"), (Batch, "adopt", "after"), (Batch, "commit", "before"))


@pytest.mark.parametrize("failure", [*FAILURES, (importing, "publish", "before")])
def test_a_failure_while_the_last_volume_is_taken_in_loses_no_part(
    ctx: Context, volumes: list[Path], monkeypatch: pytest.MonkeyPatch, failure: tuple[object, str, str]
) -> None:
    owner, name, when = failure
    for volume in volumes[:-1]:
        drop(ctx, volume)
        shutil.rmtree(volume)  # what is taken in need not stay
    with ctx.store.session():
        last = ctx.store.imports.add(str(volumes[-1]), inbox=True, first_seen=now())
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, broken(getattr(owner, name), when))
        with pytest.raises(OperatingSystemError):
            import_bundle(ctx, last.id)
    reconcile(ctx)
    assert import_bundle(ctx, last.id).state is ImportState.IMPORTED
    assert seen_by_hosts(ctx) == PACKAGES
    assert not list(ctx.store.incoming.iterdir())


def test_one_bundle_goes_into_two_organizations_at_once(ctx: Context, volumes: list[Path]) -> None:
    with ctx.store.session(), ctx.store.transaction():
        ctx.store.organizations.create("other", "Other")
    for volume in volumes[:-1]:
        assert drop(ctx, volume, "acme").waits_for is WaitsFor.VOLUMES
        assert drop(ctx, volume, "other").waits_for is WaitsFor.VOLUMES
    assert drop(ctx, volumes[-1], "acme").state is ImportState.IMPORTED
    assert list(ctx.store.incoming.iterdir()), "the other organization still needs it"
    collect_garbage(ctx, dry_run=False)
    assert drop(ctx, volumes[-1], "other").state is ImportState.IMPORTED
    assert seen_by_hosts(ctx, "other") == seen_by_hosts(ctx) == PACKAGES
    assert not list(ctx.store.incoming.iterdir())


def test_refused_in_one_organization_a_bundle_goes_on_in_the_other(ctx: Context, volumes: list[Path]) -> None:
    with ctx.store.session(), ctx.store.transaction():
        ctx.store.organizations.create("other", "Other")
    rows = [drop(ctx, volume, label) for volume in volumes[:-1] for label in ("acme", "other")]
    refuse_import(ctx, rows[0].id, "wrong discs")
    assert list(ctx.store.incoming.iterdir()), "the other organization still needs it"
    assert drop(ctx, volumes[-1], "other").state is ImportState.IMPORTED
    assert seen_by_hosts(ctx, "other") == PACKAGES
    assert seen_by_hosts(ctx) == {}


def test_a_volume_whose_content_was_lost_since_is_taken_in_again(ctx: Context, volumes: list[Path]) -> None:
    first = drop(ctx, volumes[0])
    for volume in volumes[1:-1]:
        drop(ctx, volume)
    shutil.rmtree(ctx.store.incoming)
    collect_garbage(ctx, dry_run=False)
    last = drop(ctx, volumes[-1])
    assert (last.state, last.waits_for, last.taken) == (ImportState.WAITING, WaitsFor.VOLUMES, True)
    assert "still missing: volume" in last.reason
    assert seen_by_hosts(ctx) == {}
    with ctx.store.session():
        again = ctx.store.imports.list(states=(ImportState.SETTLED,))[::-1]
    assert first.id in {row.id for row in again}
    states = [import_bundle(ctx, row.id).state for row in again]
    assert states[-1] is ImportState.IMPORTED
    assert seen_by_hosts(ctx) == PACKAGES


def test_damaged_files_are_taken_from_all_volumes_of_a_set(ctx: Context, volumes: list[Path]) -> None:
    for volume in volumes:
        drop(ctx, volume)
    shown = ctx.store.state_dir / "content/acme/Library/custom/tools/base"
    for path in shown.rglob("*.rpm"):
        path.chmod(0o600)
        path.write_bytes(bytes(path.stat().st_size))
    rows = run_import(ctx, ctx.settings.inbox.path, repair=True)
    assert rows[-1].state is ImportState.IMPORTED
    assert seen_by_hosts(ctx) == PACKAGES


def test_one_damaged_file_is_taken_from_a_set(ctx: Context, volumes: list[Path]) -> None:
    for volume in volumes:
        drop(ctx, volume)
    shown = ctx.store.state_dir / "content/acme/Library/custom/tools/base"
    (damaged,) = shown.rglob("p0-*.rpm")
    damaged.chmod(0o600)
    damaged.write_bytes(bytes(damaged.stat().st_size))
    rows = run_import(ctx, ctx.settings.inbox.path, repair=True)
    assert rows[-1].state is ImportState.IMPORTED
    assert seen_by_hosts(ctx) == PACKAGES


def test_garbage_is_collected_beside_sets_of_more_files_than_usual(
    ctx: Context, volumes: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(ctx, volumes[0])
    with monkeypatch.context() as patch:
        patch.setattr(open_head, "__defaults__", (Limits(max_files=3),))  # millions in truth
        collect_garbage(ctx, dry_run=False)
    assert [drop(ctx, volume).state for volume in volumes[1:]][-1] is ImportState.IMPORTED
