"""Directories for unfinished files: locked while a process uses them, swept away when it has died."""

import os
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from uuid import uuid4

from issbox.errors import BusyError
from issbox.files import FileLock, error_from_os, remove_tree
from issbox.names import check_label

UNNAMED: Final = "unnamed-"
"""Beginning of the names that nobody asks for again."""
_PARTIAL: Final = ".part"


class Staging:
    """A directory `<root>/<name>/` of this process, with the lock `<root>/<name>.lock`."""

    def __init__(self, root: Path, name: str | None = None) -> None:
        """Choose a directory. A named one is found again by its name, after a crash too."""
        self.named = name is not None
        self.name = check_label(name, "name of a staging directory") if name is not None else UNNAMED + uuid4().hex
        self.path = root / self.name
        self._lock = FileLock(root / f"{self.name}.lock")

    def __enter__(self) -> Self:
        """Take the directory; raises BusyError when another process has it."""
        try:
            if not self._lock.try_acquire():
                raise BusyError(f"another process is working on {self.name}")
            self.path.mkdir(exist_ok=True)
        except OSError as error:
            self._lock.release()
            raise error_from_os(error) from error
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        """Remove what is left, except unfinished downloads (`*.part`) of a named directory."""
        try:
            _empty(self.path, keep_partial=self.named)
        finally:
            self._lock.remove()


def sweep(root: Path, *, downloads: bool = False) -> int:
    """Remove what dead processes left and give the bytes removed.

    Unfinished downloads of named directories stay, to be resumed, unless `downloads` says that they go too.
    """
    names = {entry.name.removesuffix(".lock") for entry in root.iterdir()}
    removed = 0
    for name in sorted(names):
        lock = FileLock(root / f"{name}.lock")
        if lock.try_acquire():
            removed += _empty(root / name, keep_partial=not (downloads or name.startswith(UNNAMED)))
            lock.remove()
    return removed


def _empty(directory: Path, *, keep_partial: bool) -> int:
    """Remove a staging directory, or all but the unfinished downloads in it; gives the bytes removed."""
    if directory.is_symlink() or not directory.is_dir():
        removed = _size(directory)
        remove_tree(directory)
        return removed
    removed, kept, found = 0, False, True
    while found:  # a list of names that is read while they are removed may leave some out
        found = False
        with os.scandir(directory) as entries:
            for entry in entries:
                if keep_partial and entry.name.endswith(_PARTIAL):
                    kept = True
                    continue
                found = True
                removed += _size(Path(entry.path))
                remove_tree(Path(entry.path))
    if not kept:
        directory.rmdir()
    return removed


def _size(path: Path) -> int:
    """Give the bytes of a file or of all files in a directory; 0 for what is not there."""
    if path.is_dir() and not path.is_symlink():
        with os.scandir(path) as entries:
            return sum(_size(Path(entry.path)) for entry in entries)
    return path.lstat().st_size if path.exists() or path.is_symlink() else 0
