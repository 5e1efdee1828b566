"""Files that belong together: written in a hidden directory, and shown beside it when all are whole."""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from re import Pattern
from typing import BinaryIO, Final, Self

from issbox.bundle.staged import hold_directory, os_errors, set_mode
from issbox.errors import AlreadyExistsError
from issbox.files import remove_tree, sync_directory

_MOVING: Final = "moving"
"""Holds the names that are being moved out, one a line, while that lasts: it is what a killed process leaves behind."""
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class StagedFiles:
    """Files in `parent/.NAME.part` until `finish`, then in `parent`.

    A context manager; leaving it without `finish` removes everything, and what a killed process left behind, moved
    out or not, is removed by the next one of the same name.
    """

    def __init__(self, parent: Path, name: str, own: Pattern[str]) -> None:
        """Take the name of the set and what the names of its files look like."""
        self._parent = parent
        self._what = parent / name
        self._staging = parent / f".{name}.part"
        self._own = own
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        """Make the directory; raises AlreadyExistsError, BusyError when another process writes it, NoSpaceError..."""
        with os_errors(self._what), ExitStack() as resources:
            with suppress(FileExistsError):
                self._staging.mkdir()
            hold_directory(self._staging, self._what, resources)
            self._remove_moved()
            try:
                self._refuse_existing()
            except AlreadyExistsError:
                remove_tree(self._staging)
                raise
            for leftover in self._staging.iterdir():
                remove_tree(leftover)
            set_mode(self._staging, 0o755)
            self._resources = resources.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        with self._resources, suppress(OSError):
            self._remove_moved()
            remove_tree(self._staging)

    def create(self, name: str) -> BinaryIO:
        """Open a new file for writing, with mode 0644; `close_durable` closes it."""
        path = self._staging / name
        out = os.fdopen(os.open(path, _NEW, 0o644), "wb")
        set_mode(path, 0o644)
        return out

    def write(self, name: str, data: bytes) -> None:
        """Write a small file."""
        with self.create(name) as out:
            out.write(data)
            close_durable(out)

    def finish(self, names: Iterable[str]) -> None:
        """Move the files out, in this order; all are there afterwards, or none.

        Raises AlreadyExistsError and what the disk says.
        """
        names = list(names)
        self._refuse_existing()
        self.write(_MOVING, "\n".join(names).encode())
        sync_directory(self._staging)
        for name in names:
            (self._staging / name).rename(self._parent / name)
        sync_directory(self._parent)
        (self._staging / _MOVING).unlink()

    def _refuse_existing(self) -> None:
        for name in self._visible():
            raise AlreadyExistsError(
                f"{self._parent / name} exists already", hint="Choose another place, or move the old bundle away."
            )

    def _visible(self) -> Iterator[str]:
        with os.scandir(self._parent) as found:
            yield from (entry.name for entry in found if self._own.fullmatch(entry.name))

    def _remove_moved(self) -> None:
        """Remove what has been moved out, unless the last one has been, too: then the set is whole."""
        try:
            names = (self._staging / _MOVING).read_text().splitlines()
        except FileNotFoundError:
            return
        if not names or not os.path.lexists(self._staging / names[-1]):
            return
        for name in names:
            if self._own.fullmatch(name) and not os.path.lexists(self._staging / name):
                (self._parent / name).unlink(missing_ok=True)


def close_durable(out: BinaryIO) -> None:
    """Have the file's bytes on the medium, then close it."""
    out.flush()
    os.fsync(out.fileno())
    out.close()
