"""Where bundles lie, and how they are deleted: only whole, only when planned, and only what this box wrote."""

from dataclasses import replace
from pathlib import Path

import pytest
from makers.exports import KEY, make_sender, plan, publish, write

from issbox.errors import NotFoundError, RecutError
from issbox.files import remove_tree
from issbox.manifest import ScopeKind
from issbox.model import BundleForm, ContentExport, ExportState
from issbox.workflows.appliance import boxes
from issbox.workflows.appliance.upkeep import collect_garbage, reconcile
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.context import Context
from issbox.workflows.exports import export, kept, plan_pruning, prune, pruning
from issbox.workflows.imports.by_hand import run_import

SIZES = dict.fromkeys(BundleForm, 500000) | {BundleForm.ISO: 700 << 10}


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return make_sender(tmp_path / "box", ballast=600_000, configuration="[export]\nkeep = 1\n")


def rows(ctx: Context) -> list[tuple[int, ExportState]]:
    with ctx.store.session():
        return [(each.id, each.state) for each in reversed(ctx.store.exports.list())]


def actions(ctx: Context) -> list[str]:
    with ctx.store.session():
        return [entry.action for entry in ctx.store.audit.list() if entry.action == "content-export.prune"]


@pytest.mark.parametrize("size", [False, True], ids=["one", "several"])
@pytest.mark.parametrize("form", BundleForm)
def test_what_goes_is_planned_then_deleted(ctx: Context, tmp_path: Path, form: BundleForm, size: bool) -> None:
    media = tmp_path / "media"
    first, second = (write(ctx, media, form=form, volume_size=SIZES[form] if size else None) for _ in range(2))
    assert (len(first.volumes) > 1) == size
    planned = plan_pruning(ctx)
    assert [(each.export.id, each.goes, each.reason) for each in planned] == [
        (1, True, "1 newer one for the destination")
    ]
    assert Path(first.path).exists(), "a plan deletes nothing"
    assert [each.state for each in prune(ctx, planned)] == [ExportState.PRUNED]
    assert [path.name for path in media.iterdir()] == [Path(second.path).name]
    assert [path.name for path in ctx.store.heads.iterdir()] == [second.bundle_id]
    assert rows(ctx) == [(1, ExportState.PRUNED), (2, ExportState.WRITTEN)]
    assert actions(ctx) == ["content-export.prune"]
    assert plan_pruning(ctx) == []
    with ctx.store.session(), pytest.raises(RecutError, match="nothing is kept"):
        kept.kept_bundle(ctx, ctx.store.exports.get(1))


@pytest.mark.parametrize("form", BundleForm)
@pytest.mark.parametrize("size", [False, True], ids=["one", "several"])
def test_what_somebody_put_there_saves_the_bundle(ctx: Context, tmp_path: Path, form: BundleForm, size: bool) -> None:
    first, _ = (write(ctx, tmp_path, form=form, volume_size=SIZES[form] if size else None) for _ in range(2))
    note = Path(first.path) / "notes.txt"
    note.write_text("do not lose")
    (planned,) = plan_pruning(ctx)
    assert not planned.goes
    assert "it holds 'notes.txt', which the export did not write" in planned.reason
    assert prune(ctx, [replace(planned, goes=True)])[0].state is ExportState.PRUNED
    assert note.read_text() == "do not lose"
    reconcile(ctx)
    assert note.exists()


@pytest.mark.parametrize("form", BundleForm)
def test_another_bundle_at_its_place_is_left_alone(ctx: Context, tmp_path: Path, form: BundleForm) -> None:
    first, second = (write(ctx, tmp_path, form=form) for _ in range(2))
    remove_tree(Path(first.path))
    Path(second.path).rename(first.path)
    for path in Path(first.path).iterdir():
        path.rename(path.with_name(path.name.replace(Path(second.path).name, Path(first.path).name)))
    (planned,) = plan_pruning(ctx)
    assert not planned.goes
    remove_tree(Path(first.path))
    Path(first.path).symlink_to(tmp_path)
    (planned,) = plan_pruning(ctx)
    assert (planned.goes, planned.reason.rpartition(", but ")[2]) == (False, "it is no directory any more")


