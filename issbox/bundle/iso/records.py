"""Reads the directory records of ISO 9660 (ECMA-119 9.1).

Nothing in the bytes is believed: every length, and every number that is stored in both byte orders, is checked.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from issbox.errors import BundleDamagedError

_RECORD = struct.Struct("<BB I4s I4s 7x B BB 4x B")
_DIRECTORY, _ASSOCIATED, _MORE = 0x02, 0x04, 0x80


@dataclass(frozen=True, slots=True)
class Record:
    """A directory record (ECMA-119 9.1)."""

    identifier: bytes
    """The ISO 9660 name; `.` and `..` are one byte, 0 and 1."""
    block: int
    """Where the bytes begin, in blocks."""
    size: int
    is_directory: bool
    goes_on: bool
    """Whether the next record has more of the same file."""
    system_use: bytes
    """Where Rock Ridge is."""


def both_ends(data: bytes, offset: int, what: str, *, width: int = 4) -> int:
    """Read a number of 4 or 2 bytes stored in both byte orders (ECMA-119 7.3.3, 7.2.3).

    Raises BundleDamagedError naming `what` when its two copies differ or the data ends before.
    """
    pair = data[offset : offset + 2 * width]
    little = pair[:width]
    if len(pair) < 2 * width or little != pair[width:][::-1]:
        raise BundleDamagedError(f"{what}: the two copies of a number differ")
    return int.from_bytes(little, "little")


def read_records(sector: bytes, what: str) -> Iterator[Record]:
    """Give the records of one sector of a directory; raises BundleDamagedError naming `what`."""
    offset = 0
    while offset < len(sector) and sector[offset]:
        length = sector[offset]
        if length < 34 or offset + length > len(sector):
            raise BundleDamagedError(f"{what}: a directory record has an impossible length")
        yield read_record(sector[offset : offset + length], what)
        offset += length


def read_record(data: bytes, what: str) -> Record:
    """Read one record; raises BundleDamagedError naming `what`."""
    _, attributes, block, block_big, size, size_big, flags, unit, gap, name_length = _RECORD.unpack_from(data)
    if block_big != block.to_bytes(4, "big") or size_big != size.to_bytes(4, "big"):
        raise BundleDamagedError(f"{what}: the two copies of a number differ")
    if attributes or unit or gap or flags & _ASSOCIATED:
        raise BundleDamagedError(f"{what}: a file is interleaved, associated, or has extended attributes")
    end = 33 + name_length
    if name_length == 0 or end > len(data):
        raise BundleDamagedError(f"{what}: a directory record has an impossible length")
    return Record(
        identifier=data[33:end],
        block=block,
        size=size,
        is_directory=bool(flags & _DIRECTORY),
        goes_on=bool(flags & _MORE),
        system_use=data[end + 1 - name_length % 2 :],
    )
