"""Bundles as ISO 9660 images, each of which can be burnt, mounted, verified and imported alone."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from issbox.bundle.head import Head, Layout
from issbox.bundle.iso.label import MAX_VOLUME_ID, IsoLabel, make_volume_id
from issbox.bundle.iso.layout import MAX_IMAGE, UDF_HINT, IsoMeter, udf_problem
from issbox.bundle.iso.pages import SECTOR
from issbox.bundle.iso.writing import write_iso
from issbox.bundle.members import Member
from issbox.bundle.staged import StagedDirectory, create_file, os_errors
from issbox.errors import InvalidValueError, VolumeSizeError
from issbox.manifest import Manifest, part_path
from issbox.names import format_size
from issbox.syncing import DurableFile, Writeback
from issbox.workflows.exports.forms.form import Job, Style


class ImageForm:
    """A directory with the image `NAME.iso`, or with `NAME.v001.iso`, `NAME.v002.iso`, ..."""

    def __init__(self, style: Style) -> None:
        self._udf = style.udf
        self._sizes: tuple[Head, tuple[int, ...]] | None = None
        """Of the bundle measured last, since its sizes are asked for several times."""
        self.layout = Layout()
        if style.volume_size is not None:
            self.layout = Layout(new_meter=partial(ImageMeter, style.volume_size, udf=style.udf), bounded=True)

    def volume_sizes(self, head: Head) -> tuple[int, ...]:
        """Give the bytes of each image.

        Raises InvalidValueError for what UDF cannot hold, and VolumeSizeError for an image that is too large.
        """
        if self._sizes is None or self._sizes[0] is not head:
            self._sizes = head, self._measure(head)
        return self._sizes[1]

    def _measure(self, head: Head) -> tuple[int, ...]:
        meters = [IsoMeter(self._udf) for _ in head.manifest.volumes]
        for number, meter in enumerate(meters, start=1):
            for member in head.members(number):
                meter.add(member.path, member.digest.size)
        for entry in head.entries():
            if entry.volume is not None:
                self._require_udf(entry.path, entry.size)
                meters[entry.volume - 1].add(entry.path, entry.size)
            for index, part in enumerate(entry.parts, start=1):
                path = part_path(entry.path, index)
                self._require_udf(path, part.size)
                meters[part.volume - 1].add(path, part.size)
        largest = max(meter.size for meter in meters)
        if largest > MAX_IMAGE:
            raise VolumeSizeError(
                f"an image would have {format_size(largest)}, and ISO 9660 ends at {format_size(MAX_IMAGE)}",
                hint="Give a --volume-size below that, so that the bundle becomes several images.",
            )
        return tuple(meter.size for meter in meters)

    def total_size(self, head: Head) -> int:
        """Give the bytes of all images; raises what `volume_sizes` raises."""
        return sum(self.volume_sizes(head))

    def write(self, job: Job, final: Path) -> tuple[int, ...]:
        """Write the images, one after the other."""
        sizes = []
        several = len(job.head.manifest.volumes) > 1
        with StagedDirectory(final.parent, final.name) as staged, Writeback() as behind:
            for number in job.volumes():
                name = f"{job.name}.v{number:03d}.iso" if several else f"{job.name}.iso"
                with os_errors(final / name):
                    sizes.append(self._write_image(job, number, staged.path / name, final / name, behind))
            job.progress.step("finish-bundle")
            with os_errors(final):
                behind.finish()
            staged.finish(synced=True)
        return tuple(sizes)

    def _write_image(self, job: Job, number: int, path: Path, shown: Path, behind: Writeback) -> int:
        label = image_label(job.head.manifest, number)
        with DurableFile(create_file(path), str(shown), behind) as out:
            return write_iso(_Members(job, number), out, label=label, udf=self._udf, advance=job.advance)

    def _require_udf(self, path: str, size: int) -> None:
        if not self._udf:
            return
        for name in path.split("/"):
            problem = udf_problem(name, size)
            if problem is not None:
                raise InvalidValueError(f"UDF cannot hold {path!r}: {problem}", hint=UDF_HINT)


class ImageMeter:
    """Tells the planner of volumes how full an image is."""

    def __init__(self, capacity: int, *, udf: bool) -> None:
        self._capacity = capacity
        self._meter = IsoMeter(udf)

    def fits(self, path: str, size: int) -> bool:
        """Tell whether the file may be added."""
        left = self._capacity - self._meter.size
        return size <= left and self._meter.cost(path, size) <= left

    def room(self, path: str) -> int:
        """Give the bytes that a file at this path may have at most."""
        left = (self._capacity - self._meter.size) // SECTOR * SECTOR
        while left > 0 and not self.fits(path, left):
            left -= max(SECTOR, self._meter.cost(path, left) - left)
        return max(0, left)

    def add(self, path: str, size: int) -> None:
        """Take the file in."""
        self._meter.add(path, size)


class _Members:
    """The files of an image, head files first; they can be gone through any number of times."""

    def __init__(self, job: Job, number: int) -> None:
        self._job = job
        self._number = number

    def __iter__(self) -> Iterator[Member]:
        yield from self._job.head.members(self._number)
        yield from self._job.content(self._number)


def image_label(manifest: Manifest, number: int) -> IsoLabel:
    """Label an image with organization, sequence number and volume, which all survive the 16 characters."""
    count = len(manifest.volumes)
    sequence = f"_{manifest.bundle.sequence:04d}"
    room = MAX_VOLUME_ID - len(sequence) - (len(f"_{count}") if count > 1 else 0)
    return IsoLabel(
        volume_id=make_volume_id(manifest.organization.label[: max(0, room)] + sequence, number, count),
        set_id=manifest.bundle.id,
        number=number,
        count=count,
        created_at=manifest.bundle.created_at,
    )
