"""The ways to touch a disk: atomic write, copy-and-digest in one pass, safe join under a root, and locks."""

import errno
import fcntl
import hashlib
import os
import pwd
import shutil
import stat
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Final, Protocol, Self
from uuid import uuid4

from issbox.errors import (
    BusyError,
    InvalidValueError,
    IssboxError,
    NoSpaceError,
    NotFoundError,
    OperatingSystemError,
    PermissionDeniedError,
)
from issbox.names import check_relative_path, format_size
from issbox.syncing import sync_directory
from issbox.unlinking import unlink_files

BLOCK = 256 << 10
"""Bytes read and written at once: it fits the processor's cache, and the kernel takes several times as long to find
room for writes of 1 MiB."""

_ABSENT: Final = "Look whether the path is spelled right and its directory is there, then run the command again."
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}


class Readable(Protocol):
    """Anything that fills a buffer."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill the buffer and give the number of bytes, 0 at the end."""


class Writable(Protocol):
    """Anything that takes all bytes it is given."""

    def write(self, data: memoryview, /) -> object:
        """Write all of the data."""


def write_all(descriptor: int, data: memoryview) -> None:
    """Write all of the data to an open file; raises OSError, which names no file."""
    while len(data):
        data = data[os.write(descriptor, data) :]


class NamedWriter:
    """Writes all it is given to an open file, without a buffer; what goes wrong names the file.

    The system does not say it, and the source of a copy may fail as well.
    """

    def __init__(self, descriptor: int, path: str) -> None:
        self._descriptor = descriptor
        self._path = path

    def write(self, data: memoryview, /) -> None:
        """Write all of the data; raises OSError."""
        try:
            write_all(self._descriptor, data)
        except OSError as error:
            error.filename = self._path
            raise


class Fillable(ABC):
    """Something writable that lends memory of its own to be filled, which saves copying."""

    @abstractmethod
    def room(self) -> memoryview:
        """Give memory to be filled from its beginning, some at least; good until the next call of anything.

        Raises what writing raises.
        """

    @abstractmethod
    def fill(self, count: int, /) -> None:
        """Take the first `count` bytes of `room` as written; raises what writing raises."""

    def write(self, data: memoryview, /) -> None:
        """Take all of the data, which may be used again at once; raises what writing raises."""
        while len(data):
            room = self.room()
            part, data = data[: len(room)], data[len(room) :]
            room[: len(part)] = part
            self.fill(len(part))


@dataclass(frozen=True, slots=True)
class Digest:
    """Size and SHA-256 of bytes that went by."""

    size: int
    sha256: str


def error_from_os(error: OSError) -> IssboxError:
    """Translate an operating system's error into one a front end can show, naming the path."""
    where = f"{os.fsdecode(error.filename)}: " if error.filename is not None else ""
    message = f"{where}{error.strerror or error}"
    if error.errno in _NO_SPACE:
        return NoSpaceError(message)
    if error.errno in _NOT_ALLOWED:
        whose = f" (to the account {_account()})" if error.errno != errno.EROFS else ""
        return PermissionDeniedError(message + whose)
    if error.errno == errno.ENOENT:
        return OperatingSystemError(message, hint=_ABSENT)
    return OperatingSystemError(message)


def error_from_input(error: OSError) -> IssboxError:
    """Translate the same for a file that a person named: one that is not there is not found."""
    if error.errno in {errno.ENOENT, errno.ENOTDIR} and error.filename is not None:
        return NotFoundError(f"there is no file {os.fsdecode(error.filename)}", hint="Check the path.")
    return error_from_os(error)


def require_path(path: Path) -> None:
    """Raise NotFoundError when nothing lies at a path that a person named, such as that of a bundle."""
    if not path.exists():
        raise NotFoundError(f"there is nothing at {path}", hint="Check the path; is the medium mounted?")


def _account() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # an account without a name, as in a container
        return f"with the number {os.geteuid()}"


def safe_join(root: Path, relative: str) -> Path:
    """Join a path from outside below root; raises UnsafePathError when it is absolute or leaves root."""
    return root / check_relative_path(relative)


