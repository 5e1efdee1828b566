"""Bundles of several volumes: in any order, over time, each verified alone, visible all at once."""

import itertools
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from makers.bundles import SampleBundle, SampleRepository, flip_byte, new_key, sample_content, write_volumes
from makers.inboxes import make_context, now

from issbox.bundle.head import Layout
from issbox.bundle.signature import SigningKey
from issbox.errors import BundleDamagedError, OperatingSystemError, UnlistedFileError
from issbox.model import ContentImport, ImportState, RepositoryKey, WaitsFor
from issbox.rules.bundles.volumes import DirectoryMeter
from issbox.workflows import history
from issbox.workflows.appliance.upkeep import collect_garbage, reconcile
from issbox.workflows.context import Context
from issbox.workflows.imports.by_hand import run_import
from issbox.workflows.imports.importing import import_bundle
from issbox.workflows.inbox import inbox

KEY = RepositoryKey("acme", "tools", "base")
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
    made = write_volumes(ctx.settings.inbox.path, "bundle", sample_content(SAMPLE), key, LAYOUT)
    assert len(made) >= 3
    return made


def drop(ctx: Context, volume: Path) -> ContentImport:
    with ctx.store.session():
        row = ctx.store.imports.add(str(volume), inbox=True, first_seen=now())
    return inbox.finish_bundle(ctx, import_bundle(ctx, row.id))


def seen_by_hosts(ctx: Context) -> dict[str, bytes]:
    root = ctx.store.state_dir / "content/acme/Library/custom/tools/base"
    return {path.name: path.read_bytes() for path in root.rglob("*.rpm")}


def take_all(ctx: Context, volumes: Sequence[Path]) -> list[ContentImport]:
    return [drop(ctx, volume) for volume in volumes]


