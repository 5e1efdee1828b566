"""The forms that a bundle can be written in: how its volumes are laid out, what they weigh, and who writes them."""

from functools import partial
from pathlib import Path
from typing import Final, Protocol

from issbox.bundle.head import Head, Layout, OpenEntry, volume_members
from issbox.bundle.members import Member
from issbox.bundle.staged import StagedDirectory
from issbox.bundle.tree_writer import TreeWriter
from issbox.errors import InvalidValueError
from issbox.model import BundleForm
from issbox.progress import Progress
from issbox.rules.volumes import Boundless, DirectoryMeter
from issbox.workflows.exports.plan import ExportRequest
from issbox.workflows.parallel import run_all

_BLOCK: Final = 4096
"""Bytes that file systems give out at once."""


class Form(Protocol):
    """Writes bundles of one form."""

    layout: Layout

    def volume_sizes(self, head: Head) -> tuple[int, ...]:
        """Give the bytes of each volume on its medium."""

    def total_size(self, head: Head) -> int:
        """Give the bytes that the whole bundle takes, counting what file systems round up."""

    def write(self, head: Head, open_entry: OpenEntry, final: Path, progress: Progress) -> tuple[int, ...]:
        """Write the bundle, which appears at `final` whole or not at all, and give the bytes of each volume.

        Announces the step `finish-bundle` when all content is written.
        """


def form_of(request: ExportRequest) -> Form:
    """Give the form that a request asks for."""
    if request.form is BundleForm.DIRECTORY:
        return DirectoryForm(request.volume_size, request.largest_file)
    raise InvalidValueError(f"{request.form} is not a form")


class DirectoryForm:
    """A directory, or a directory of volumes `NAME.v001`, `NAME.v002`, ..., each of which is one."""

    def __init__(self, volume_size: int | None, largest_file: int | None) -> None:
        self.layout = Layout(
            new_meter=Boundless if volume_size is None else partial(DirectoryMeter, volume_size),
            bounded=volume_size is not None,
            largest_file=largest_file,
        )

    def volume_sizes(self, head: Head) -> tuple[int, ...]:
        """Give the bytes of the files in each volume."""
        every = head_size(head)
        return tuple(volume.size + every for volume in head.manifest.volumes)

    def total_size(self, head: Head) -> int:
        """Give the bytes with every file rounded up to a block."""
        files = head.manifest.files
        return sum(self.volume_sizes(head)) + files.carried_count * _BLOCK

    def write(self, head: Head, open_entry: OpenEntry, final: Path, progress: Progress) -> tuple[int, ...]:
        """Write the bundle."""
        numbers = range(1, len(head.manifest.volumes) + 1)
        with StagedDirectory(final.parent, final.name) as staged:
            for number in numbers:
                root = staged.path if len(numbers) == 1 else staged.path / volume_name(final.name, number)
                if root != staged.path:
                    root.mkdir(mode=0o755)
                with TreeWriter(root, final) as writer:
                    write_tree(head, open_entry, number, writer, progress)
            progress.step("finish-bundle")
            staged.finish()
        return self.volume_sizes(head)


def write_tree(head: Head, open_entry: OpenEntry, number: int, writer: TreeWriter, progress: Progress) -> None:
    """Write one volume as a directory, the head files last."""

    def add(member: Member) -> None:
        writer.add(member, lambda count: progress.advance(size=count))
        progress.advance(files=1)

    run_all(partial(add, member) for member in volume_members(head, number, open_entry))
    for member in head.members(number):
        writer.add(member)


def volume_name(bundle: str, number: int) -> str:
    """Give the name of a volume of several: `NAME.v001`."""
    return f"{bundle}.v{number:03d}"


def head_size(head: Head) -> int:
    """Give the bytes of the head files of each volume."""
    return sum(member.digest.size for member in head.members(len(head.manifest.volumes)))
