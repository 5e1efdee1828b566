"""What a table of contents says, and the rules it must keep beyond the types of its fields. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Final

from issbox.bundle.decoding import MAX_NUMBER
from issbox.errors import BadManifestError, InvalidValueError
from issbox.names import MAX_SEGMENT_BYTES, is_label, is_sha256, path_problem

FORMAT: Final = "issbox-toc"
FORMAT_VERSION: Final = 1
"""The newest format this issbox writes and reads; every older one is read too."""
TOC_SUFFIX: Final = ".toc.json"
SIGNATURE_SUFFIX: Final = ".toc.json.sig"
MAX_CHUNKS: Final = 100_000
MIN_DIGITS: Final = 3
"""Digits of a chunk's number, filled with zeros; larger numbers have more."""
_MAX_DIGITS: Final = len(str(MAX_CHUNKS))
_ROOM: Final = 20
"""Bytes of the longest thing that is put around a name: a dot, `.tgz.` and a number, or `.toc.json.sig`."""
_NO_SHA256: Final = "expected a SHA-256 in 64 lower-case hexadecimal digits"


class Compression(StrEnum):
    """What is around the tar."""

    NONE = "none"
    GZIP = "gzip"

    @property
    def suffix(self) -> str:
        """Give the ending of the file names: `tar` or `tgz`."""
        return "tgz" if self is Compression.GZIP else "tar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One file of the stream."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Toc:
    """The signed table of contents."""

    format: str
    format_version: int
    bundle_id: str
    key_id: str
    """Which key the signature belongs to."""
    compression: Compression
    size: int
    """Bytes of all chunks together."""
    chunks: tuple[Chunk, ...]
    """In the order of their numbers, which is that of the stream."""

    @property
    def set_name(self) -> str:
        """Give the NAME of `NAME.tgz.001`, of `NAME.toc.json` and so on."""
        return self.chunks[0].name.rpartition(f".{self.compression.suffix}")[0]


def chunk_name(set_name: str, compression: Compression, number: int | None, digits: int = MIN_DIGITS) -> str:
    """Give the file name of a chunk; without a number, that of a stream in one piece."""
    name = f"{set_name}.{compression.suffix}"
    return name if number is None else f"{name}.{number:0{digits}d}"


def check_set_name(name: str) -> str:
    """Give the name back, or raise InvalidValueError when not every file of the set could be called after it."""
    if "/" in name or name.startswith(".") or path_problem(name) is not None:
        raise InvalidValueError(f"{name[:300]!r} cannot be the name of a bundle's files")
    if len(name.encode()) > MAX_SEGMENT_BYTES - _ROOM:
        raise InvalidValueError(
            f"{name[:300]!r} is too long for the name of a bundle's files: "
            f"at most {MAX_SEGMENT_BYTES - _ROOM} bytes are possible"
        )
    return name


def check_toc(toc: Toc, where: str) -> None:
    """Check every rule of the format; raises BadManifestError, naming the field, when one is broken."""
    for place, why in chain(_problems(toc), _chunk_problems(toc.chunks), _name_problems(toc)):
        raise BadManifestError(f"{where}: {place}: {why}")


def _problems(toc: Toc) -> Iterator[tuple[str, str]]:
    if not is_label(toc.bundle_id):
        yield "$.bundle_id", "expected a label"
    if not is_sha256(toc.key_id):
        yield "$.key_id", _NO_SHA256
    if not 1 <= len(toc.chunks) <= MAX_CHUNKS:
        yield "$.chunks", f"expected 1 to {MAX_CHUNKS} chunks, got {len(toc.chunks)}"
    if toc.size != sum(chunk.size for chunk in toc.chunks) or toc.size > MAX_NUMBER:
        yield "$.size", "the chunks do not add up to it"


def _chunk_problems(chunks: tuple[Chunk, ...]) -> Iterator[tuple[str, str]]:
    usual, last = chunks[0].size, len(chunks) - 1
    for index, chunk in enumerate(chunks):
        if not 1 <= chunk.size <= MAX_NUMBER:
            yield f"$.chunks[{index}].size", f"expected a number from 1 to {MAX_NUMBER}"
        if chunk.size > usual or (chunk.size < usual and index < last):
            yield f"$.chunks[{index}].size", "all chunks but the last have the same size, and the last is not larger"
        if not is_sha256(chunk.sha256):
            yield f"$.chunks[{index}].sha256", _NO_SHA256


def _name_problems(toc: Toc) -> Iterator[tuple[str, str]]:
    """Judge by the first name what the others must be."""
    first, suffix = toc.chunks[0].name, toc.compression.suffix
    match = re.fullmatch(rf"(?P<name>.+?)\.{suffix}(?:\.(?P<number>0+1))?", first, re.DOTALL)
    digits = len(match["number"] or "") if match else 0
    if match is None or not _is_set_name(match["name"]) or (digits and not MIN_DIGITS <= digits <= _MAX_DIGITS):
        yield "$.chunks[0].name", f"expected NAME.{suffix} or NAME.{suffix}.001, got {first[:300]!r}"
        return
    if not digits and len(toc.chunks) > 1:
        yield "$.chunks", f"{first!r} has no number, so there can be no other"
    for number, chunk in enumerate(toc.chunks, start=1):
        name = chunk_name(match["name"], toc.compression, number if digits else None, digits)
        if chunk.name != name:
            yield f"$.chunks[{number - 1}].name", f"expected {name!r}, got {chunk.name[:300]!r}"


def _is_set_name(name: str) -> bool:
    try:
        check_set_name(name)
    except InvalidValueError:
        return False
    return True
