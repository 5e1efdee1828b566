"""The rows of a Pulp archive: JSON arrays of flat objects, some of several gigabytes, read one object at a time.

django-import-export writes every value as text or null, and what has structure as JSON within the text.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

import msgspec

from issbox.bundle.decoding import decode
from issbox.bundle.katello.pulp_archive import PulpArchive
from issbox.errors import BadManifestError, OversizedError

T = TypeVar("T", bound=msgspec.Struct)
V = TypeVar("V")

MAX_ROW: Final = 64 << 20
"""Bytes of one row; the largest real ones, kernels with their file lists, have 3 MB."""
MAX_ROWS: Final = 20_000_000
_OBJECT: Final = re.compile(rb'\{(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+\}', re.DOTALL)
_BETWEEN: Final = re.compile(rb"[\s,]*")
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What is no character of XML 1.0 (section 2.2)."""
_PLUGIN: Final = "pulp_rpm.app.modelresource."
_CORE: Final = "pulpcore.app.modelresource."


def iter_objects(blocks: Iterable[bytes], where: str) -> Iterator[bytes]:
    """Give the bytes of each object of a JSON array, in little memory; nothing when there are no bytes at all.

    Raises BadManifestError when it is no array of flat objects, OversizedError for an object beyond all measure.
    """
    buffer = bytearray()
    started, wanted = False, 1
    for block in blocks:
        buffer += block
        if not started and (buffer := buffer.lstrip()):
            if buffer[:1] != b"[":
                raise BadManifestError(f"{where}: this is no JSON array")
            buffer, started = buffer[1:], True
        if len(buffer) < wanted:
            continue  # looking again at each block of a large object would cost the square of its size
        used = 0
        while (match := _OBJECT.match(buffer, _skip(buffer, used))) is not None:
            yield match.group()
            used = match.end()
        del buffer[:used]
        wanted = 2 * len(buffer)
        if len(buffer) > MAX_ROW:
            raise OversizedError(
                f"{where} has a row of more than {MAX_ROW} bytes",
                hint="No Pulp writes such a row: find out where the export comes from.",
            )
    yield from _finish(buffer, where, started=started)


def _finish(buffer: bytearray, where: str, *, started: bool) -> Iterator[bytes]:
    used = 0
    while (match := _OBJECT.match(buffer, _skip(buffer, used))) is not None:
        yield match.group()
        used = match.end()
    rest = bytes(buffer[_skip(buffer, used) :]).strip()
    if rest != (b"]" if started else b""):
        raise BadManifestError(f"{where}: this is no JSON array of rows, or it is cut")


def _skip(buffer: bytearray, position: int) -> int:
    match = _BETWEEN.match(buffer, position)
    return match.end() if match is not None else position


def read_rows(archive: PulpArchive, directory: str, resource: str, type_: type[T]) -> Iterator[T]:
    """Give the rows of one resource of a repository version, `PackageResource` for example.

    Nothing when the archive has none: which resources there are depends on the version of Pulp. Raises
    BadManifestError naming the file, row and field.
    """
    plugin = _CORE if resource == "ContentArtifactResource" else _PLUGIN
    name = f"{directory}/{plugin}{resource}.json"
    decoder = msgspec.json.Decoder(type_)
    for number, data in enumerate(iter_objects(archive.blocks(name), name), 1):
        if number > MAX_ROWS:
            raise OversizedError(f"{name} has more than {MAX_ROWS} rows", hint="Find out where the export comes from.")
        yield decode(decoder, data, f"{name}, row {number}")


def nested(text: str | None, type_: type[V], where: str) -> V | None:
    """Read JSON that stands within a text; None for no text and for `null`. Raises BadManifestError."""
    if not text or text == "null":
        return None
    return decode(msgspec.json.Decoder(type_), text.encode(errors="replace"), where)


def truth(text: str | None) -> bool:
    """Read a switch as Pulp writes it: `1` or `True`."""
    return text in {"1", "True", "true"}


def whole(text: str | None, where: str) -> int:
    """Read a whole number written as text, 0 for none. Raises BadManifestError."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise BadManifestError(f"{where}: {text[:40]!r} is not a whole number")
    return int(text)


def check_xml(text: str, where: str) -> str:
    """Give a text back that is to stand in metadata; raises BadManifestError for characters that no XML can hold."""
    if _NOT_XML.search(text):
        raise BadManifestError(f"{where}: the text {text[:60]!r} has characters that XML cannot hold")
    return text
