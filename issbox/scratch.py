"""Bytes that memory shall not hold, in a file that nobody else sees and that goes away by itself."""

import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from issbox.errors import IssboxError
from issbox.files import error_from_os, write_all

_TOGETHER: Final = 64 << 10
"""Bytes that are collected before they are written."""


class ScratchFile:
    """A file without a name, closed with the last reference to it.

    One thread may write to its end while any number of them read.
    """

    def __init__(self, directory: Path | None = None) -> None:
        """Take the directory whose disk holds it: the system's temporary one by default; raises what the disk says."""
        self._where = os.fspath(directory or tempfile.gettempdir())
        try:
            with tempfile.TemporaryFile(prefix="scratch-", dir=directory, buffering=0) as file:
                self._descriptor = os.dup(file.fileno())
        except OSError as error:
            raise self._translated(error) from error
        weakref.finalize(self, os.close, self._descriptor)
        self.size = 0
        """Bytes written so far."""

    def write(self, data: bytes | memoryview, /) -> None:
        """Write all of the data to the end; raises what the disk says."""
        try:
            write_all(self._descriptor, memoryview(data))
        except OSError as error:
            raise self._translated(error) from error
        self.size += len(data)

    def add(self, parts: Iterable[bytes]) -> range:
        """Write many small parts to the end and give the range of them; raises what the disk says."""
        start, together = self.size, bytearray()
        for part in parts:
            together += part
            if len(together) >= _TOGETHER:
                self.write(bytes(together))
                together.clear()
        self.write(bytes(together))
        return range(start, self.size)

    def read(self, offset: int, size: int) -> bytes:
        """Give so many bytes from a place, fewer only at the end; raises what the disk says."""
        try:
            return os.pread(self._descriptor, size, offset)
        except OSError as error:
            raise self._translated(error) from error

    def blocks(self, part: range, size: int) -> Iterator[bytes]:
        """Give the bytes of a range, so many at a time."""
        return (self.read(place, min(size, part.stop - place)) for place in part[::size])

    def _translated(self, error: OSError) -> IssboxError:
        error.filename = self._where  # the system does not say which disk it is, and it is not that of the input
        return error_from_os(error)
