"""Bundles as directories that dnf reads as they are."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from issbox.bundle.head import Head, Layout
from issbox.bundle.members import Member
from issbox.bundle.staged import StagedDirectory
from issbox.bundle.tree_writer import TreeWriter
from issbox.rules.bundles.volumes import Boundless, DirectoryMeter
from issbox.workflows.exports.forms.form import Job, Style, head_size
from issbox.workflows.parallel import run_all

_BLOCK: Final = 4096
"""Bytes that file systems give out at once."""
_SMALL: Final = 128 << 10
"""Bytes of a file up to which handing it to another thread costs as much as writing it; and a directory takes only one
new name at a time."""


class DirectoryForm:
    """A directory, or a directory of volumes `NAME.v001`, `NAME.v002`, ..., each of which is one."""

    def __init__(self, style: Style) -> None:
        self.layout = Layout(
            new_meter=Boundless if style.volume_size is None else partial(DirectoryMeter, style.volume_size),
            bounded=style.volume_size is not None,
            largest_file=style.largest_file,
        )

    def volume_sizes(self, head: Head) -> tuple[int, ...]:
        """Give the bytes of the files in each volume."""
        every = head_size(head)
        return tuple(volume.size + every for volume in head.manifest.volumes)

    def total_size(self, head: Head) -> int:
        """Give the bytes with every file rounded up to a block."""
        files = head.manifest.files
        return sum(self.volume_sizes(head)) + files.carried_count * _BLOCK

    def write(self, job: Job, final: Path) -> tuple[int, ...]:
        """Write the bundle."""
        several = len(job.head.manifest.volumes) > 1
        with StagedDirectory(final.parent, final.name) as staged:
            for number in job.volumes():
                root = staged.path / f"{job.name}.v{number:03d}" if several else staged.path
                if several:
                    root.mkdir(mode=0o755)
                with TreeWriter(root, final) as writer:
                    write_tree(job, number, writer)
            job.progress.step("finish-bundle")
            staged.finish()
        sizes = self.volume_sizes(job.head)
        return tuple(sizes[number - 1] for number in job.volumes())


def write_tree(job: Job, number: int, writer: TreeWriter) -> None:
    """Write one volume as a directory, the head files last."""

    def add(member: Member) -> None:
        writer.add(member, job.advance)

    def large() -> Iterator[Callable[[], None]]:
        for member in job.content(number):
            if member.digest.size > _SMALL:
                yield partial(add, member)
            else:
                add(member)

    run_all(large())
    for member in job.head.members(number):
        writer.add(member)
