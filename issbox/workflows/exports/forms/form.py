"""What the forms have in common: what they are asked, and what they are given to write."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Protocol

from issbox.bundle.head import Head, Layout, OpenEntry, volume_members
from issbox.bundle.members import Member
from issbox.bundle.signature import SigningKey
from issbox.files import Readable
from issbox.model import BundleForm
from issbox.progress import Progress


@dataclass(frozen=True, slots=True)
class Style:
    """How a bundle lies on its medium."""

    form: BundleForm = BundleForm.DIRECTORY
    volume_size: int | None = None
    """Bytes of a volume or chunk at most; None for a single one."""
    largest_file: int | None = None
    """Bytes of the largest file that the medium holds, for directories."""
    udf: bool = False
    """Whether images get UDF besides Rock Ridge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A bundle to be written."""

    name: str
    """What its volumes and chunks are called after."""
    head: Head
    open_entry: OpenEntry
    key: SigningKey
    kept: Path
    """Where the head is kept, and what else writing single volumes again needs."""
    progress: Progress
    only: frozenset[int] | None = None
    """Numbers of the volumes or chunks that are wanted; None for all."""

    def wants(self, number: int) -> bool:
        """Tell whether a volume or chunk is to be written."""
        return self.only is None or number in self.only

    def volumes(self) -> list[int]:
        """Give the numbers of the volumes to be written."""
        return [number for number in range(1, len(self.head.manifest.volumes) + 1) if self.wants(number)]

    def content(self, volume: int) -> Iterator[Member]:
        """Give the files of a volume besides the head files; each counts as done when it has been read."""
        for member in volume_members(self.head, volume, self.open_entry):
            yield Member(member.path, member.digest, partial(_Counted, member, self.progress))

    def advance(self, size: int) -> None:
        """Say that so many more bytes have been written."""
        self.progress.advance(size=size)


class _Counted:
    """An open file, which counts as done when it has been read without an error."""

    def __init__(self, member: Member, progress: Progress) -> None:
        self._source: AbstractContextManager[Readable] = member.open()
        self._progress = progress

    def __enter__(self) -> Readable:
        return self._source.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._source.__exit__(kind, error, traceback)
        if kind is None:
            self._progress.advance(files=1)


class Form(Protocol):
    """Writes bundles of one form."""

    layout: Layout

    def volume_sizes(self, head: Head) -> tuple[int, ...]:
        """Give the bytes of each volume or chunk on its medium.

        Raises what can be known before writing: InvalidValueError for names that the form cannot hold, and
        VolumeSizeError.
        """

    def total_size(self, head: Head) -> int:
        """Give the bytes that the whole bundle takes, counting what file systems round up."""

    def write(self, job: Job, final: Path) -> tuple[int, ...]:
        """Write the bundle, which appears at `final` whole or not at all, and give the bytes of each volume written.

        Announces the step `finish-bundle` when all content is written.
        """


def head_size(head: Head) -> int:
    """Give the bytes of the head files of each volume."""
    return sum(member.digest.size for member in head.members(len(head.manifest.volumes)))
