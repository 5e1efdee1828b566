"""Having bytes on the medium: syncing, and sending them there before the sync so that it finds little left to do."""

import ctypes
import errno
import os
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

_WRITEBACK_FROM = 256 << 10
"""Bytes of a file from which starting to write it to disk at once is worth a system call."""
_STRETCH = 16 << 20
"""Bytes of a large file after which the disk is told to go on with them."""
_WHOLE = 1 << 20
"""Stretches end at multiples of this: writing to a page that is on its way to the disk waits until it is there."""
_WINDOW = 64 << 20
"""Bytes that writing may be ahead of the disk: enough to keep it busy, and no more memory than that."""
_SYNC_FILE_RANGE_WRITE = 2
_SYNC_FILE_RANGE_WRITE_AND_WAIT = 7
_WRITE_FAILED = {errno.EIO, errno.ENOSPC, errno.EDQUOT}


def start_writeback(descriptor: int, size: int, offset: int = 0) -> None:
    """Let the kernel begin to write bytes of a file to disk, without waiting (Linux sync_file_range(2)).

    The sync that makes them durable then finds little left to do. It is no more than a hint: file systems that do not
    know it are left alone, and so are a few bytes.
    """
    if size >= _WRITEBACK_FROM:
        _sync_range(descriptor, offset, size, _SYNC_FILE_RANGE_WRITE)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Bytes under way to the disk."""

    descriptor: int
    """Open for this stretch alone."""
    offset: int
    size: int
    path: str
    ends: bool
    """Whether the file is complete with it, and is to be synced."""


class Writeback:
    """Sends what was written to the disk while more is written, and gives back the memory it took.

    Left alone, the kernel keeps what was written until memory is short: a large copy drives out what others need, and
    seems quick until its last sync. Memory used over and over also stays warm: in a virtual machine the first touch
    of a fresh page costs more than the copy. May be used by several threads; leaving the with-block forgets what is
    under way.
    """

    def __init__(self, window: int = _WINDOW) -> None:
        """Choose how many bytes the disk may be behind."""
        self._window = window
        self._lock = threading.Lock()
        self._behind: deque[_Stretch] = deque()
        self._size = 0

    def follow(self, descriptor: int, size: int, path: str, *, offset: int = 0, ends: bool = False) -> None:
        """Take so many bytes of an open file from `offset`; waits while the disk is too far behind.

        A small file is left to whoever syncs in the end, unless it `ends`: then it is synced in its turn. Raises
        OSError, naming the path, when an earlier stretch could not be written.
        """
        if size < _WRITEBACK_FROM and not ends:
            return
        start_writeback(descriptor, size, offset)
        with self._lock:
            self._behind.append(_Stretch(os.dup(descriptor), offset, size, path, ends))
            self._size += size
        self._await(self._window)

    def finish(self) -> None:
        """Wait for everything that is under way: files that ended are durable then. Raises what `follow` raises."""
        self._await(-1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while (oldest := self._pop(-1)) is not None:
            os.close(oldest.descriptor)

    def _await(self, window: int) -> None:
        while (oldest := self._pop(window)) is not None:
            try:
                _await_and_forget(oldest)
            finally:
                os.close(oldest.descriptor)

    def _pop(self, window: int) -> _Stretch | None:
        with self._lock:
            if self._size <= window or not self._behind:
                return None
            oldest = self._behind.popleft()
            self._size -= oldest.size
            return oldest


class DurableFile:
    """A file that is written from its beginning to its end, on its way to the disk all the time.

    It is durable when the `Writeback` that it was made with has finished. For one thread.
    """

    def __init__(self, descriptor: int, path: str, behind: Writeback) -> None:
        """Take an empty file that is open for writing, to be closed here, and what messages call it."""
        self._descriptor: int | None = descriptor
        self._path = path
        self._behind = behind
        self._followed = 0
        self.size = 0
        """Bytes written so far."""

    def write(self, data: memoryview, /) -> None:
        """Write all of the data; raises OSError, also for what was written before."""
        assert self._descriptor is not None, "a file that was closed is written to no more"
        while len(data):
            count = os.write(self._descriptor, data)
            data = data[count:]
            self.size += count
        if self.size - self._followed >= _STRETCH:
            self._follow(self._descriptor, ends=False)

    def finish(self) -> None:
        """Close the file when all of it has been written; raises what `write` raises."""
        if self._descriptor is not None:
            try:
                self._follow(self._descriptor, ends=True)
            finally:
                self.close()

    def close(self) -> None:
        """Close the file, whatever became of it."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _follow(self, descriptor: int, *, ends: bool) -> None:
        start, end = self._followed, self.size if ends else self.size - self.size % _WHOLE
        self._behind.follow(descriptor, end - start, self._path, offset=start, ends=ends)
        self._followed = end

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Finish the file, or only close it after an error."""
        if kind is None:
            self.finish()
        else:
            self.close()


def _await_and_forget(stretch: _Stretch) -> None:
    if stretch.ends:
        try:
            os.fsync(stretch.descriptor)
        except OSError as error:
            error.filename = stretch.path
            raise
    elif _sync_range(stretch.descriptor, stretch.offset, stretch.size, _SYNC_FILE_RANGE_WRITE_AND_WAIT) != 0:
        number = ctypes.get_errno()
        if number in _WRITE_FAILED:
            raise OSError(number, os.strerror(number), stretch.path)
    with suppress(OSError):  # only advice
        os.posix_fadvise(stretch.descriptor, stretch.offset, stretch.size, os.POSIX_FADV_DONTNEED)


def _sync_range(descriptor: int, offset: int, size: int, flags: int) -> int:
    return int(_libc().sync_file_range(descriptor, ctypes.c_longlong(offset), ctypes.c_longlong(size), flags))


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def sync_directory(path: Path) -> None:
    """Make renames and new names in a directory durable; file systems that cannot do it are left alone."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sync_filesystem(path: Path) -> None:
    """Make everything written to the file system of path durable, in one call (Linux syncfs(2))."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _libc().syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(path))
    finally:
        os.close(descriptor)
