"""A gzip that compresses nothing: packages are compressed already, and trying again costs hours for nothing."""

import struct
from typing import Final

from issbox.files import Fillable, Writable

try:
    from isal.isal_zlib import crc32  # ten times as fast as zlib's
except ImportError:  # there are processors for which there is none
    from zlib import crc32

_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
"""RFC 1952: deflate, no flags, no time, the fastest level, an unknown operating system."""
_STORED: Final = struct.Struct("<BHH")
"""RFC 1951, 3.2.4: whether it is the last block (the type of a stored one is 0), its length, and that inverted."""
_TRAILER: Final = struct.Struct("<II")
_BLOCK: Final = 65_535
"""Bytes of the largest stored block."""
_WHOLE: Final = _STORED.size + _BLOCK
_TOGETHER: Final = 4
"""Blocks that are handed on at once where each piece costs whoever takes it a call."""


def stored_size(size: int) -> int:
    """Give the bytes that this many bytes become."""
    return len(_HEADER) + size + (size // _BLOCK + 1) * _STORED.size + _TRAILER.size


class StoredGzip(Fillable):
    """Writes what it is given to `out` as a gzip (RFC 1952) of stored deflate blocks, which every gunzip reads.

    The same bytes become the same gzip, however they are divided over calls of `write` and `fill`. When the memory of
    `out` can be filled, blocks are made there, and nothing is copied.
    """

    def __init__(self, out: Writable) -> None:
        self._out = out if isinstance(out, Fillable) else _Gathered(out)
        self._filled = 0
        """Bytes that are in the block."""
        self._crc = 0
        self._size = 0
        self._put(_HEADER)
        self._block = self._out.room(_WHOLE)

    def room(self, least: int = 1, /) -> memoryview:
        """Give what is left of the block that is being filled, of which nobody may ask more than one byte."""
        assert least == 1, "a stored block ends where it ends"
        return self._block[_STORED.size + self._filled : _WHOLE]

    def fill(self, count: int, /) -> None:
        """Take so many bytes that were put into `room`; raises what writing to `out` raises."""
        place = _STORED.size + self._filled
        self._crc = crc32(self._block[place : place + count], self._crc)
        self._size += count
        self._filled += count
        if self._filled == _BLOCK:
            self._end_block(last=False)
            self._block = self._out.room(_WHOLE)

    def finish(self) -> None:
        """Write what is left and the trailer; `out` stays open."""
        self._end_block(last=True)
        self._put(_TRAILER.pack(self._crc, self._size & 0xFFFFFFFF))
        if isinstance(self._out, _Gathered):
            self._out.flush()

    def _end_block(self, *, last: bool) -> None:
        _STORED.pack_into(self._block, 0, last, self._filled, self._filled ^ 0xFFFF)
        self._out.fill(_STORED.size + self._filled)
        self._filled = 0

    def _put(self, data: bytes) -> None:
        self._out.room(len(data))[: len(data)] = data
        self._out.fill(len(data))


class _Gathered(Fillable):
    """Lends memory to what has none to be filled, and writes several blocks at once to it."""

    def __init__(self, out: Writable) -> None:
        self._out = out
        self._memory = memoryview(bytearray(_TOGETHER * _WHOLE))
        self._filled = 0

    def room(self, least: int = 1, /) -> memoryview:
        if self._filled + least > len(self._memory):
            self.flush()
        return self._memory[self._filled :]

    def fill(self, count: int, /) -> None:
        self._filled += count

    def flush(self) -> None:
        self._out.write(self._memory[: self._filled])
        self._filled = 0
