"""Media that are read-only, end in the middle or cannot be read, and disks that are full: said clearly, and retried."""

import errno
import os
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from makers.boxes import PACKAGES
from makers.crossings import SMALL, Crossing, make_crossing, shown
from makers.inboxes import now

from issbox.errors import BundleError, IssboxError, NoSpaceError, OperatingSystemError
from issbox.model import BundleForm, ImportState
from issbox.progress import Silent
from issbox.workflows.appliance import boxes
from issbox.workflows.appliance.upkeep import reconcile
from issbox.workflows.context import Context
from issbox.workflows.imports.by_hand import run_import
from issbox.workflows.imports.importing import import_bundle
from issbox.workflows.inbox.intake import Attempts, import_settled

FORMS = [BundleForm.DIRECTORY, BundleForm.ISO, BundleForm.TAR, BundleForm.TGZ]


def _can_mount() -> bool:
    if os.geteuid() != 0 or shutil.which("losetup") is None:
        return False
    return subprocess.run(["losetup", "--find"], capture_output=True, check=False).returncode == 0


needs_mount = pytest.mark.skipif(not _can_mount(), reason="mounting needs root and loop devices")


@pytest.fixture
def crossing(tmp_path: Path) -> Crossing:
    return make_crossing(tmp_path)


class When(Silent):
    """Does something once, when the first file of the step has been copied."""

    def __init__(self, do: Callable[[], object]) -> None:
        self._do = do
        self._step = ""
        self._done = False

    def step(self, name: str, message: str = "") -> None:
        self._step = name

    def advance(self, *, files: int = 0, size: int = 0) -> None:
        if files and self._step == "stage-files" and not self._done:
            self._done = True
            self._do()