@contextmanager
def atomic_write(destination: Path, *, mode: int = 0o644) -> Iterator[BinaryIO]:
    """Open a file that appears under its name whole and durable, or not at all.

    Raises OSError as the operating system does. The mode is set before any byte is written.
    """
    temporary = destination.with_name(f".{destination.name[:200]}.{uuid4().hex[:12]}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as out:
            os.fchmod(out.fileno(), mode)
            yield out
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(destination)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(destination.parent)


class _Buffers(threading.local):
    """A block of memory for each thread: making and clearing one costs more than copying a small file."""

    def __init__(self) -> None:
        self.free: list[memoryview] = []


_buffers = _Buffers()


class _Through:
    """Lends memory of its own to what has none to be filled; a context manager that gives it back."""

    def __init__(self, out: Writable | None) -> None:
        self._out = out
        self._buffer = _buffers.free.pop() if _buffers.free else memoryview(bytearray(BLOCK))

    def room(self) -> memoryview:
        return self._buffer

    def fill(self, count: int) -> None:
        if self._out is not None:
            self._out.write(self._buffer[:count])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _buffers.free.append(self._buffer)


def copy_and_digest(
    source: Readable,
    out: Writable | None,
    *,
    advance: Callable[[int], None] | None = None,
    limit: int | None = None,
) -> Digest:
    """Copy to the end and digest in the same pass; without `out`, only digest.

    Stops one block after `limit` bytes, so that a source that never ends cannot fill the disk: compare the size.
    """
    digest = hashlib.sha256()
    size = 0
    with nullcontext(out) if isinstance(out, Fillable) else _Through(out) as place:
        while count := source.readinto(room := place.room()):
            digest.update(room[:count])
            place.fill(count)
            size += count
            if advance is not None:
                advance(count)
            if limit is not None and size > limit:
                break
    return Digest(size, digest.hexdigest())


def open_regular(path: Path | str) -> FileIO:
    """Open a regular file for reading without following a link or waiting for a pipe.

    Unbuffered. Raises OSError; a link, device or pipe gives InvalidValueError.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise InvalidValueError(f"{path} is a symbolic link") from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InvalidValueError(f"{path} is not a regular file")
    return FileIO(descriptor, "rb")


def digest_file(path: Path) -> Digest:
    """Give size and SHA-256 of a regular file."""
    with open_regular(path) as source:
        return copy_and_digest(source, None)


def remove_tree(path: Path) -> None:
    """Remove a directory tree, a file, a link or a pipe, if it is there; read-only directories are no obstacle.

    Raises OSError, also for directories that are nested deeper than Python can follow.
    """
    if path.is_symlink() or not path.is_dir():  # rmtree would open a pipe, and wait for ever
        path.unlink(missing_ok=True)
        return

    def make_writable(function: Callable[[str], object], name: str, _: object) -> None:
        parent = Path(name).parent
        parent.chmod(parent.stat().st_mode | stat.S_IRWXU)
        if not Path(name).is_symlink():
            Path(name).chmod(0o700)
        function(name)

    if path.exists():
        try:
            unlink_files(path)  # rmtree lists what is in a directory before it removes any of it
            shutil.rmtree(path, onerror=make_writable)
        except RecursionError:
            raise OSError(errno.ENAMETOOLONG, "its directories are nested too deeply", str(path)) from None


def free_space(path: Path) -> int:
    """Give the bytes that are free for this user in the file system of path."""
    status = os.statvfs(path)
    return status.f_bavail * status.f_frsize


def require_space(path: Path, needed: int, what: str) -> None:
    """Raise NoSpaceError when the file system of path has fewer than `needed` bytes free for this user."""
    free = free_space(path)
    if free < needed:
        raise NoSpaceError(f"{what} needs {format_size(needed)} in {path}, but only {format_size(free)} are free")


class FileLock:
    """A lock between processes that ends with the process, however it ends (flock(2))."""

    def __init__(self, path: Path, *, shared: bool = False, busy: str = "", hint: str | None = None) -> None:
        """Name the lock's file. `busy` and `hint` are those of the BusyError raised when another process holds it."""
        self._path = path
        self._operation = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        self._busy, self._hint = busy or f"another process holds {path}", hint
        self._descriptor: int | None = None

    def try_acquire(self) -> bool:
        """Take the lock if it is free and say whether it was."""
        while True:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, self._operation | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return False
            if self._names(descriptor):
                self._descriptor = descriptor
                return True
            os.close(descriptor)  # the file was removed while this process waited to lock it

    def _names(self, descriptor: int) -> bool:
        """Tell whether the path still leads to this open file."""
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except FileNotFoundError:
            return False

    def remove(self) -> None:
        """Remove the lock's file and give the lock back; for locks that nobody will ask for again."""
        self._path.unlink(missing_ok=True)
        self.release()

    def release(self) -> None:
        """Give the lock back; the file stays, since others may be about to lock it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        if not self.try_acquire():
            raise BusyError(self._busy, hint=self._hint)
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
