"""What a volume carries, one by one: whole files, and parts of files that are larger than a volume."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from issbox.files import Digest, Readable
from issbox.manifest import FileEntry


@dataclass(frozen=True, slots=True)
class Piece:
    """A carried file, or a part of one, as it lies in a volume."""

    entry: FileEntry
    part: int | None
    """Number of the part, from 1; None for the whole file."""
    path: str
    """Where it lies in the volume."""
    digest: Digest
    """What its bytes must be."""
    open: Callable[[], AbstractContextManager[Readable]]

    @property
    def offset(self) -> int:
        """Give where in the file its bytes begin."""
        return sum(each.size for each in self.entry.parts[: (self.part or 1) - 1])
