"""Sets of volumes and chunks in the inbox: any order, any folder, over days; what is missing is named exactly."""

import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from makers.bundles import flip_byte
from makers.crossings import SMALL, Crossing, make_crossing
from makers.inboxes import with_inbox
from watcher.test_service import serving, wait_for

from issbox.bundle.slip import decode_short_slip, decode_slip
from issbox.errors import WrongStateError
from issbox.model import BundleForm, ContentImport, ImportState, SlipForm, SlipReason, WaitsFor
from issbox.watcher.service import scan_once
from issbox.workflows.appliance.upkeep import collect_garbage
from issbox.workflows.content import catalog
from issbox.workflows.context import Context
from issbox.workflows.exchange.slips import read_slip
from issbox.workflows.exports.recutting import recut
from issbox.workflows.imports.asking_again import make_slip
from issbox.workflows.imports.lacking import lacking
from issbox.workflows.inbox.inbox import retry
from issbox.workflows.inbox.inbox_sets import BundleOnItsWay, list_bundles

FORMS = [BundleForm.DIRECTORY, BundleForm.ISO, BundleForm.TAR, BundleForm.TGZ]
CHUNKED = [BundleForm.TAR, BundleForm.TGZ]
VOLUME = 600 << 10
RPM = b"\xed\xab\xee\xdb"
"""How every package begins."""


@pytest.fixture
def crossing(tmp_path: Path) -> Crossing:
    return make_crossing(tmp_path, quiet_for_seconds=0.1, incomplete_after_seconds=0.2, rescan_seconds=0.3)


def export(crossing: Crossing, form: BundleForm) -> list[Path]:
    """Export in several volumes or chunks and give all files or directories of the set."""
    if form in CHUNKED:
        return crossing.export(form, volume_size=SMALL)
    crossing.publish([0, 1], ballast=1_500_000)
    return crossing.export(form, volume_size=VOLUME)


def bring(crossing: Crossing, part: Path, folder: str = "") -> Path:
    """Copy a part into the inbox."""
    place = crossing.receiver.settings.inbox.path / folder
    place.mkdir(parents=True, exist_ok=True)
    target = place / part.name
    if part.is_dir():
        return shutil.copytree(part, target, dirs_exist_ok=True)
    return Path(shutil.copy2(part, target))


def look(crossing: Crossing, *, patiently: bool = False) -> list[BundleOnItsWay]:
    """Let cron come by, with `patiently` until nothing is expected any more, and give what lies in the inbox."""
    scan_once(crossing.receiver)
    if patiently:
        time.sleep(0.25)
        scan_once(crossing.receiver)
    return list_bundles(crossing.receiver)


