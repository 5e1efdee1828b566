"""The head of a bundle: manifest, signature and file table, made before the first file is copied.

The store knows every digest beforehand, so a head says completely what its volumes will hold; writers only copy and
compare. That is what lets each volume be verified alone, and a stream carry its table first.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Protocol

import msgspec

from issbox.bundle.manifest import decode_manifest, encode_manifest
from issbox.bundle.members import Member
from issbox.bundle.signature import SIGNATURE_SIZE, SigningKey
from issbox.bundle.table import iter_table, iter_volume, write_table
from issbox.bundle.table_checks import EntryCheck, in_order
from issbox.bundle.totals import TableTotals
from issbox.files import Digest, Readable, open_regular
from issbox.manifest import (
    MANIFEST_NAME,
    MAX_VOLUMES,
    SIGNATURE_NAME,
    TABLE_NAME,
    VOLUME_NAME,
    FileEntry,
    FilePart,
    Manifest,
    TableReference,
    Volume,
    part_path,
)
from issbox.rules.bundles.volumes import Boundless, Meter, VolumePlanner

_VOLUME_FILE = 256
"""Bytes that the file naming the volume has at most."""
_LINE = 280
"""About how many bytes a line of the table takes; a wrong guess costs another pass."""
_SLACK = 4096


class Source(Readable, Protocol):
    """An open file of which a part may be wanted."""

    def seek(self, offset: int, /) -> object:
        """Go to a place."""


OpenEntry = Callable[[FileEntry], AbstractContextManager[Source]]
"""Opens the bytes of an entry."""
DigestParts = Callable[[FileEntry, Sequence[int]], Sequence[str]]
"""Gives the SHA-256 of each of the consecutive parts of these sizes that the file of an entry is cut into."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How files are laid out in volumes."""

    new_meter: Callable[[], Meter] = Boundless
    """Makes what measures an empty volume."""
    bounded: bool = False
    """Whether a volume has a size; the table is then laid out again until its own size has been counted right."""
    largest_file: int | None = None
    """Bytes of the largest file that the target file system holds; None for no limit."""


class VolumeMark(msgspec.Struct, frozen=True):
    """Which volume this is. A hint for people and for the inbox: what lies in it is compared with the signed table."""

    bundle_id: str
    number: int
    count: int


@dataclass(frozen=True, slots=True)
class Head:
    """What every volume of a bundle carries."""

    manifest: Manifest
    data: bytes
    """The manifest's bytes."""
    signature: bytes
    table: Path

    def entries(self) -> Iterator[FileEntry]:
        """Give the entries of the table, sorted by path."""
        with open_regular(self.table) as source:
            yield from iter_table(source)

    def entries_of(self, volume: int) -> Iterator[FileEntry]:
        """Give the entries of which a volume has bytes, sorted by path."""
        with open_regular(self.table) as source:
            yield from iter_volume(source, volume)

    def members(self, volume: int) -> list[Member]:
        """Give the head files of a volume, in the order a stream carries them."""
        reference = self.manifest.table
        files = [
            _bytes_member(MANIFEST_NAME, self.data),
            _bytes_member(SIGNATURE_NAME, self.signature),
            Member(TABLE_NAME, Digest(reference.size, reference.sha256), partial(open_regular, self.table)),
        ]
        if len(self.manifest.volumes) > 1:
            mark = VolumeMark(self.manifest.bundle.id, volume, len(self.manifest.volumes))
            files.append(_bytes_member(VOLUME_NAME, msgspec.json.encode(mark) + b"\n"))
        return files


def prepare_head(
    draft: Manifest,
    entries: Callable[[], Iterable[FileEntry]],
    key: SigningKey,
    table: Path,
    *,
    layout: Layout | None = None,
    digest_parts: DigestParts | None = None,
) -> Head:
    """Lay the files out in volumes, write the table to a file at `table`, and sign the manifest that fits it.

    `entries` gives the entries sorted by path, each time from the beginning; those to be carried have any volume.
    Key id, counts and sizes, the reference to the table and the volumes are filled in here. Raises VolumeSizeError,
    and the BundleError that a reader would raise for the result.
    """
    layout = layout or Layout()
    draft = replace(draft, source=replace(draft.source, key_id=key.key_id))
    reserved_table, reserved_manifest = _LINE, len(encode_manifest(draft)) + _SLACK
    if layout.bounded:
        reserved_table = sum(_LINE for _ in entries())
    while True:
        planner = _planner(layout, reserved_manifest, reserved_table)
        most = MAX_VOLUMES if layout.bounded else 1
        manifest, data = _lay_out(draft, entries, planner, table, digest_parts, most=most)
        if not layout.bounded or (len(data) <= reserved_manifest and manifest.table.size <= reserved_table):
            return Head(manifest, data, key.sign(data), table)
        reserved_manifest = max(reserved_manifest, len(data)) + _SLACK
        reserved_table = max(reserved_table, manifest.table.size) + _SLACK


