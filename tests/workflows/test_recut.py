"""Volumes and chunks written again are the same byte for byte, or it is said why they cannot be."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest
from makers.bundles import flip_byte
from makers.exports import KEY, files_below, make_sender, publish, write
from makers.recorder import Recorder

from issbox.bundle.slip import encode_short_slip
from issbox.errors import InvalidValueError, NoSpaceError, NotFoundError, RecutError, StoreDamagedError
from issbox.files import remove_tree
from issbox.model import (
    SLIP_FORMAT,
    SLIP_FORMAT_VERSION,
    BundleForm,
    ContentExport,
    Slip,
    SlipForm,
    SlipItem,
    SlipReason,
)
from issbox.wiring import now
from issbox.workflows.appliance.upkeep import collect_garbage, reconcile
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.context import Context
from issbox.workflows.exchange.slips import read_slip
from issbox.workflows.exports import recut, recutting

SIZES = {
    BundleForm.DIRECTORY: 400_000,
    BundleForm.ISO: 600 << 10,
    BundleForm.TAR: 150_000,
    BundleForm.TGZ: 150_000,
}
CHUNKED = {BundleForm.TAR, BundleForm.TGZ}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Context:
    return make_sender(tmp_path_factory.mktemp("box"), ballast=900_000)


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return make_sender(tmp_path / "box", ballast=900_000)


def slip_for(export: ContentExport, numbers: Collection[int]) -> Slip:
    return Slip(
        format=SLIP_FORMAT,
        format_version=SLIP_FORMAT_VERSION,
        created_at=now(),
        box="far",
        bundle_id=export.bundle_id,
        organization=export.organization,
        destination=export.destination,
        sequence=export.sequence,
        form=SlipForm.CHUNKS if export.form in CHUNKED else SlipForm.VOLUMES,
        items=tuple(SlipItem(number=number, reason=SlipReason.MISSING) for number in numbers),
    )


def of_volume(files: dict[str, bytes], number: int, form: BundleForm) -> dict[str, bytes]:
    """Give the files of a bundle that belong to one volume or chunk, the table of contents to number 0."""
    marks = {BundleForm.DIRECTORY: f".v{number:03d}/", BundleForm.ISO: f".v{number:03d}.iso"}
    mark = marks.get(form, f".{form.value}.{number:03d}") if number else ".toc.json"
    return {path: data for path, data in files.items() if mark in path}


@pytest.mark.parametrize(("form", "udf"), [*((form, False) for form in BundleForm), (BundleForm.ISO, True)])
def test_what_is_written_again_is_the_same_byte_for_byte(
    shared: Context, tmp_path: Path, form: BundleForm, udf: bool
) -> None:
    size = SIZES[form] + (600 << 10 if udf else 0)
    done = write(shared, tmp_path, form=form, volume_size=size, udf=udf)
    original = files_below(Path(done.path))
    assert len(done.volumes) >= 2
    progress = Recorder()
    for numbers in ([len(done.volumes)], [1, 2]):
        again = recut(replace(shared, progress=progress), slip_for(done, numbers))
        assert again.numbers == tuple(numbers)
        assert again.volumes == tuple(done.volumes[number - 1] for number in numbers)
        expected = {
            path: data
            for number in (numbers if form not in CHUNKED else [0, *numbers])
            for path, data in of_volume(original, number, form).items()
        }
        assert files_below(Path(again.path)) == expected
    assert Path(again.path).name == f"{Path(done.path).name}-recut-2"
    assert progress.steps == list(recutting.STEPS) * 2
    assert files_below(Path(done.path)) == original
    assert {path.name for path in tmp_path.iterdir()} == {
        Path(done.path).name,
        f"{Path(done.path).name}-recut",
        f"{Path(done.path).name}-recut-2",
    }


def test_the_table_of_contents_alone_is_written_without_reading_content(
    shared: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = write(shared, tmp_path, form=BundleForm.TGZ, volume_size=SIZES[BundleForm.TGZ])
    monkeypatch.setattr(type(shared.store.blobs), "open", None)
    again = recut(shared, slip_for(done, [0]), tmp_path / "out/put")
    assert files_below(Path(again.path)) == of_volume(files_below(Path(done.path)), 0, BundleForm.TGZ)
    assert (again.numbers, again.volumes) == ((0,), ())


def test_a_plain_directory_is_written_again_as_a_whole(shared: Context, tmp_path: Path) -> None:
    done = write(shared, tmp_path)
    item = SlipItem(number=1, reason=SlipReason.DAMAGED, files=("custom/tools/base/repodata/repomd.xml",))
    again = recut(shared, replace(slip_for(done, [1]), items=(item,)))
    assert files_below(Path(again.path)) == files_below(Path(done.path))


def test_a_short_text_is_enough(shared: Context, tmp_path: Path) -> None:
    done = write(shared, tmp_path, form=BundleForm.ISO, volume_size=SIZES[BundleForm.ISO])
    slip = read_slip(shared, encode_short_slip(slip_for(done, [2])).lower())
    assert files_below(Path(recut(shared, slip).path)) == of_volume(files_below(Path(done.path)), 2, BundleForm.ISO)


def test_what_the_export_does_not_have_is_refused(shared: Context, tmp_path: Path) -> None:
    done = write(shared, tmp_path, form=BundleForm.ISO, volume_size=SIZES[BundleForm.ISO])
    with pytest.raises(InvalidValueError, match=rf"volumes 7-8, but the content export {done.id} has only"):
        recut(shared, slip_for(done, [1, 7, 8]))
    with pytest.raises(InvalidValueError, match="asks for chunks"):
        recut(shared, replace(slip_for(done, [1]), form=SlipForm.CHUNKS))
    with pytest.raises(NotFoundError, match="no export of this box made the bundle"):
        recut(shared, replace(slip_for(done, [1]), bundle_id="another"))
    assert [path.name for path in tmp_path.iterdir()] == [Path(done.path).name]


@pytest.mark.parametrize("name", ["style.json", "toc.json", "issbox-bundle.json", "issbox-files.jsonl"])
def test_damage_of_what_is_kept_is_said(ctx: Context, tmp_path: Path, name: str) -> None:
    done = write(ctx, tmp_path / "media", form=BundleForm.TAR, volume_size=SIZES[BundleForm.TAR])
    kept = ctx.store.heads / done.bundle_id / name
    data = kept.read_bytes()
    flip_byte(kept, len(data) // 2 if name != "style.json" else 0)
    with pytest.raises(RecutError):
        recut(ctx, slip_for(done, [1]))
    kept.unlink()
    with pytest.raises(RecutError):
        recut(ctx, slip_for(done, [1]))
    kept.write_bytes(data)
    recut(ctx, slip_for(done, [1]))


def test_damage_of_the_store_is_said_and_leaves_nothing(ctx: Context, tmp_path: Path) -> None:
    done = write(ctx, tmp_path / "media", form=BundleForm.TGZ)
    (blob,) = (path for path in (ctx.store.state_dir / "blobs").rglob("*") if path.stat().st_size == 900_000)
    blob.chmod(0o644)
    flip_byte(blob, 1000)
    with pytest.raises(StoreDamagedError):
        recut(ctx, slip_for(done, [1]))
    assert [path.name for path in (tmp_path / "media").iterdir()] == [Path(done.path).name]


def test_too_little_space_is_said_before(shared: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = write(shared, tmp_path, form=BundleForm.ISO)
    monkeypatch.setattr("issbox.files.free_space", lambda _: 1 << 20)
    with pytest.raises(NoSpaceError):
        recut(shared, slip_for(done, [1]))
    assert [path.name for path in tmp_path.iterdir()] == [Path(done.path).name]


def forget_old_versions(ctx: Context, upstream: Path) -> Context:
    """Let Library move on twice, and clean up with one version kept."""
    ctx = replace(ctx, settings=replace(ctx.settings, versions=replace(ctx.settings.versions, keep=1)))
    for packages in (1, 2):
        remove_tree(upstream)
        publish(upstream, packages=packages, revision=f"r{packages}")
        synchronize(ctx, KEY)
    collect_garbage(ctx, dry_run=False)
    return ctx


def test_the_newest_export_to_a_destination_keeps_its_content(ctx: Context, tmp_path: Path) -> None:
    done = write(ctx, tmp_path / "media", form=BundleForm.ISO, destination="ship")
    ctx = forget_old_versions(ctx, tmp_path / "box/upstream")
    with ctx.store.session():
        assert [version.number for version in ctx.store.versions.list(KEY)] == [1, 3]
    again = recut(ctx, slip_for(done, [1]))
    assert files_below(Path(again.path)) == files_below(Path(done.path))


def test_content_that_is_gone_is_named(ctx: Context, tmp_path: Path) -> None:
    done = write(ctx, tmp_path / "media", form=BundleForm.ISO, destination="ship")
    remove_tree(tmp_path / "box/upstream")
    publish(tmp_path / "box/upstream", packages=3, revision="r")
    synchronize(ctx, KEY)
    write(ctx, tmp_path / "media", destination="ship")
    ctx = forget_old_versions(ctx, tmp_path / "box/upstream")
    with pytest.raises(
        RecutError, match=rf"files of the content export {done.id} are not in the store any more, such as"
    ):
        recut(ctx, slip_for(done, [1]))


def test_what_a_killed_process_left_is_found_by_its_note(ctx: Context, tmp_path: Path) -> None:
    done = write(ctx, tmp_path / "media", form=BundleForm.ISO)
    left = tmp_path / "media/.NAME-recut.part"
    left.mkdir()
    (left / "NAME.iso").write_bytes(b"half")
    (ctx.store.heads / done.bundle_id / "recutting").write_text(str(tmp_path / "media/NAME-recut"))
    reconcile(ctx)
    assert not left.exists()
    assert not (ctx.store.heads / done.bundle_id / "recutting").exists()
    recut(ctx, slip_for(done, [1]))
    assert not (ctx.store.heads / done.bundle_id / "recutting").exists()
