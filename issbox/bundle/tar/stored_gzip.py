"""A gzip that compresses nothing: packages are compressed already, and trying again costs hours for nothing."""

import struct
import zlib
from typing import Final

from issbox.files import Writable

_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
"""RFC 1952: deflate, no flags, no time, the fastest level, an unknown operating system."""
_STORED: Final = struct.Struct("<BHH")
"""RFC 1951, 3.2.4: whether it is the last block (the type of a stored one is 0), its length, and that inverted."""
_TRAILER: Final = struct.Struct("<II")
_BLOCK: Final = 65_535
"""Bytes of the largest stored block."""
_TOGETHER: Final = 4
"""Blocks that are handed on at once: each piece costs whoever takes it a call."""


def stored_size(size: int) -> int:
    """Give the bytes that this many bytes become."""
    return len(_HEADER) + size + (size // _BLOCK + 1) * _STORED.size + _TRAILER.size


class StoredGzip:
    """Writes what it is given to `out` as a gzip (RFC 1952) of stored deflate blocks, which every gunzip reads.

    The same bytes become the same gzip, however they are divided over calls of `write`.
    """

    def __init__(self, out: Writable) -> None:
        self._out = out
        self._blocks = memoryview(bytearray(_TOGETHER * (_STORED.size + _BLOCK)))
        self._start = 0
        """Where in these the block begins that is being filled."""
        self._filled = 0
        self._crc = 0
        self._size = 0
        out.write(memoryview(_HEADER))

    def write(self, data: memoryview, /) -> None:
        """Take all of the data; raises what writing to `out` raises."""
        self._crc = zlib.crc32(data, self._crc)
        self._size += len(data)
        while len(data):
            part = data[: _BLOCK - self._filled]
            place = self._start + _STORED.size + self._filled
            self._blocks[place : place + len(part)] = part
            self._filled += len(part)
            data = data[len(part) :]
            if self._filled == _BLOCK:
                self._end_block(last=False)
                if self._start == len(self._blocks):
                    self._flush()

    def finish(self) -> None:
        """Write what is left and the trailer; `out` stays open."""
        self._end_block(last=True)
        self._flush()
        self._out.write(memoryview(_TRAILER.pack(self._crc, self._size & 0xFFFFFFFF)))

    def _end_block(self, *, last: bool) -> None:
        _STORED.pack_into(self._blocks, self._start, last, self._filled, self._filled ^ 0xFFFF)
        self._start += _STORED.size + self._filled
        self._filled = 0

    def _flush(self) -> None:
        self._out.write(self._blocks[: self._start])
        self._start = 0