def rows(ctx: Context) -> list[ContentImport]:
    with ctx.store.session():
        return ctx.store.imports.list()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "folders",
    [("",), ("", "disc one", "usb/second disc", "a/b/c"), ("acme", "acme/disc one", "acme/usb/disc two")],
    ids=["one folder", "several", "of an organization"],
)
def test_parts_come_in_any_order_and_show_all_at_once(
    crossing: Crossing, form: BundleForm, folders: tuple[str, ...]
) -> None:
    parts = export(crossing, form)
    expected = crossing_tree(crossing)
    order = random.Random(len(folders)).sample(parts, len(parts))
    for number, part in enumerate(order[:-1]):
        bring(crossing, part, folders[number % len(folders)])
        bundles = look(crossing, patiently=number == len(order) // 2)
        assert crossing.seen() == {}
        assert not any(each.row.state is ImportState.REFUSED for each in bundles), [each.reason for each in bundles]
    assert len({each.bundle_id for each in bundles if each.bundle_id is not None}) <= 1
    bring(crossing, order[-1], folders[-1])
    assert look(crossing) == []
    assert crossing.seen() == expected
    inbox = crossing.receiver.settings.inbox
    assert [path for path in inbox.path.rglob("*") if path.is_file()] == []
    kept = {path.name for path in inbox.archive_path.iterdir()}
    assert kept == {part.name for part in parts}
    assert {row.state for row in rows(crossing.receiver)} == {ImportState.IMPORTED}


def crossing_tree(crossing: Crossing) -> dict[str, bytes]:
    root = crossing.sender.store.state_dir / "content/acme/Library/custom/tools/base"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("form", FORMS)
def test_what_is_missing_is_named_asked_for_and_taken_in_when_it_comes(crossing: Crossing, form: BundleForm) -> None:
    parts = export(crossing, form)
    chunks = form in CHUNKED
    index = 2 if chunks else 1
    lost = parts[index]
    number = index if chunks else index + 1  # of an archive, the table of contents is the first part
    for part in parts:
        if part is not lost:
            bring(crossing, part)
    (found,) = look(crossing, patiently=True)
    assert (found.row.state, found.row.waits_for) == (ImportState.WAITING, WaitsFor.VOLUMES)
    assert (found.chunks, found.missing) == (chunks, (number,))
    assert f"chunk {number} of" in found.reason or f"volume {number} of" in found.reason
    assert not chunks or lost.name in found.reason
    ctx = crossing.receiver
    (lack,) = lacking(ctx, found.row.id)
    assert (lack.number, lack.damaged, lack.name) == (number, False, lost.name if chunks else "")
    made = make_slip(ctx, found.row.id)
    slip = decode_slip(made.file)
    assert (slip.form, slip.numbers) == (SlipForm.CHUNKS if chunks else SlipForm.VOLUMES, (number,))
    assert [item.reason for item in slip.items] == [SlipReason.MISSING]
    assert (slip.destination, slip.sequence, slip.organization) == ("ship", 1, "acme")
    assert decode_short_slip(made.short).numbers == (number,)
    # The same scan again, and a restart, change nothing.
    assert look(crossing) == [found]
    again = recut(crossing.sender, read_slip(crossing.sender, made.short), crossing.root / "again")
    bring(crossing, Path(again.path) / lost.name)
    assert look(crossing) == []
    assert crossing.seen() == crossing_tree(crossing)
    with pytest.raises(WrongStateError, match="lacks no"):
        make_slip(ctx, found.row.id)


@pytest.mark.parametrize("form", CHUNKED)
def test_of_damaged_chunks_exactly_these_are_to_be_replaced(crossing: Crossing, form: BundleForm) -> None:
    parts = export(crossing, form)
    placed = {part.name: bring(crossing, part) for part in parts}
    toc, *chunks, _ = parts
    for bad in (chunks[0], chunks[-1]):
        flip_byte(placed[bad.name], bad.stat().st_size // 2)
    (found,) = look(crossing)
    assert (found.row.state, found.row.waits_for) == (ImportState.WAITING, WaitsFor.VOLUMES)
    assert f"Bring again: {chunks[0].name}, {chunks[-1].name};" in found.reason
    assert crossing.seen() == {}
    lacks = list(lacking(crossing.receiver, found.row.id))
    assert [(each.name, each.damaged) for each in lacks] == [(chunks[0].name, True), (chunks[-1].name, True)]
    slip = make_slip(crossing.receiver, found.row.id).slip
    assert [(item.number, item.reason) for item in slip.items] == [(1, "damaged"), (len(chunks), "damaged")]
    before = {path: path.stat().st_mtime_ns for path in placed.values()}
    bring(crossing, chunks[0])
    (still,) = look(crossing)
    assert f"Bring again: {chunks[-1].name};" in still.reason
    assert {path for path in before if path.stat().st_mtime_ns != before[path]} == {placed[chunks[0].name]}
    bring(crossing, chunks[-1])
    assert look(crossing) == []
    assert crossing.seen() == crossing_tree(crossing)
    assert toc.name in {path.name for path in crossing.receiver.settings.inbox.archive_path.iterdir()}


@pytest.mark.parametrize("form", [BundleForm.DIRECTORY, BundleForm.ISO])
def test_of_a_damaged_volume_the_damaged_files_are_asked_for(crossing: Crossing, form: BundleForm) -> None:
    volumes = export(crossing, form)
    placed = [bring(crossing, volume) for volume in volumes]
    files = [path for volume in placed for path in (volume.rglob("*.rpm") if volume.is_dir() else [volume])]
    bad = next(path for path in files if RPM in path.read_bytes())
    flip_byte(bad, bad.read_bytes().index(RPM) + 100)
    number = next(index for index, volume in enumerate(placed, start=1) if volume == bad or volume in bad.parents)
    bundles = look(crossing)
    (found,) = bundles
    assert found.row.state is ImportState.WAITING
    assert found.missing == (number,)
    assert f"volume {number} (import" in found.reason
    (refused,) = (row for row in found.rows if row.state is ImportState.REFUSED)
    damaged = [each for each in lacking(crossing.receiver, refused.id) if each.name]
    assert [each.damaged for each in damaged] == [True]
    slip = make_slip(crossing.receiver, refused.id).slip
    assert [(item.number, item.reason, item.files) for item in slip.items] == [(number, "damaged", (damaged[0].name,))]
    waiting = make_slip(crossing.receiver, found.row.id).slip
    assert [(item.number, item.reason) for item in waiting.items] == [(number, "damaged")]
    bring(crossing, volumes[number - 1])
    look(crossing)
    assert crossing.seen() == crossing_tree(crossing)


@pytest.mark.parametrize("form", CHUNKED)
def test_chunks_of_another_bundle_or_in_wrong_places_are_named(crossing: Crossing, form: BundleForm) -> None:
    toc, *chunks, signature = export(crossing, form)
    crossing.publish([0, 1, 2])
    _, *others, _ = export(crossing, form)
    inbox = crossing.receiver.settings.inbox.path
    for part in (toc, *chunks, signature):
        bring(crossing, part)
    shutil.copy(others[0], inbox / chunks[0].name)
    (found,) = look(crossing)
    assert found.row.waits_for is WaitsFor.VOLUMES
    assert f"the chunk {chunks[0].name}" in found.reason
    shutil.copy(chunks[1], inbox / chunks[0].name)
    (found,) = look(crossing)
    assert f"the chunk {chunks[0].name} holds what belongs into {chunks[1].name}" in found.reason
    shutil.copy(chunks[0], inbox / chunks[0].name)
    assert look(crossing) == []
    assert crossing.seen() != {}


@pytest.mark.parametrize("form", FORMS)
def test_duplicates_and_replays_do_no_harm(crossing: Crossing, form: BundleForm) -> None:
    parts = export(crossing, form)
    for part in parts:
        bring(crossing, part)
        bring(crossing, part, "a copy")
    look(crossing, patiently=True)
    assert crossing.seen() == crossing_tree(crossing)
    blobs = crossing.receiver.store.state_dir / "blobs"
    before = {path: path.stat().st_mtime_ns for path in blobs.rglob("*")}
    for part in parts:
        bring(crossing, part)
    look(crossing, patiently=True)
    assert "imported before" in rows(crossing.receiver)[0].reason
    assert {path: path.stat().st_mtime_ns for path in blobs.rglob("*")} == before


@pytest.mark.parametrize("form", CHUNKED)
def test_a_set_without_table_of_contents_or_signature_waits_for_it_by_name(
    crossing: Crossing, form: BundleForm
) -> None:
    toc, *chunks, signature = export(crossing, form)
    for part in chunks[1:]:
        bring(crossing, part)
    (found,) = look(crossing, patiently=True)
    assert (found.row.state, found.row.waits_for) == (ImportState.WAITING, WaitsFor.VOLUMES)
    assert toc.name in found.reason
    bring(crossing, toc)
    (found,) = look(crossing, patiently=True)
    assert f"still missing: {signature.name}" in found.reason
    bring(crossing, signature)
    (found,) = look(crossing, patiently=True)
    assert f"chunk 1 of {len(chunks)}: {chunks[0].name}" in found.reason
    assert make_slip(crossing.receiver, found.row.id).slip.sequence == 0
    short = make_slip(crossing.receiver, found.row.id).short
    assert read_slip(crossing.sender, short).bundle_id == found.bundle_id
    assert len(rows(crossing.receiver)) == 1
    bring(crossing, chunks[0])
    assert look(crossing) == []
    assert crossing.seen() == crossing_tree(crossing)


def test_a_forged_table_of_contents_is_refused_at_once(crossing: Crossing) -> None:
    toc, *chunks, signature = export(crossing, BundleForm.TGZ)
    for part in (toc, *chunks[1:], signature):
        bring(crossing, part)
    placed = crossing.receiver.settings.inbox.path / toc.name
    placed.write_bytes(placed.read_bytes().replace(b'"format_version": 1', b'"format_version":  1'))
    (found,) = look(crossing, patiently=True)
    assert (found.row.state, found.row.error_code) == (ImportState.REFUSED, "bad-signature")
    kept = {path.name for path in crossing.receiver.settings.inbox.quarantine_path.iterdir()}
    assert {part.name for part in (toc, *chunks[1:], signature)} < kept


@pytest.mark.parametrize("form", FORMS)
def test_several_bundles_are_listed_and_imported_in_their_order(crossing: Crossing, form: BundleForm) -> None:
    first = crossing.export(form)
    crossing.publish([0, 1, 2])
    second = crossing.export(form)
    for name, parts in (("b", first), ("a", second)):
        for part in parts:
            bring(crossing, part, name)
    ctx = crossing.receiver
    from issbox.watcher.rounds import Rounds

    Rounds(ctx).go()
    assert [each.sequence for each in list_bundles(ctx)] == [1, 2]
    look(crossing)
    assert crossing.seen() == crossing_tree(crossing)
    assert {row.state for row in rows(ctx)} == {ImportState.IMPORTED}


@pytest.mark.parametrize("form", CHUNKED)
def test_a_medium_copied_as_a_whole_is_taken_in_and_left_empty(crossing: Crossing, form: BundleForm) -> None:
    first = crossing.export(form, volume_size=SMALL)
    crossing.publish([0, 1, 2])
    second = crossing.export(form, volume_size=SMALL)
    ctx = crossing.receiver
    medium = ctx.settings.inbox.path / "usb"
    for parts in (second, first):
        shutil.copytree(parts[0].parent, medium / parts[0].parent.name)
    look(crossing)
    assert {row.state for row in rows(ctx)} == {ImportState.IMPORTED}
    assert len(rows(ctx)) == 2
    assert crossing.seen() == crossing_tree(crossing)
    assert not [path for path in medium.rglob("*") if path.is_file()]
    assert look(crossing, patiently=True) == []


def test_chunks_in_the_folder_of_another_organization_are_not_ours(crossing: Crossing) -> None:
    ctx = crossing.receiver
    catalog.create_organization(ctx, label="other", name="Other")
    toc, signature, *chunks = sorted(
        crossing.export(BundleForm.TGZ, volume_size=SMALL),
        key=lambda each: (not each.name.endswith(".toc.json"), not each.name.endswith(".sig"), each.name),
    )
    for part in (toc, signature, *chunks[1:]):
        bring(crossing, part, "acme")
    stray = bring(crossing, chunks[0], "other")
    waiting = next(each for each in look(crossing, patiently=True) if each.chunks)
    assert (waiting.row.waits_for, waiting.missing) == (WaitsFor.VOLUMES, (1,))
    assert [each.name for each in lacking(ctx, waiting.row.id)] == [chunks[0].name]
    bring(crossing, chunks[0], "acme/late")
    look(crossing)
    assert crossing.seen() == crossing_tree(crossing)
    assert stray.exists()


@contextmanager
def copying_slowly(source: Path, target: Path) -> Iterator[Callable[[], None]]:
    """Copy in pieces until the block ends; what is called then waits for the end of the copy."""
    done = threading.Event()

    def copy() -> None:
        try:
            with source.open("rb") as read, target.open("wb") as out:
                while block := read.read(max(1, source.stat().st_size // 15)):
                    out.write(block)
                    out.flush()
                    time.sleep(0.05)
        finally:
            done.set()

    thread = threading.Thread(target=copy)
    thread.start()
    try:
        yield done.wait  # type: ignore[misc]  # gives a bool that nobody needs
    finally:
        thread.join()


@pytest.mark.parametrize("form", [BundleForm.ISO, BundleForm.TGZ])
def test_the_service_takes_slowly_copied_parts_over_a_restart(crossing: Crossing, form: BundleForm) -> None:
    parts = export(crossing, form)
    ctx = with_inbox(crossing.receiver, incomplete_after_seconds=3)
    inbox = ctx.settings.inbox.path
    half = len(parts) // 2
    for part in (parts[:half], parts[half:]):
        with serving(ctx):
            for each in part:
                with copying_slowly(each, inbox / each.name) as finish:
                    finish()
            time.sleep(0.3)
    with serving(ctx):
        wait_for(ctx, *["imported"] * len(rows(ctx)), until=lambda _: not list(inbox.iterdir()))
    assert crossing.seen() == crossing_tree(crossing)


@pytest.mark.parametrize("form", FORMS)
def test_what_waits_too_long_is_refused_and_can_be_retried(crossing: Crossing, form: BundleForm) -> None:
    parts = export(crossing, form)
    lost = parts[2 if form in CHUNKED else 1]
    for part in parts:
        if part is not lost:
            bring(crossing, part)
    look(crossing, patiently=True)
    ctx = crossing.receiver
    days = ctx.settings.inbox.forget_after_days
    later = replace(ctx, clock=lambda: ctx.clock() + timedelta(days=days, minutes=1))
    sooner = replace(ctx, clock=lambda: ctx.clock() + timedelta(days=days - 1))
    scan_once(sooner)
    assert {row.state for row in rows(ctx)} == {ImportState.WAITING}
    scan_once(later)
    refused = rows(ctx)
    assert {(row.state, row.error_code) for row in refused} == {(ImportState.REFUSED, "waited-too-long")}
    assert {Path(row.path).parent for row in refused} == {ctx.settings.inbox.quarantine_path}
    assert not ctx.store.incoming.exists() or list(ctx.store.incoming.iterdir()) == []
    blobs = collect_garbage(ctx, dry_run=False).blobs
    assert (blobs > 0) == (form not in CHUNKED)
    assert "more than 30 days" in refused[0].reason
    if form in CHUNKED:
        shutil.copy(lost, ctx.settings.inbox.quarantine_path)
    else:
        bring(crossing, lost)
    for row in refused:
        retry(ctx, row.id)
    look(crossing)
    assert crossing.seen() == crossing_tree(crossing)
