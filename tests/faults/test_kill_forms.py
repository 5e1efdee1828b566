"""kill -9, a full disk and a medium pulled away while bundles of every form are written: nothing half-done stays."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from makers.boxes import Gap, make_gap
from makers.bundles import flip_byte
from makers.exports import check_directory, publish, write
from makers.receipts import make_slip

from issbox.bundle.slip import encode_slip
from issbox.errors import IssboxError, NoSpaceError
from issbox.files import remove_tree
from issbox.model import BundleForm, ContentExport, ExportState, SlipForm, SlipItem, SlipReason
from issbox.workflows.exports import STEPS, recutting, streaming

FORMS = [(BundleForm.DIRECTORY, 400_000), (BundleForm.ISO, 600 << 10), (BundleForm.TGZ, 150_000)]
IDS = [form.value for form, _ in FORMS]


@pytest.fixture(scope="module")
def gap(tmp_path_factory: pytest.TempPathFactory) -> Gap:
    """A box outside with one synchronized repository, too large for one volume; every test leaves it as it was."""
    gap = make_gap(tmp_path_factory.mktemp("gap"))
    remove_tree(gap.upstream)
    publish(gap.upstream, ballast=900_000)
    gap.outside.run("synchronize")
    return gap


@pytest.fixture
def media(tmp_path: Path) -> Path:
    media = tmp_path / "media"
    media.mkdir()
    return media


def exports(gap: Gap) -> list[ContentExport]:
    ctx = gap.outside.context()
    with ctx.store.session():
        return ctx.store.exports.list()


def only_rows_have_heads(gap: Gap) -> bool:
    kept = {path.name for path in (gap.outside.state / "heads").iterdir()}
    return kept == {each.bundle_id for each in exports(gap) if each.state is ExportState.WRITTEN}


@pytest.mark.parametrize("step", [*STEPS, "copy-files+2"])
@pytest.mark.parametrize(("form", "size"), FORMS, ids=IDS)
def test_killed_at_any_step_a_bundle_is_whole_or_not_there(
    gap: Gap, media: Path, form: BundleForm, size: int, step: str
) -> None:
    before = exports(gap)
    gap.outside.run("export-form", f"{form} {size} {media}", kill=step)
    whole = [path for path in media.iterdir() if not path.name.startswith(".")]
    assert len(whole) == (1 if step == "record-export" else 0)
    gap.outside.restart()
    gap.outside.check()
    assert list(media.iterdir()) == whole
    new = exports(gap)[: -len(before) or None]
    assert [(each.path, each.state) for each in new] == [(str(path), ExportState.WRITTEN) for path in whole]
    assert only_rows_have_heads(gap)
    for each in new:
        assert len(each.volumes) > 1, "what is known of it was written before"
        if form is BundleForm.DIRECTORY:
            for volume in sorted(Path(each.path).iterdir()):
                check_directory(gap.outside.context(), volume)


@pytest.mark.parametrize("step", [*streaming.STREAM_STEPS, "copy-files+1"])
def test_a_killed_stream_leaves_no_row(gap: Gap, step: str) -> None:
    before = exports(gap)
    gap.outside.run("stream", kill=step)
    gap.outside.restart()
    assert exports(gap) == before
    gap.outside.check()


@pytest.mark.parametrize(("form", "size"), FORMS, ids=IDS)
def test_a_killed_recut_leaves_nothing(gap: Gap, media: Path, tmp_path: Path, form: BundleForm, size: int) -> None:
    done = write(gap.outside.context(), media, form=form, volume_size=size)
    item = SlipItem(number=2, reason=SlipReason.MISSING)
    kind = SlipForm.CHUNKS if form is BundleForm.TGZ else SlipForm.VOLUMES
    slip = tmp_path / "x.slip.json"
    slip.write_bytes(
        encode_slip(make_slip(item, form=kind)).replace(make_slip().bundle_id.encode(), done.bundle_id.encode())
    )
    for step in (*recutting.STEPS, "copy-files+1"):
        gap.outside.run("recut", slip, kill=step)
        gap.outside.restart()
        left = {path.name for path in media.iterdir()} - {Path(done.path).name}
        assert left == ({f"{Path(done.path).name}-recut"} if step == "record-recut" else set())
        remove_tree(media / f"{Path(done.path).name}-recut")
        assert only_rows_have_heads(gap)
    gap.outside.run("recut", slip)
    gap.outside.check()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system in memory with less room than the bundle needs."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here, which takes root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@pytest.mark.skipif(shutil.which("mount") is None, reason="mount is not installed")
@pytest.mark.parametrize(("form", "size"), [*FORMS, (BundleForm.DIRECTORY, None), (BundleForm.TAR, None)])
def test_a_disk_that_fills_up_meanwhile_is_left_empty(
    gap: Gap, small_disk: Path, form: BundleForm, size: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx, before = gap.outside.context(), exports(gap)
    with pytest.raises(NoSpaceError, match="the bundle needs"):
        write(ctx, small_disk, form=form, volume_size=size)
    monkeypatch.setattr("issbox.files.free_space", lambda _: 1 << 40)  # as if another program had filled it since
    with pytest.raises(NoSpaceError, match="No space left on device"):
        write(ctx, small_disk, form=form, volume_size=size)
    assert list(small_disk.iterdir()) == []
    assert exports(gap) == before
    assert only_rows_have_heads(gap)


@pytest.mark.parametrize(("form", "size"), FORMS, ids=IDS)
def test_a_damaged_store_is_noticed_while_writing(gap: Gap, media: Path, form: BundleForm, size: int) -> None:
    ctx, before = gap.outside.context(), exports(gap)
    (blob,) = (path for path in (gap.outside.state / "blobs").rglob("*") if path.stat().st_size == 900_000)
    blob.chmod(0o644)
    flip_byte(blob, 899_999)
    try:
        with pytest.raises(IssboxError) as caught:
            write(ctx, media, form=form, volume_size=size)
    finally:
        flip_byte(blob, 899_999)
        blob.chmod(0o444)
    assert caught.value.code == "store-damaged"
    assert list(media.iterdir()) == []
    assert exports(gap) == before
