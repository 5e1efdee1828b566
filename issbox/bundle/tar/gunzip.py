"""Unpacks any gzip in bounded memory, however far it expands."""

import zlib
from typing import Final

from issbox.bundle.tar.headers import MAX_TRAILING_ZEROS
from issbox.errors import BundleDamagedError, BundleIncompleteError, OversizedError
from issbox.files import Readable

_MAGIC: Final = b"\x1f\x8b"
_WITH_GZIP_HEADER: Final = 16 + zlib.MAX_WBITS
_INPUT: Final = 64 << 10


def unpacked(source: Readable) -> Readable:
    """Give the bytes of a stream, unpacked when it begins as a gzip does; nothing is read before it is asked for."""
    return _Unpacked(source)


class Gunzip:
    """Gives what is in a gzip of one or several members (RFC 1952), checking the checksum and length of each.

    Zeros that fill up a tape's last block are passed over. Raises BundleDamagedError for anything that is no gzip,
    also behind the last member, and BundleIncompleteError when it ends too early.
    """

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._buffer = memoryview(bytearray(_INPUT))
        self._member = zlib.decompressobj(_WITH_GZIP_HEADER)
        self._packed = b""

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill the buffer and give the number of bytes, 0 at the end."""
        while True:
            packed = self._packed or self._read()
            if self._member.eof:
                if not packed.strip(b"\0"):
                    self._pass_zeros(len(packed))
                    return 0
                self._member = zlib.decompressobj(_WITH_GZIP_HEADER)
            part = self._inflate(packed, len(buffer))
            if part:
                buffer[: len(part)] = part
                return len(part)
            if not packed and not self._member.eof:
                raise BundleIncompleteError("the gzip stream ends too early")

    def _pass_zeros(self, count: int) -> None:
        """Read to the end, where nothing but zeros may be."""
        self._packed = b""
        while (more := self._read()) and count <= MAX_TRAILING_ZEROS:
            count += len(more)
            if more.strip(b"\0"):
                raise BundleDamagedError("there is something behind the end of the gzip stream")
        if count > MAX_TRAILING_ZEROS:
            raise OversizedError("the gzip stream does not end after its end")

    def _read(self) -> bytes:
        count = self._source.readinto(self._buffer) or 0
        return bytes(self._buffer[:count])

    def _inflate(self, packed: bytes, most: int) -> bytes:
        try:
            part = self._member.decompress(packed, most)
        except zlib.error as error:
            raise BundleDamagedError(f"the gzip stream is damaged: {error}") from None
        self._packed = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        return part


class _Unpacked:
    """Looks at the first two bytes when it is asked for the first time."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._chosen: Readable | None = None

    def readinto(self, buffer: memoryview, /) -> int | None:
        if self._chosen is None:
            head = _read_up_to(self._source, len(_MAGIC))
            again = _Again(head, self._source)
            self._chosen = Gunzip(again) if head == _MAGIC else again
        return self._chosen.readinto(buffer)


class _Again:
    """Gives bytes that have been read already once more, then the rest."""

    def __init__(self, head: bytes, rest: Readable) -> None:
        self._head = head
        self._rest = rest

    def readinto(self, buffer: memoryview, /) -> int | None:
        if not self._head:
            return self._rest.readinto(buffer)
        part, self._head = self._head[: len(buffer)], self._head[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def _read_up_to(source: Readable, size: int) -> bytes:
    found = memoryview(bytearray(size))
    filled = 0
    while filled < size and (count := source.readinto(found[filled:])):
        filled += count
    return bytes(found[:filled])
