"""Previews say what an import then does, in every form, and leave no trace."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from makers.bundles import SampleBundle, SampleRepository, make_bundle
from makers.crossings import NAMES, SMALL, Crossing, make_crossing
from makers.exports import KEY, add_repository
from makers.inboxes import make_context
from makers.katello import REAL
from workflows.test_importing import everything

from issbox.errors import BundleSignatureError, ImportRefusedError, NotFoundError, NotPermittedError
from issbox.model import Actor, BundleForm, ImportState, Role, WaitsFor
from issbox.workflows.appliance import boxes
from issbox.workflows.context import Context
from issbox.workflows.imports.by_hand import run_import
from issbox.workflows.imports.previewing import ImportPreview, preview, preview_import
from issbox.workflows.inbox.approving import approve
from issbox.workflows.people.users import create_user, grant_role


@pytest.fixture
def crossing(tmp_path: Path) -> Crossing:
    return make_crossing(tmp_path)


def traces(ctx: Context) -> tuple[object, ...]:
    """Give everything that a preview might leave."""
    with ctx.store.session():
        return everything(ctx), ctx.store.imports.list(), ctx.store.audit.list()


def untouched(ctx: Context, look: Callable[[], ImportPreview]) -> ImportPreview:
    before = traces(ctx)
    found = look()
    assert traces(ctx) == before
    return found


@pytest.mark.parametrize("form", BundleForm)
@pytest.mark.parametrize("incremental", [False, True], ids=["complete", "incremental"])
def test_what_changes_is_said_before_and_so_it_is_afterwards(
    crossing: Crossing, form: BundleForm, incremental: bool
) -> None:
    ctx = crossing.receiver
    crossing.publish([0, 1], [0])
    run_import(ctx, crossing.export()[0])
    crossing.publish([1, 2], [0, 5])
    bundle = crossing.export(form, incremental=incremental)[0]
    found = untouched(ctx, lambda: preview(ctx, bundle))
    assert (found.refusals, found.waits, found.imported_before, found.missing) == ((), (), None, 0)
    assert (found.new_products, found.changed_products) == ((), ())
    (repository,) = found.repositories
    assert (repository.key, repository.exists, repository.version) == (KEY, True, 1)
    change = repository.difference
    assert change is not None
    assert [str(each) for each in change.added] == NAMES[2:3]
    assert [str(each) for each in change.removed] == NAMES[:1]
    assert [(each.id, each.cves) for each in change.errata_gained] == [("SAMPLE-2023:000005", ("CVE-2023-000005",))]
    assert (change.cves_gained, change.cves_lost) == (("CVE-2023-000005",), ())
    blobs = ctx.store.state_dir / "blobs"
    before = {path: path.stat().st_size for path in blobs.rglob("*") if path.is_file()}
    run_import(ctx, bundle)
    brought = {path: path.stat().st_size for path in blobs.rglob("*") if path.is_file()}
    assert (found.files, found.size) == (len(brought) - len(before), sum(brought.values()) - sum(before.values()))
    assert found.free_afterwards == found.free - found.size
    again = untouched(ctx, lambda: preview(ctx, bundle))
    assert again.imported_before is not None
    assert again.repositories[0].difference is not None
    assert again.repositories[0].difference.nothing
    assert (again.files, again.size) == (0, 0)


def test_updates_are_told_from_additions(crossing: Crossing) -> None:
    older, newer = "bell-1.0-1.noarch", "bell-1.1-1.noarch"
    key = boxes.signing_key(crossing.sender)
    one, two = ({f"{name}.rpm": name.encode()} for name in (older, newer))
    run_import(crossing.receiver, make_bundle(crossing.root, key, SampleBundle((SampleRepository(packages=one),))))
    second = SampleBundle((SampleRepository(packages=two, number=2),), bundle_id="b2", sequence=2)
    found = preview(crossing.receiver, make_bundle(crossing.root, key, second, name="two"))
    change = found.repositories[0].difference
    assert change is not None
    assert [(str(old), str(new)) for old, new in change.updated] == [(older, newer)]
    assert (change.added, change.removed) == ((), ())


def test_products_and_repositories_that_appear(crossing: Crossing) -> None:
    add_repository(crossing.sender, crossing.root / "other", "extra")
    found = untouched(crossing.receiver, lambda: preview(crossing.receiver, crossing.export()[0]))
    assert found.new_products == ("tools",)
    assert [(each.key.label, each.exists, each.version) for each in found.repositories] == [
        ("base", False, None),
        ("extra", False, None),
    ]


def test_an_increment_without_its_base_says_what_it_would_wait_for(crossing: Crossing) -> None:
    crossing.export()
    crossing.publish([0, 1, 2])
    (bundle,) = crossing.export(incremental=True)
    found = untouched(crossing.receiver, lambda: preview(crossing.receiver, bundle))
    assert [each.what for each in found.waits] == [WaitsFor.BASE]
    assert found.missing == 2
    assert NAMES[0] in found.waits[0].reason


@pytest.mark.parametrize("form", [BundleForm.DIRECTORY, BundleForm.ISO])
def test_of_one_volume_what_is_known_so_far_is_shown(crossing: Crossing, form: BundleForm) -> None:
    crossing.publish([0, 1], [0], ballast=1_500_000)
    volumes = crossing.export(form, volume_size=600 << 10)
    assert len(volumes) >= 3
    ctx = crossing.receiver
    found = untouched(ctx, lambda: preview(ctx, volumes[1]))
    assert [each.what for each in found.waits] == [WaitsFor.VOLUMES]
    assert "volumes 1, 3" in found.waits[0].reason
    known = [preview(ctx, volume).repositories[0].difference is not None for volume in volumes]
    assert not all(known)
    for volume in volumes[:-1]:
        run_import(ctx, volume)
    last = untouched(ctx, lambda: preview(ctx, volumes[-1]))
    assert last.waits == ()


@pytest.mark.parametrize("form", [BundleForm.TAR, BundleForm.TGZ])
def test_of_chunks_that_are_not_all_there_too(crossing: Crossing, form: BundleForm) -> None:
    toc, *chunks, _ = crossing.export(form, volume_size=SMALL)
    chunks[-1].unlink()
    found = untouched(crossing.receiver, lambda: preview(crossing.receiver, toc))
    assert [each.what for each in found.waits] == [WaitsFor.VOLUMES]
    assert "still missing: chunk" in found.waits[0].reason
    assert found.manifest.bundle.destination == "ship"


def test_refusals_are_listed_together_with_what_would_change(crossing: Crossing) -> None:
    (first,) = crossing.export()
    crossing.publish([0, 1, 2])
    run_import(crossing.receiver, crossing.export()[0])
    found = untouched(crossing.receiver, lambda: preview(crossing.receiver, first))
    assert [each.code for each in found.refusals] == ["older-bundle"]
    change = found.repositories[0].difference
    assert change is not None
    assert [str(each) for each in change.removed] == NAMES[2:3]
    assert preview(crossing.receiver, first, allow_older=True).refusals == ()


def test_waiting_refused_and_quarantined_imports_are_shown_by_number(tmp_path: Path) -> None:
    crossing = make_crossing(tmp_path, approvals=1)
    ctx = crossing.receiver
    (bundle,) = crossing.export()
    shutil.copytree(bundle, ctx.settings.inbox.path / "waiting")
    row = crossing.drop(ctx.settings.inbox.path / "waiting")
    assert row.waits_for is WaitsFor.APPROVAL
    found = untouched(ctx, lambda: preview_import(ctx, row.id))
    assert [each.what for each in found.waits] == [WaitsFor.APPROVAL]
    approve(replace(ctx, actor=Actor("boss", "local")), row.id)
    assert preview_import(ctx, row.id).waits == ()
    with ctx.store.session():
        (key,) = ctx.store.trusted_keys.list()
        ctx.store.trusted_keys.remove(key.key_id)
    refused = crossing.drop(ctx.settings.inbox.path / "waiting")
    assert refused.state is ImportState.REFUSED
    assert Path(refused.path).parent == ctx.settings.inbox.quarantine_path
    with ctx.store.session():
        ctx.store.trusted_keys.add(key)
    assert preview_import(ctx, refused.id).organization == "acme"
    with pytest.raises(NotFoundError):
        preview_import(ctx, 99)
    shutil.rmtree(refused.path)
    with pytest.raises(NotFoundError, match="no longer"):
        preview_import(ctx, refused.id)


def test_nothing_unsigned_or_unknown_is_previewed(crossing: Crossing) -> None:
    (bundle,) = crossing.export()
    manifest = bundle / "issbox-bundle.json"
    manifest.write_bytes(manifest.read_bytes().replace(b"Tools", b"Fools"))
    with pytest.raises(BundleSignatureError):
        untouched(crossing.receiver, lambda: preview(crossing.receiver, bundle))
    with pytest.raises(NotFoundError):
        preview(crossing.receiver, crossing.root / "nothing")
    with pytest.raises(ImportRefusedError, match="nowhere"):
        preview(crossing.receiver, crossing.export()[0], organization="nowhere")


def test_it_takes_the_role_of_an_importer(crossing: Crossing) -> None:
    ctx = crossing.receiver
    (bundle,) = crossing.export()
    for name, role in (("vic", Role.VIEWER), ("ida", Role.IMPORTER)):
        create_user(ctx, name=name)
        grant_role(ctx, name=name, role=role, organization="acme")
    with pytest.raises(NotPermittedError):
        preview(ctx.acting_as("vic", "test"), bundle)
    assert preview(ctx.acting_as("ida", "test"), bundle).new_products == ("tools",)


@pytest.mark.parametrize("name", ["complete", "syncable"])
def test_exports_of_a_katello_are_previewed_too(tmp_path: Path, name: str) -> None:
    ctx = make_context(tmp_path / "box")
    first, second = ("complete", "incremental") if name == "complete" else ("syncable", "syncable-incremental")
    found = untouched(ctx, lambda: preview(ctx, REAL / first))
    assert found.form is None
    assert [each.key.label for each in found.repositories] == ["base", "tree"]
    added = {each.key.label: each.difference for each in found.repositories}["base"]
    assert added is not None
    assert [each.name for each in added.added] == ["gap-almanac", "gap-greeting"]
    assert added.errata_gained
    assert found.size > 0
    run_import(ctx, REAL / first, accept_unsigned=True)
    assert preview(ctx, REAL / first).imported_before is not None
    then = untouched(ctx, lambda: preview(ctx, REAL / second))
    change = {each.key.label: each.difference for each in then.repositories}["base"]
    assert change is not None
    assert [each.name for each in change.removed] == ["gap-almanac"]
    assert [each.name for each in change.added] == ["gap-traveller"]


def test_an_increment_of_a_katello_says_what_it_lacks(tmp_path: Path) -> None:
    ctx = make_context(tmp_path / "box")
    found = untouched(ctx, lambda: preview(ctx, REAL / "incremental"))
    assert WaitsFor.BASE in [each.what for each in found.waits]
    assert found.missing > 0
