"""A file in memory that keeps only the sectors in which something other than zeros was written."""

import io
import os
from collections.abc import Iterator

SECTOR = 2048
"""Bytes of a sector, the unit of everything in an image (ECMA-119 6.1.2)."""
_ZEROS = bytes(SECTOR)


class SectorMap(io.RawIOBase):
    """Takes what is written anywhere in an image, in the memory of what is written and not of its size."""

    def __init__(self) -> None:
        super().__init__()
        self._sectors: dict[int, bytearray] = {}
        self._position = 0
        self._end = 0

    def writable(self) -> bool:
        """Say that it takes bytes."""
        return True

    def seekable(self) -> bool:
        """Say that it takes them in any order."""
        return True

    def tell(self) -> int:
        """Give the position of the next write."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._end}[whence]
        self._position = base + offset
        return self._position

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override] # no other buffers come
        """Take the bytes; zeros where nothing was written before take no memory."""
        view = memoryview(data)
        taken = 0
        while taken < len(view):
            number, offset = divmod(self._position, SECTOR)
            part = view[taken : taken + SECTOR - offset]
            sector = self._sectors.get(number)
            if sector is None and any(part):
                sector = self._sectors[number] = bytearray(SECTOR)
            if sector is not None:
                sector[offset : offset + len(part)] = part
            taken += len(part)
            self._position += len(part)
        self._end = max(self._end, self._position)
        return taken

    def take(self, first: int, end: int) -> Iterator[bytes | bytearray]:
        """Give the sectors from `first` up to, not including, `end`, and forget them."""
        for number in range(first, end):
            yield self._sectors.pop(number, _ZEROS)
