"""The lines of the file table: written sorted, read as a stream, in flat memory however many there are."""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import compress
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
    for first, lines in _blocks_of_lines(stream):
        for number, line in enumerate(lines, first):
            yield _decode(line, number)


def iter_marked(stream: ByteStream, marks: bytearray) -> Iterator[FileEntry]:
    """Give the entries of the lines whose byte in `marks` is not 0; raises what `iter_table` raises for these."""
    for first, lines in _blocks_of_lines(stream):
        for number, line in compress(enumerate(lines, first), marks[first - 1 : first - 1 + len(lines)]):
            yield _decode(line, number)


def _decode(line: bytes, number: int) -> FileEntry:
    try:
        return _ENTRY.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return decode(_ENTRY, line, f"{TABLE_NAME} line {number}")  # says in words what is wrong


def iter_volume(stream: ByteStream, volume: int) -> Iterator[FileEntry]:
    """Give the entries that have bytes in a volume, of a table that this box wrote; raises what `iter_table` raises.

    Lines of other volumes are passed over without decoding them, as each volume of a set asks for its own.
    """
    mark = b'"volume":%d' % volume
    for first, lines in _blocks_of_lines(stream):
        for number, line in enumerate(lines, first):
            if mark in line:
                entry = _decode(line, number)
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


def _blocks_of_lines(stream: ByteStream) -> Iterator[tuple[int, list[bytes]]]:
    """Give the lines block by block, with the number of the first one of each."""
    rest = b""
    number = 0
    while block := stream.read(BLOCK):
        lines = (rest + block).split(b"\n")
        if len(max(lines, key=len)) >= MAX_LINE:
            for each, line in enumerate(lines, number + 1):
                _check_length(line, each)
        rest = lines.pop()
        yield number + 1, lines
        number += len(lines)
    if rest:
        raise BadManifestError(f"{TABLE_NAME} line {number + 1}: the last line does not end: the table is cut")


def _check_length(line: bytes, number: int) -> None:
    if len(line) >= MAX_LINE:
        raise BadManifestError(f"{TABLE_NAME} line {number}: longer than {MAX_LINE} bytes")