def test_the_parts_of_a_large_file_lie_in_several_volumes(volumes: list[Path]) -> None:
    assert len(list(volumes[0].parent.glob("*/issbox-parts/*"))) >= 2
    for volume in volumes:
        assert sum(-(-path.stat().st_size // 4096) * 4096 for path in volume.rglob("*")) <= 64 << 10


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_volumes_come_in_any_order_and_show_all_at_once(
    ctx: Context, volumes: list[Path], order: tuple[int, ...]
) -> None:
    ordered = [volumes[number] for number in order] + volumes[3:]
    for volume in ordered[:-1]:
        row = drop(ctx, volume)
        assert (row.state, row.waits_for, row.taken) == (ImportState.WAITING, WaitsFor.VOLUMES, True)
        assert seen_by_hosts(ctx) == {}
    last = drop(ctx, ordered[-1])
    assert last.state is ImportState.IMPORTED
    assert seen_by_hosts(ctx) == PACKAGES
    with ctx.store.session():
        rows = ctx.store.imports.list()
    assert {row.state for row in rows} == {ImportState.IMPORTED}
    assert sorted(Path(row.path).parent.name for row in rows) == ["archive"] * len(volumes)
    assert not list(ctx.store.incoming.iterdir())


def test_what_is_missing_is_named(ctx: Context, volumes: list[Path]) -> None:
    row = drop(ctx, volumes[1])
    assert f"volumes 1, 3 to {len(volumes)} of {len(volumes)}" in row.reason or "volumes 1, 3 of 3" in row.reason
    assert (row.volume, row.volumes) == (2, len(volumes))


def test_a_damaged_volume_is_named_and_the_others_are_kept(ctx: Context, volumes: list[Path]) -> None:
    take_all(ctx, volumes[:-1])
    part = next(path for path in volumes[-1].rglob("*") if path.is_file() and path.name.startswith(("p", "0")))
    good = part.read_bytes()
    flip_byte(part, len(good) // 2)
    refused = drop(ctx, volumes[-1])
    assert (refused.state, refused.error_code) == (ImportState.REFUSED, BundleDamagedError.code)
    assert seen_by_hosts(ctx) == {}
    flip_byte(Path(refused.path) / part.relative_to(volumes[-1]), len(good) // 2)
    inbox.retry(ctx, refused.id)
    assert inbox.finish_bundle(ctx, import_bundle(ctx, refused.id)).state is ImportState.IMPORTED
    assert seen_by_hosts(ctx) == PACKAGES


def test_what_the_disk_says_of_a_part_is_in_the_row_and_not_held_against_the_bundle(
    ctx: Context, volumes: list[Path]
) -> None:
    with ctx.store.session():
        row = ctx.store.imports.add(str(volumes[0]), inbox=True, first_seen=now())
    obstacle = ctx.store.incoming / SAMPLE.bundle_id
    obstacle.touch()
    with pytest.raises(OperatingSystemError):
        import_bundle(ctx, row.id)
    with ctx.store.session():
        row = ctx.store.imports.get(row.id)
    assert (row.state, row.error_code) == (ImportState.SETTLED, OperatingSystemError.code)
    assert str(obstacle) in row.reason
    obstacle.unlink()
    assert import_bundle(ctx, row.id).taken


def test_the_same_volume_twice_does_no_harm(ctx: Context, volumes: list[Path]) -> None:
    (first,) = run_import(ctx, volumes[0])
    (again,) = run_import(ctx, volumes[0])
    assert (again.id, again.waits_for) == (first.id, WaitsFor.VOLUMES)
    assert len(history.list_imports(ctx)) == 1
    rows = run_import(ctx, volumes[0].parent)
    assert [row.volume for row in rows] == list(range(1, len(volumes) + 1))
    assert rows[-1].state is ImportState.IMPORTED
    for volume, row in zip(volumes, rows, strict=True):  # each is told of the import that took it in
        (known,) = run_import(ctx, volume)
        assert (known.id, known.state, known.path) == (row.id, ImportState.IMPORTED, row.path)
    assert seen_by_hosts(ctx) == PACKAGES


def test_garbage_collection_and_restarts_leave_taken_volumes_alone(ctx: Context, volumes: list[Path]) -> None:
    for volume in volumes[:-1]:
        drop(ctx, volume)
        reconcile(ctx)
        collect_garbage(ctx, dry_run=False)
    assert drop(ctx, volumes[-1]).state is ImportState.IMPORTED
    assert seen_by_hosts(ctx) == PACKAGES


def test_volumes_of_two_bundles_are_not_mixed_up(ctx: Context, tmp_path: Path, key: SigningKey) -> None:
    first, second = (
        write_volumes(
            tmp_path / name,
            name,
            sample_content(replace(SAMPLE, bundle_id=f"0d5cbe8e-52b1-4a0a-9f5c-{number:012d}", sequence=number)),
            key,
            LAYOUT,
        )
        for number, name in ((1, "one"), (2, "two"))
    )
    for volume in (*first[:-1], *second[:-1]):
        assert drop(ctx, volume).state is ImportState.WAITING
    mark = second[-1] / "issbox-volume.json"
    mark.write_text(mark.read_text().replace(f'"number":{len(second)}', '"number":1'))
    mixed = drop(ctx, second[-1])
    assert (mixed.state, mixed.error_code) == (ImportState.REFUSED, UnlistedFileError.code)
    assert drop(ctx, first[-1]).state is ImportState.IMPORTED


def test_an_increment_waits_for_its_base_and_goes_on_by_itself(ctx: Context, tmp_path: Path, key: SigningKey) -> None:
    base = sample_content(SAMPLE)
    more = replace(SAMPLE, bundle_id="0d5cbe8e-52b1-4a0a-9f5c-000000000002", sequence=2)
    more = replace(more, repositories=(SampleRepository(packages=PACKAGES | {"q-1-1.noarch.rpm": b"new"}, number=2),))
    (complete,) = write_volumes(tmp_path / "one", "one", base, key, Layout())
    (increment,) = write_volumes(tmp_path / "two", "two", sample_content(more), key, Layout(), held=base)
    assert not list(increment.rglob("huge*"))
    waiting = drop(ctx, increment)
    assert (waiting.state, waiting.waits_for) == (ImportState.WAITING, WaitsFor.BASE)
    assert "7 files are neither carried by the bundle nor in this box" in waiting.reason
    assert "It goes on by itself" in waiting.reason
    (by_hand,) = run_import(ctx, increment)
    assert "Import the bundle that it builds on, then this one again" in by_hand.reason
    assert seen_by_hosts(ctx) == {}
    drop(ctx, complete)
    with ctx.store.session():
        assert ctx.store.imports.get(waiting.id).state is ImportState.SETTLED
    assert inbox.finish_bundle(ctx, import_bundle(ctx, waiting.id)).state is ImportState.IMPORTED
    assert seen_by_hosts(ctx) == PACKAGES | {"q-1-1.noarch.rpm": b"new"}