def test_a_bundle_that_was_taken_away_only_loses_its_row(ctx: Context, tmp_path: Path) -> None:
    first, _ = (write(ctx, tmp_path) for _ in range(2))
    remove_tree(Path(first.path))
    (planned,) = plan_pruning(ctx)
    assert planned.goes
    assert "not at its place any more" in planned.reason
    prune(ctx, [planned])
    assert rows(ctx)[0] == (1, ExportState.PRUNED)


def test_a_killed_pruning_is_finished_by_the_next_start(
    ctx: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (write(ctx, tmp_path) for _ in range(2))

    def die(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pruning, "remove_tree", die)
        with pytest.raises(KeyboardInterrupt):
            prune(ctx, plan_pruning(ctx))
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} >= {f".{Path(first.path).name}.part"}
    reconcile(ctx)
    assert [path.name for path in tmp_path.iterdir() if path.name != "box"] == [Path(second.path).name]
    assert rows(ctx)[0] == (1, ExportState.PRUNED)
    assert not (ctx.store.heads / first.bundle_id).exists()


def test_nothing_goes_that_no_receipt_acknowledged(tmp_path: Path, receiver_of: "Receiving") -> None:
    configuration = "[export]\nkeep = 1\nkeep_until_acknowledged = true\n"
    ctx = make_sender(tmp_path / "box", configuration=configuration)
    exports = [write(ctx, tmp_path / "media", destination="ship") for _ in range(3)]
    assert [each.goes for each in plan_pruning(ctx)] == [False, False]
    receiver_of(ctx, exports[0])
    assert [(each.export.id, each.goes) for each in plan_pruning(ctx)] == [(1, True), (2, False)]
    assert plan_pruning(ctx, "acme", "elsewhere") == []
    with pytest.raises(NotFoundError):
        plan_pruning(ctx, "nobody")


class Receiving:
    """Imports an export elsewhere and reads the receipt here."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __call__(self, ctx: Context, made: ContentExport) -> None:
        from makers.exports import make_box

        from issbox.workflows.exchange.receipts import create_receipt
        from issbox.workflows.exchange.received import read_receipt

        receiver = make_box(self._root / "receiver")
        boxes.add_trusted_key(receiver, boxes.public_key(ctx), "sender")
        boxes.add_trusted_key(ctx, boxes.public_key(receiver), "receiver")
        run_import(receiver, Path(made.path))
        read_receipt(ctx, create_receipt(receiver, "acme").compact)


@pytest.fixture
def receiver_of(tmp_path: Path) -> Receiving:
    return Receiving(tmp_path)


def test_pruning_lets_versions_go(ctx: Context, tmp_path: Path) -> None:
    ctx = replace(ctx, settings=replace(ctx.settings, versions=replace(ctx.settings.versions, keep=1)))
    write(ctx, tmp_path / "media", destination="ship")
    for number in (1, 3):
        remove_tree(tmp_path / "box/upstream")
        publish(tmp_path / "box/upstream", packages=number, revision=f"r{number}")
        synchronize(ctx, KEY)
    assert collect_garbage(ctx, dry_run=False).versions == 1, "the first is spared, the second is not"
    write(ctx, tmp_path / "media", destination="ship")
    prune(ctx, plan_pruning(ctx))
    assert collect_garbage(ctx, dry_run=False).versions == 1


def test_bundles_lie_where_the_layout_says(tmp_path: Path) -> None:
    configuration = '[export]\nlayout = "{organization}/{destination}/{scope}-{sequence}"\n'
    ctx = make_sender(tmp_path / "box", configuration=configuration)
    root = ctx.settings.export.path
    done = export(ctx, plan(ctx, destination="Ship 7"))
    assert Path(done.path).parent == root / "acme/Ship_7/Library-0001"
    assert export(ctx, plan(ctx, destination="Ship 7"), tmp_path / "out").path.startswith(f"{tmp_path / 'out'}/acme-")
    one = export(ctx, plan(ctx, scope=ScopeKind.REPOSITORY, repositories=(KEY,)))
    assert Path(one.path).parent == root / "acme/base-0001"


def test_an_export_that_fails_leaves_no_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ctx = make_sender(tmp_path / "box", configuration='[export]\nlayout = "{organization}/{date}"\n')
    kept_one = export(ctx, plan(ctx))
    remove_tree(Path(kept_one.path))
    monkeypatch.setattr("issbox.files.free_space", lambda _: 0)
    with pytest.raises(Exception, match="are free"):
        export(ctx, plan(ctx))
    assert list(ctx.settings.export.path.iterdir()) == []