def volume_members(head: Head, number: int, open_entry: OpenEntry) -> Iterator[Member]:
    """Give the files that a volume carries besides the head files, sorted by path, the parts among them."""
    for entry in head.entries_of(number):
        if entry.volume == number:
            yield Member(entry.path, Digest(entry.size, entry.sha256), partial(open_entry, entry))
        offset = 0
        for index, part in enumerate(entry.parts, start=1):
            if part.volume == number:
                opener = partial(_open_part, open_entry, entry, offset, part.size)
                yield Member(part_path(entry.path, index), Digest(part.size, part.sha256), opener)
            offset += part.size


def _planner(layout: Layout, manifest_size: int, table_size: int) -> VolumePlanner:
    def new_meter() -> Meter:
        meter = layout.new_meter()
        meter.add(MANIFEST_NAME, manifest_size)
        meter.add(SIGNATURE_NAME, SIGNATURE_SIZE)
        meter.add(TABLE_NAME, table_size)
        meter.add(VOLUME_NAME, _VOLUME_FILE)
        return meter

    return VolumePlanner(new_meter, largest_file=layout.largest_file)


def _lay_out(
    draft: Manifest,
    entries: Callable[[], Iterable[FileEntry]],
    planner: VolumePlanner,
    table: Path,
    digest_parts: DigestParts | None,
    *,
    most: int,
) -> tuple[Manifest, bytes]:
    """Write the table and give the manifest that refers to it, with its bytes; there are `most` volumes at most."""
    draft = replace(draft, volumes=tuple(Volume(number=number, size=0) for number in range(1, most + 1)))
    totals = TableTotals(draft)

    def placed() -> Iterator[FileEntry]:
        laid_out = (_place(each, planner, digest_parts) for each in entries())
        for entry in in_order(EntryCheck(draft), laid_out, entries, table.parent):
            totals.add(entry)
            yield entry

    with table.open("wb") as out:
        written = write_table(placed(), out)
    filled = totals.fill()
    reference = TableReference(path=TABLE_NAME, size=written.size, sha256=written.sha256)
    manifest = replace(filled, table=reference, volumes=filled.volumes[: planner.count])
    data = encode_manifest(manifest)
    decode_manifest(data)
    totals.compare(manifest)
    return manifest, data


def _place(entry: FileEntry, planner: VolumePlanner, digest_parts: DigestParts | None) -> FileEntry:
    if not entry.carried:
        return entry
    pieces = planner.place(entry.path, entry.size)
    if len(pieces) == 1:
        number = pieces[0].volume
        return entry if entry.volume == number else replace(entry, volume=number)
    assert digest_parts is not None, "only a layout with limits cuts files"
    digests = digest_parts(entry, [piece.size for piece in pieces])
    parts = [
        FilePart(volume=piece.volume, size=piece.size, sha256=digest)
        for piece, digest in zip(pieces, digests, strict=True)
    ]
    return replace(entry, volume=None, parts=tuple(parts))


def _bytes_member(path: str, data: bytes) -> Member:
    return Member(path, Digest(len(data), sha256(data).hexdigest()), lambda: nullcontext(BytesIO(data)))


class _Piece:
    """So many bytes of an open file."""

    def __init__(self, source: Source, size: int) -> None:
        self._source = source
        self._left = size

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill the buffer as far as the piece goes."""
        count = self._source.readinto(buffer[: min(len(buffer), self._left)]) or 0
        self._left -= count
        return count


@contextmanager
def _open_part(open_entry: OpenEntry, entry: FileEntry, offset: int, size: int) -> Iterator[Readable]:
    with open_entry(entry) as source:
        source.seek(offset)
        yield _Piece(source, size)
