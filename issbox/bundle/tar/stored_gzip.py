"""A gzip that compresses nothing: packages are compressed already, and trying again costs hours for nothing."""

import struct
from typing import Final

from issbox.files import Writable

try:
    # Ten times as fast as zlib's, and done with the upper halves of vector registers when it returns: that of ISA-L is
    # not, after which OpenSSL's SHA-256 is a third slower in the same thread.
    from zlib_ng.zlib_ng import crc32
except ImportError:  # there are processors for which there is none
    from zlib import crc32

_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
"""RFC 1952: deflate, no flags, no time, the fastest level, an unknown operating system."""
_STORED: Final = struct.Struct("<BHH")
"""RFC 1951, 3.2.4: whether it is the last block (the type of a stored one is 0), its length, and that inverted."""
_TRAILER: Final = struct.Struct("<II")
_BLOCK: Final = 65_535
"""Bytes of the largest stored block."""


def stored_size(size: int) -> int:
    """Give the bytes that this many bytes become."""
    return len(_HEADER) + size + (size // _BLOCK + 1) * _STORED.size + _TRAILER.size


class StoredGzip:
    """Writes what it is given to `out` as a gzip (RFC 1952) of stored deflate blocks, which every gunzip reads.

    The same bytes become the same gzip, however they are divided over calls of `write`. All blocks but the last one
    have the same length, so what is less than a block waits here for more.
    """

    def __init__(self, out: Writable) -> None:
        self._out = out
        self._block = memoryview(bytearray(_BLOCK))
        self._waiting = 0
        """Bytes in the block."""
        self._crc = 0
        self._size = 0
        self._out.write(memoryview(_HEADER))

    def write(self, data: memoryview, /) -> None:
        """Take all of the data, which may be used again at once; raises what writing to `out` raises."""
        self._crc = crc32(data, self._crc)
        self._size += len(data)
        while len(data):
            if len(data) >= _BLOCK and not self._waiting:
                self._put(data[:_BLOCK])
                data = data[_BLOCK:]
                continue
            part = data[: _BLOCK - self._waiting]
            self._block[self._waiting : self._waiting + len(part)] = part
            self._waiting += len(part)
            data = data[len(part) :]
            if self._waiting == _BLOCK:
                self._put(self._block)
                self._waiting = 0

    def finish(self) -> None:
        """Write what is left and the trailer; `out` stays open."""
        self._put(self._block[: self._waiting], last=True)
        self._out.write(memoryview(_TRAILER.pack(self._crc, self._size & 0xFFFFFFFF)))

    def _put(self, block: memoryview, *, last: bool = False) -> None:
        self._out.write(memoryview(_STORED.pack(last, len(block), len(block) ^ 0xFFFF)))
        self._out.write(block)