@contextmanager
def mounted(place: Path, *words: str | Path) -> Iterator[Path]:
    """Mount something at a new directory until the block ends, however it is used then."""
    place.mkdir()
    subprocess.run(["mount", *map(str, words), str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=False, capture_output=True)


@contextmanager
def loop_device(image: Path) -> Iterator[Path]:
    """Give a read-only block device whose bytes are those of the file."""
    command = ["losetup", "--find", "--show", "--read-only", str(image)]
    device = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    try:
        yield Path(device)
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


def expected(crossing: Crossing) -> dict[str, bytes]:
    return shown(crossing.sender)


@needs_mount
@pytest.mark.parametrize("form", FORMS)
def test_a_mounted_read_only_medium_with_several_parts_is_a_source(crossing: Crossing, form: BundleForm) -> None:
    crossing.publish([0, 1], ballast=1_500_000)
    size = 600 << 10 if form in {BundleForm.DIRECTORY, BundleForm.ISO} else SMALL
    crossing.export(form, volume_size=size)
    (folder,) = (crossing.root / "media").iterdir()
    with mounted(crossing.root / "mnt", "--bind", "-o", "ro", folder) as medium:
        rows = run_import(crossing.receiver, medium)
    assert rows[-1].state is ImportState.IMPORTED
    assert crossing.seen() == expected(crossing)
    assert list((crossing.root / "mnt").iterdir()) == []


@needs_mount
def test_discs_are_sources_as_block_devices(crossing: Crossing) -> None:
    crossing.publish([0, 1], ballast=1_500_000)
    for image in crossing.export(BundleForm.ISO, volume_size=600 << 10):
        with loop_device(image) as device:
            (row,) = run_import(crossing.receiver, device)
    assert (row.state, row.form) == (ImportState.IMPORTED, BundleForm.ISO)
    assert crossing.seen() == expected(crossing)


@needs_mount
def test_a_medium_unmounted_in_the_middle_is_said_and_tried_again(crossing: Crossing) -> None:
    crossing.publish([0, 1], ballast=300_000)
    part = crossing.export(BundleForm.TGZ, volume_size=SMALL)[0]
    with mounted(crossing.root / "mnt", "--bind", "-o", "ro", part.parent) as medium:
        pulled = When(lambda: subprocess.run(["umount", "--lazy", medium], check=True))
        with pytest.raises((BundleError, OperatingSystemError)) as error:
            run_import(replace(crossing.receiver, progress=pulled), medium / part.name)
    assert error.value.hint
    assert crossing.seen() == {}
    with mounted(crossing.root / "again", "--bind", "-o", "ro", part.parent) as medium:
        assert run_import(crossing.receiver, medium / part.name)[-1].state is ImportState.IMPORTED
    assert crossing.seen() == expected(crossing)


@needs_mount
@pytest.mark.skipif(shutil.which("mkfs.ext4") is None, reason="mkfs.ext4 is not installed")
@pytest.mark.parametrize(
    ("form", "size"), [*((form, None) for form in FORMS), (BundleForm.DIRECTORY, 1 << 20), (BundleForm.TAR, 1 << 20)]
)
def test_a_disk_pulled_away_in_the_middle_is_said_and_tried_again(
    crossing: Crossing, form: BundleForm, size: int | None
) -> None:
    crossing.publish(range(len(PACKAGES)), ballast=6_000_000)
    parts = crossing.export(form, volume_size=size)
    if form in {BundleForm.TAR, BundleForm.TGZ}:
        del parts[1:]  # chunks are named by their table of contents
    disk = crossing.root / "disk.img"
    words = ["-q", "-d", str(parts[0].parent), "-b", "4096", "-O", "^has_journal", str(disk), "24M"]
    subprocess.run(["mkfs.ext4", *words], check=True)
    with mounted(crossing.root / "mnt", "-o", "loop,ro", disk) as medium:
        receiver = replace(crossing.receiver, progress=When(lambda: os.truncate(disk, 0)))
        with pytest.raises(IssboxError) as error:
            deque((run_import(receiver, medium / part.name) for part in parts), maxlen=0)
    assert isinstance(error.value, OperatingSystemError | BundleError)
    assert error.value.hint
    assert crossing.seen() == {}
    for part in parts:
        row = run_import(crossing.receiver, part)[-1]
    assert row.state is ImportState.IMPORTED
    assert crossing.seen() == expected(crossing)
    assert reconcile(crossing.receiver).staging_bytes == 0


@needs_mount
def test_a_disc_that_cannot_be_read_any_more_is_said_and_tried_again(crossing: Crossing) -> None:
    crossing.publish([0, 1], ballast=3_000_000)
    (image,) = crossing.export(BundleForm.ISO)
    copy = Path(shutil.copy(image, crossing.root / "disc.iso"))
    with loop_device(copy) as device:
        scratched = When(lambda: os.truncate(copy, 2 << 20))
        subprocess.run(["blockdev", "--setra", "0", device], check=True)
        with pytest.raises(IssboxError) as error:
            run_import(replace(crossing.receiver, progress=scratched), device)
    assert isinstance(error.value, OperatingSystemError | BundleError)
    assert os.strerror(errno.EIO) in str(error.value) or "damaged" in error.value.code
    assert crossing.seen() == {}
    with loop_device(image) as device:
        assert run_import(crossing.receiver, device)[-1].state is ImportState.IMPORTED
    assert crossing.seen() == expected(crossing)


def _receiver_on(crossing: Crossing, disk: Path) -> Context:
    from makers.inboxes import make_context

    return make_context(disk / "box", trusted=boxes.signing_key(crossing.sender))


@needs_mount
@pytest.mark.parametrize("form", FORMS)
def test_a_disk_that_fills_up_in_the_middle_leaves_nothing_and_it_goes_on_later(
    crossing: Crossing, form: BundleForm
) -> None:
    crossing.publish([0, 1], ballast=12_000_000)
    part = crossing.export(form)[0]
    with mounted(crossing.root / "small", "-t", "tmpfs", "-o", "size=48m", "none") as disk:
        ctx = _receiver_on(crossing, disk)
        ballast = disk / "ballast"

        def fill() -> None:
            with suppress(OSError), ballast.open("wb") as out:  # files are copied meanwhile
                left = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
                out.write(bytes(max(0, left - (2 << 20))))

        with ctx.store.session():
            row = ctx.store.imports.add(str(part), inbox=True, first_seen=now())
        with pytest.raises(NoSpaceError):
            import_bundle(replace(ctx, progress=When(fill)), row.id)
        with ctx.store.session():
            after = ctx.store.imports.get(row.id)
        assert (after.state, after.error_code) == (ImportState.SETTLED, "no-space")
        assert "It will be tried again" in after.reason
        assert shown(ctx) == {}
        assert [path for path in (ctx.store.state_dir / "blobs").rglob("*") if path.is_file()] == []
        assert [path for path in (ctx.store.state_dir / "tmp").rglob("*") if path.suffix != ".lock"] == []
        ballast.unlink()
        (done,) = import_settled(ctx, Attempts(1))
        assert done.state is ImportState.IMPORTED
        assert shown(ctx) == expected(crossing)
        assert reconcile(ctx).staging_bytes == 0


@needs_mount
def test_too_little_space_is_said_before_anything_is_copied(crossing: Crossing) -> None:
    crossing.publish([0, 1], ballast=12_000_000)
    (bundle,) = crossing.export()
    with mounted(crossing.root / "small", "-t", "tmpfs", "-o", "size=20m", "none") as disk:
        ctx = _receiver_on(crossing, disk)
        before = os.statvfs(disk).f_bavail
        with pytest.raises(NoSpaceError, match=r"needs 2\d\.\d MiB in .*, but only"):
            run_import(ctx, bundle)
        assert os.statvfs(disk).f_bavail >= before - 200
        assert shown(ctx) == {}
