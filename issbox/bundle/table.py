"""The lines of the file table: written sorted, read as a stream, in flat memory however many there are."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Protocol

import msgspec

from issbox.bundle.decoding import decode
from issbox.errors import BadManifestError
from issbox.files import BLOCK, Digest
from issbox.manifest import TABLE_NAME, FileEntry

MAX_LINE = 8 * 1024
"""Longest line in bytes, with its newline."""
_ENTRY = msgspec.json.Decoder(FileEntry)
_ENCODER = msgspec.json.Encoder()
_NO_PARTS = b',"parts":[]}'


class ByteStream(Protocol):
    """Anything bytes can be read from in blocks."""

    def read(self, size: int, /) -> bytes | None:
        """Give up to so many bytes, none at the end."""


def encode_entry(entry: FileEntry) -> bytes:
    """Give the line of an entry: JSON without spaces, keys in the order of the dataclass, a newline at the end.

    The last key, `parts`, is left out where there are none.
    """
    line = _ENCODER.encode(entry)
    return (line if entry.parts else line.removesuffix(_NO_PARTS) + b"}") + b"\n"


def iter_table(stream: ByteStream) -> Iterator[FileEntry]:
    """Give the entries of a table as they stand.

    Checks that every line is a JSON object of the right types and not too long, and that the last one is whole;
    raises BadManifestError naming the line. What the lines say is checked by `EntryCheck`.
    """
    for number, line in enumerate(_lines(stream), start=1):
        yield decode(_ENTRY, line, f"{TABLE_NAME} line {number}")


def iter_volume(stream: ByteStream, volume: int) -> Iterator[FileEntry]:
    """Give the entries that have bytes in a volume, of a table that this box wrote; raises what `iter_table` raises.

    Lines of other volumes are passed over without decoding them, as each volume of a set asks for its own.
    """
    mark = b'"volume":%d' % volume
    for number, line in enumerate(_lines(stream), start=1):
        if mark in line:
            entry = decode(_ENTRY, line, f"{TABLE_NAME} line {number}")
            if entry.volume == volume or any(part.volume == volume for part in entry.parts):
                yield entry


def write_table(entries: Iterable[FileEntry], out: BinaryIO) -> Digest:
    """Write the lines of entries that are sorted already, and give size and digest of the table."""
    digest = hashlib.sha256()
    size = 0
    for entry in entries:
        line = encode_entry(entry)
        digest.update(line)
        out.write(line)
        size += len(line)
    return Digest(size, digest.hexdigest())


def _lines(stream: ByteStream) -> Iterator[bytes]:
    rest = b""
    number = 0
    while block := stream.read(BLOCK):
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        for line in lines:
            number += 1
            _check_length(line, number)
            yield line
        _check_length(rest, number + 1)
    if rest:
        raise BadManifestError(f"{TABLE_NAME} line {number + 1}: the last line does not end: the table is cut")


def _check_length(line: bytes, number: int) -> None:
    if len(line) >= MAX_LINE:
        raise BadManifestError(f"{TABLE_NAME} line {number}: longer than {MAX_LINE} bytes")
