"""The files of one volume, wherever they lie: what every form of a volume must be able to give."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from io import FileIO
from pathlib import Path
from typing import Protocol

from issbox.bundle.foreign import is_foreign
from issbox.bundle.tree import FoundFile, Opener, translated, walk
from issbox.files import Readable


class VolumeFiles(Protocol):
    """Finds and opens the files of a volume. May be used by several threads.

    Paths given to it must be safe ones.
    """

    @property
    def path(self) -> Path:
        """Give where the volume lies: a directory, an image or a device."""

    def open(self, path: str) -> AbstractContextManager[Readable]:
        """Open a regular file for reading, without following a link.

        Raises BundleIncompleteError when it is not there, UnsafeFileError when it is anything else than a regular
        file, and what reading says in the words of issbox.
        """

    def walk(self) -> Iterator[FoundFile]:
        """Give every file, sorted by path; raises UnsafeFileError for what is neither file nor directory."""

    def has(self, path: str) -> bool:
        """Tell whether anything lies there."""


class _Named:
    """Reads a file, and names it when it cannot be read: whoever copies it knows no more than where it goes."""

    def __init__(self, source: FileIO, path: str) -> None:
        self._source = source
        self._path = path

    def readinto(self, buffer: memoryview, /) -> int | None:
        try:
            return self._source.readinto(buffer)
        except OSError as error:
            error.filename = self._path
            raise


class DirectoryFiles:
    """The files of a volume that is a directory.

    Keeps no file open, only a directory for each thread that opened a file, until the thread or this is gone.
    """

    def __init__(self, path: Path, scratch: Path | None = None) -> None:
        """Take the directory, looked at only when something is asked, and one for what memory shall not hold."""
        self.path = path
        self._scratch = scratch
        self._opener = Opener(path)

    @contextmanager
    def open(self, path: str) -> Iterator[Readable]:
        """Open a file."""
        with translated(self.path, path), self._opener.open(path) as source:
            yield _Named(source, str(self.path / path))

    def walk(self) -> Iterator[FoundFile]:
        """Give every file, but none of a directory that a system makes at the root of a disk."""
        return walk(self.path, is_foreign, scratch=self._scratch)

    def has(self, path: str) -> bool:
        """Tell whether anything lies there."""
        return (self.path / path).exists() or (self.path / path).is_symlink()
