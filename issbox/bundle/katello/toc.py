"""The table of contents of a Pulp export: which files the archive consists of, in order, and their checksums.

Pulp splits by bytes and names the pieces `<archive>.0000`, `.0001` and so on; from the 10,001st on the number has five
digits, so the order is that of the numbers, never of the names.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from issbox.bundle.decoding import decode
from issbox.bundle.tree import Opener, read_bounded, translated
from issbox.errors import BadManifestError, BundleIncompleteError, UnsafePathError, UnsupportedExportError
from issbox.names import first_of, path_problem

MAX_TOC: Final = 16 << 20
"""Bytes; 100,000 pieces need 11 MiB."""
_PIECE: Final = re.compile(r"(?P<archive>.+\.tar(?P<gzip>\.gz)?)(?:\.(?P<number>[0-9]{4,9}))?")
_CRC32: Final = re.compile(r"[0-9a-f]{1,8}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_NAMED: Final = 20
"""How many pieces a message names."""


class _Meta(msgspec.Struct):
    checksum_type: str | None = None
    chunk_size: int | None = None


class _Document(msgspec.Struct):
    meta: _Meta
    files: dict[str, str]


_DECODER: Final = msgspec.json.Decoder(_Document)


@dataclass(frozen=True, slots=True)
class Piece:
    """One file of the archive."""

    name: str
    size: int
    """Bytes it has on the medium."""
    checksum: str
    """Hexadecimal: CRC-32 without leading zeros, or SHA-256."""

    @property
    def uses_sha256(self) -> bool:
        """Whether the checksum is one that protects against more than accidents."""
        return len(self.checksum) == 64


@dataclass(frozen=True, slots=True)
class Toc:
    """The table of contents, compared with what lies beside it."""

    name: str
    data: bytes
    pieces: tuple[Piece, ...]
    """In order."""

    @property
    def size(self) -> int:
        """Bytes of the archive."""
        return sum(piece.size for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class _Listed:
    """What the table of contents says of one piece."""

    name: str
    checksum: str
    number: int | None


def read_toc(export: Path, name: str) -> Toc:
    """Read the table of contents of that name and look whether every piece is there and whole.

    Raises BundleIncompleteError naming all pieces that are missing or cut, UnsafePathError and UnsafeFileError,
    UnsupportedExportError for a compressed archive, and BadManifestError.
    """
    problem = path_problem(name)
    if problem is not None or "/" in name:
        raise UnsafePathError(f"the table of contents {name[:200]!r} is not allowed: {problem or 'it is a path'}")
    data = read_bounded(export, name, MAX_TOC)
    document = decode(_DECODER, data, name)
    listed = _in_order([_listed(piece, checksum, name) for piece, checksum in document.files.items()], name)
    pieces = _measured(export, listed, document.meta.chunk_size)
    return Toc(name, data, pieces)


def listed_pieces(export: Path, name: str) -> tuple[list[str], int | None]:
    """Give the names of the pieces in order and the size of all but the last, for looking whether they have arrived.

    Raises what `read_toc` does, but not BundleIncompleteError for pieces.
    """
    document = decode(_DECODER, read_bounded(export, name, MAX_TOC), name)
    listed = _in_order([_listed(piece, checksum, name) for piece, checksum in document.files.items()], name)
    return [each.name for each in listed], document.meta.chunk_size


def _listed(piece: str, checksum: str, toc: str) -> _Listed:
    problem = path_problem(piece)
    if problem is not None or "/" in piece:
        raise UnsafePathError(f"{toc}: the name {piece[:200]!r} is not allowed: {problem or 'it is a path'}")
    match = _PIECE.fullmatch(piece)
    if match is None:
        raise BadManifestError(f"{toc}: {piece[:200]!r} is not the name of a Pulp archive or of a piece of one")
    if match["gzip"]:
        raise UnsupportedExportError(
            f"{piece} is compressed, as Pulp wrote it before version 3.36",
            hint="Have the export made again by a newer Katello, or as yum trees (--format syncable).",
        )
    digits = checksum.strip().lower()
    if not (_CRC32.fullmatch(digits) or _SHA256.fullmatch(digits)):
        raise BadManifestError(f"{toc}: {checksum[:80]!r} of {piece} is neither a CRC-32 nor a SHA-256")
    return _Listed(piece, digits, None if match["number"] is None else int(match["number"]))


def _in_order(listed: list[_Listed], toc: str) -> list[_Listed]:
    if not listed:
        raise BadManifestError(f"{toc}: it lists no file")
    if len(listed) == 1 and listed[0].number is None:
        return listed
    if len({each.name.rpartition(".")[0] for each in listed}) != 1 or any(each.number is None for each in listed):
        raise BadManifestError(f"{toc}: it lists pieces of more than one archive")
    ordered = sorted(listed, key=lambda each: each.number or 0)
    numbers = [each.number for each in ordered]
    absent = sorted(set(range(len(numbers))) - set(numbers))
    if absent:
        raise BadManifestError(f"{toc}: the piece number {absent[0]} is not listed")
    return ordered


def _measured(export: Path, listed: list[_Listed], chunk_size: int | None) -> tuple[Piece, ...]:
    opener = Opener(export)
    pieces, absent, wrong = [], [], []
    for each in listed:
        try:
            with opener.open(each.name) as source, translated(export, each.name):
                size = os.fstat(source.fileno()).st_size
        except BundleIncompleteError:
            absent.append(each.name)
            continue
        pieces.append(Piece(each.name, size, each.checksum))
        expected = chunk_size if each is not listed[-1] else None
        if size == 0 or (expected and size != expected) or (chunk_size and size > chunk_size):
            wrong.append(f"{each.name} ({size} bytes{f' instead of {expected}' if expected else ''})")
    if absent or wrong:
        said = [f"missing: {first_of(absent, _NAMED)}"] if absent else []
        said += [f"not whole: {first_of(wrong, _NAMED)}"] if wrong else []
        raise BundleIncompleteError(f"{len(absent) + len(wrong)} pieces of the archive lack bytes; {'; '.join(said)}")
    return tuple(pieces)
