"""Walks and opens what lies below a directory without following a link, opening a device or waiting for a pipe.

Every step goes from an open directory to a name in it, so that nobody can put a link in between.
"""

import errno
import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from issbox.errors import BundleIncompleteError, NotABundleError, OversizedError, UnsafeFileError, UnsafePathError
from issbox.files import BLOCK, error_from_os
from issbox.names import MAX_PATH_BYTES, format_size
from issbox.sorting import sorted_on_disk

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFBLK: "a block device",
    stat.S_IFCHR: "a character device",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a directory",
}
_Found = tuple[str, int | None]
"""What is in a directory: a path, and the bytes of a file; None for a directory."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A regular file found below a root."""

    path: str
    """Relative to the root."""
    size: int


class _Handle:
    """An open directory, closed with the last reference to it."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __del__(self) -> None:
        os.close(self.descriptor)


class Opener(threading.local):
    """Opens files below a root. Each thread keeps the directory it opened last, since the next file is often in it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._directory = ""
        self._handle: _Handle | None = None

    def open(self, path: str) -> FileIO:
        """Open a regular file for reading, unbuffered.

        Raises BundleIncompleteError when it is not there, UnsafeFileError when it, or a directory on the way, is a
        link or anything else than it should be, and the translation of any other OSError. `path` must be a safe one.
        """
        directory, _, name = path.rpartition("/")
        with translated(self._root, path):
            if self._handle is None or directory != self._directory:
                self._handle = None
                self._handle = _Handle(_open_directory(self._root, directory))
                self._directory = directory
            return _open_regular(self._handle.descriptor, name, path)


def _open_regular(parent: int, name: str, path: str) -> FileIO:
    # Looking first keeps a device from being opened at all; looking again, from being put there in between.
    mode = os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
    if not stat.S_ISREG(mode):
        raise _unsafe(path, mode)
    descriptor = os.open(name, _FILE, dir_fd=parent)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise _unsafe(path, mode)
    return os.fdopen(descriptor, "rb", buffering=0)


@contextmanager
def reading(root: Path, path: str) -> Iterator[FileIO]:
    """Open a file as `Opener` does, and translate what goes wrong while reading, too."""
    with translated(root, path), Opener(root).open(path) as source:
        yield source


def read_bounded(root: Path, path: str, limit: int) -> bytes:
    """Give the bytes of a small file, opened as `Opener` does; raises OversizedError above the limit."""
    parts: list[bytes] = []
    left = limit + 1
    with reading(root, path) as source:
        while left and (part := source.read(min(left, BLOCK))):
            parts.append(part)
            left -= len(part)
    if not left:
        raise OversizedError(
            f"{path!r} is larger than {format_size(limit)}",
            hint="No exporter writes so large a file of this kind: find out where it comes from.",
        )
    return b"".join(parts)


def walk(
    root: Path, passed_over: Callable[[str], bool] = lambda _: False, *, scratch: Path | None = None
) -> Iterator[FoundFile]:
    """Give every file below root, in the order of their paths and in flat memory.

    Directories of the root whose names are to be passed over are not looked into: they may be closed to us. The names
    in large directories go to a file in `scratch`, by default the system's temporary directory. Raises UnsafeFileError
    at the first link, device, pipe or socket, and UnsafePathError for a path too long for any bundle.
    """
    found: Iterator[_Found] = (
        each for each in _scan(root, "", scratch) if each[1] is not None or not passed_over(each[0])
    )
    above: list[Iterator[_Found]] = []
    while True:
        for path, size in found:
            if size is None:
                above.append(found)
                found = _scan(root, path, scratch)
                break
            yield FoundFile(path, size)
        else:
            if not above:
                return
            found = above.pop()


def _scan(root: Path, directory: str, scratch: Path | None) -> Iterator[_Found]:
    """Give what is in a directory, in the order of the paths of files."""
    prefix = f"{directory}/" if directory else ""
    if len(os.fsencode(prefix)) > MAX_PATH_BYTES:
        raise UnsafePathError(f"the directory {directory[:200]!r}... has a path longer than any in a bundle")
    return sorted_on_disk(_listed(root, directory, prefix), _order, encode=_encode, decode=_decode, scratch=scratch)


def _listed(root: Path, directory: str, prefix: str) -> Iterator[_Found]:
    with translated(root, directory or "."):
        handle = _Handle(_open_directory(root, directory))
    with translated(root, directory or "."), os.scandir(handle.descriptor) as found:
        for entry in found:
            path = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                yield path, None
                continue
            status = entry.stat(follow_symlinks=False)
            if not stat.S_ISREG(status.st_mode):
                raise _unsafe(path, status.st_mode)
            yield path, status.st_size


def _order(found: _Found) -> str:
    # With its slash, a directory stands where the paths below it stand among all paths.
    path, size = found
    return path if size is not None else f"{path}/"


def _encode(found: _Found) -> bytes:
    path, size = found
    return b"%d %s" % (-1 if size is None else size, os.fsencode(path))


def _decode(data: bytes) -> _Found:
    size, _, path = data.partition(b" ")
    return os.fsdecode(path), None if size == b"-1" else int(size)


def _open_directory(root: Path, directory: str) -> int:
    descriptor = _open_root(root)
    for name in directory.split("/") if directory else ():
        outer = descriptor
        try:
            descriptor = os.open(name, _DIRECTORY, dir_fd=outer)
        finally:
            os.close(outer)
    return descriptor


def _open_root(root: Path) -> int:
    try:
        return os.open(root, _DIRECTORY)
    except OSError as error:
        if error.errno in {errno.ENOTDIR, errno.ELOOP, errno.ENOENT}:
            what = "is a link" if root.is_symlink() else "is not a directory" if root.exists() else "does not exist"
            raise NotABundleError(f"{root} {what}") from None
        raise


@contextmanager
def translated(root: Path, path: str) -> Iterator[None]:
    """Turn what the operating system says about a file of a bundle into the error that fits.

    Everything of a bundle is opened from a directory, so an error that has a whole path is about something else.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error.filename, str) and error.filename.startswith("/"):  # where the bytes go, for example
            raise error_from_os(error) from None
        if error.errno == errno.ENOENT:
            raise BundleIncompleteError(f"the file {path!r} is missing") from None
        if error.errno in {errno.ELOOP, errno.ENOTDIR, errno.ENXIO}:
            raise UnsafeFileError(f"{path!r} is a link or lies behind one, or is no regular file") from None
        error.filename = str(root / path)
        raise error_from_os(error) from None


def _unsafe(path: str, mode: int) -> UnsafeFileError:
    kind = _KINDS.get(stat.S_IFMT(mode), "neither a file nor a directory")
    return UnsafeFileError(f"{path!r} is {kind}; a bundle holds only files and directories")
