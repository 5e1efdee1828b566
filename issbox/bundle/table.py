"""The lines of the file table: written sorted, read as a stream, in flat memory however many there are."""

import hashlib
import heapq
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Protocol, Self

import msgspec

from issbox.bundle.decoding import decode
from issbox.errors import BadManifestError
from issbox.files import BLOCK, Digest
from issbox.manifest import TABLE_NAME, FileEntry

MAX_LINE = 8 * 1024
"""Longest line in bytes, with its newline."""
RUN = 50_000
"""Entries a spool keeps in memory before it puts them on the disk."""

_ENTRY = msgspec.json.Decoder(FileEntry)
_ENCODER = msgspec.json.Encoder()


class ByteStream(Protocol):
    """Anything bytes can be read from in blocks."""

    def read(self, size: int, /) -> bytes | None:
        """Give up to so many bytes, none at the end."""


def encode_entry(entry: FileEntry) -> bytes:
    """Give the line of an entry: JSON without spaces, keys in the order of the dataclass, a newline at the end."""
    return _ENCODER.encode(entry) + b"\n"


def iter_table(stream: ByteStream) -> Iterator[FileEntry]:
    """Give the entries of a table as they stand.

    Checks that every line is a JSON object of the right types and not too long, and that the last one is whole;
    raises BadManifestError naming the line. What the lines say is checked by `TableCheck`.
    """
    for number, line in enumerate(_lines(stream), start=1):
        yield decode(_ENTRY, line, f"{TABLE_NAME} line {number}")


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


class EntrySpool:
    """Collects entries in any order and gives them back sorted by path, keeping only a part of them in memory.

    The rest lies in nameless files, which vanish with the process. Not safe for several threads by itself.
    """

    def __init__(self, directory: Path, run: int = RUN) -> None:
        """Take the directory for the nameless files, and how many entries to keep in memory."""
        self._directory = directory
        self._limit = run
        self._present: list[FileEntry] = []
        self._runs: list[BinaryIO] = []
        self._files = ExitStack()

    def add(self, entry: FileEntry) -> None:
        """Take an entry; raises OSError when it cannot be put on the disk."""
        self._present.append(entry)
        if len(self._present) >= self._limit:
            run = tempfile.TemporaryFile(dir=self._directory)  # noqa: SIM115  closed with the spool
            self._runs.append(self._files.enter_context(run))
            write_table(self._sorted_present(), run)
            run.flush()
            self._present = []

    def __iter__(self) -> Iterator[FileEntry]:
        """Give all entries sorted by path."""
        runs = (iter_table(_FromStart(run)) for run in self._runs)
        return heapq.merge(*runs, self._sorted_present(), key=_path)

    def _sorted_present(self) -> list[FileEntry]:
        return sorted(self._present, key=_path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()


class _FromStart:
    """Reads a file from its start, with a place of its own, so that several can read it."""

    def __init__(self, file: BinaryIO) -> None:
        self._descriptor = file.fileno()
        self._offset = 0

    def read(self, size: int, /) -> bytes:
        data = os.pread(self._descriptor, size, self._offset)
        self._offset += len(data)
        return data


def _path(entry: FileEntry) -> str:
    return entry.path
