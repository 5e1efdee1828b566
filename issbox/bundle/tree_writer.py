"""Writes the files of a bundle, or of one of its volumes, as a directory tree."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

from issbox.bundle.clashes import with_ancestors
from issbox.bundle.members import Member, copy_member
from issbox.bundle.staged import create_file, os_errors, set_mode
from issbox.errors import NameClashError
from issbox.files import write_all
from issbox.names import check_relative_path
from issbox.syncing import Writeback


class TreeWriter:
    """Files below a directory that is there already. May be used by several threads.

    A context manager: leaving it gives back what following the files to the disk took.
    """

    def __init__(self, root: Path, shown: Path) -> None:
        """Take the directory, and the name by which messages call it."""
        self._root = root
        self._shown = shown
        self._lock = threading.Lock()
        self._directories: set[str] = set()
        self._behind = Writeback()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._behind.__exit__()

    def add(self, member: Member, advance: Callable[[int], None] | None = None) -> None:
        """Copy a file to its path, comparing it with its digest on the way.

        Raises UnsafePathError, NameClashError when the path is taken on this file system, DigestMismatchError when
        the source is not what it must be, and NoSpaceError. A file that failed is removed.
        """
        with os_errors(self._shown):
            self._make_directories(check_relative_path(member.path).rpartition("/")[0])
            with self._create(member.path) as out:
                copy_member(member, out, advance=advance)
                self._behind.follow(out.descriptor, member.digest.size, f"{self._shown}/{member.path}")

    def _make_directories(self, directory: str) -> None:
        if directory in self._directories:
            return
        with self._lock:
            for ancestor in reversed([*with_ancestors(directory)]):
                if ancestor in self._directories:
                    continue
                try:
                    (self._root / ancestor).mkdir()
                except FileExistsError:
                    raise _clash(ancestor) from None
                set_mode(self._root / ancestor, 0o755)
                self._directories.add(ancestor)

    def _create(self, path: str) -> "_NewFile":
        try:
            return _NewFile(f"{self._root}/{path}")  # a Path takes longer to make than a file
        except FileExistsError:
            raise _clash(path) from None


class _NewFile:
    """A file in the making, gone when the with-block fails. Raises OSError."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.descriptor = create_file(path)

    def write(self, data: memoryview, /) -> None:
        write_all(self.descriptor, data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            os.close(self.descriptor)
        finally:
            if kind is not None:
                Path(self._path).unlink(missing_ok=True)


def _clash(path: str) -> NameClashError:
    return NameClashError(f"the path {path!r} is taken already, perhaps in other upper and lower case")
