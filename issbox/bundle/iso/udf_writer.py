"""Writes the directories of an image once more, for UDF: file entries and identifiers (ECMA-167 4/14, OSTA UDF 2.60).

They name the same bytes as the directory records. Everything has the same time, no owner, and is only to be read.
"""

import struct
from binascii import crc_hqx
from collections.abc import Iterator
from datetime import UTC

from issbox.bundle.iso.contents import ImageDirectory, ImageFile
from issbox.bundle.iso.label import IsoLabel
from issbox.bundle.iso.layout import MAX_UDF_EXTENT, sectors_of, udf_name
from issbox.bundle.iso.pages import SECTOR

_TAG = struct.Struct("<HHBxHHHI")
_ENTRY = struct.Struct("<20sIIIH6xQQ36sI16x32sQ4xI")
_IDENTIFIER = struct.Struct("<HBBIIH2xI2x")
_EXTENT = struct.Struct("<II")
_ICB = struct.Struct("<IHHHxB6xH")
_IDENTIFIER_TAG, _ENTRY_TAG, _TAG_VERSION = 257, 261, 2
_DIRECTORY_ICB, _FILE_ICB = (_ICB.pack(0, 4, 0, 1, kind, 0x230) for kind in (4, 5))
"""Strategy 4, one entry; extents are told by short descriptors (ECMA-167 4/14.6)."""
_DIRECTORY_RIGHTS, _FILE_RIGHTS = 0x14A5, 0x1084
"""Reading for everybody, and going through directories (ECMA-167 4/14.9.5)."""
_NOBODY = 0xFFFFFFFF
_MAKER = b"\0*pycdlib".ljust(32, b"\0")
"""Whose conventions the entries follow, as the descriptors in front of the image say."""
_IS_DIRECTORY, _IS_PARENT = 0x02, 0x08


class UdfWriter:
    """Writes the file entries and identifiers of one image."""

    def __init__(self, label: IsoLabel, *, partition: int, data: int) -> None:
        """Take the sector in which the partition begins, from which UDF counts, and that in which the files do."""
        moment = label.created_at.astimezone(UTC)
        self._times = 3 * struct.pack(
            "<BBHBBBBBxxx", 0, 0x10, moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second
        )
        self._partition = partition
        self._data = data

    def directory(self, directory: ImageDirectory) -> Iterator[bytes]:
        """Give the sector of a directory's own entry, and then its names."""
        blocks = len(directory.identifiers)
        extent = _EXTENT.pack(directory.names, directory.identifiers.start - self._partition)
        yield self._entry(
            directory.udf_entry,
            _ENTRY.pack(
                _DIRECTORY_ICB,
                _NOBODY,
                _NOBODY,
                _DIRECTORY_RIGHTS,
                directory.links - 1,
                directory.names,
                blocks,
                self._times,
                1,
                _MAKER,
                directory.udf_entry,
                len(extent),
            )
            + extent,
        )
        buffer, sector = b"", directory.identifiers.start
        for name, kind, entry in self._identifiers(directory):
            buffer += self._identifier(sector, name, kind, entry)
            if len(buffer) >= SECTOR:
                yield buffer[:SECTOR]
                buffer, sector = buffer[SECTOR:], sector + 1
        if buffer:
            yield buffer.ljust(SECTOR, b"\0")

    def files(self, directory: ImageDirectory) -> Iterator[bytes]:
        """Give the sectors of the entries of a directory's files."""
        for index, file in enumerate(directory.files()):
            extents = b"".join(self._extents(file))
            sector = directory.first_entry + index
            yield self._entry(
                sector,
                _ENTRY.pack(
                    _FILE_ICB,
                    _NOBODY,
                    _NOBODY,
                    _FILE_RIGHTS,
                    1,
                    file.size,
                    sectors_of(file.size),
                    self._times,
                    1,
                    _MAKER,
                    sector,
                    len(extents),
                )
                + extents,
            )

    def _extents(self, file: ImageFile) -> Iterator[bytes]:
        block = self._data + file.sector - self._partition
        for done in range(0, file.size, MAX_UDF_EXTENT):
            yield _EXTENT.pack(min(MAX_UDF_EXTENT, file.size - done), block + done // SECTOR)

    def _identifiers(self, directory: ImageDirectory) -> Iterator[tuple[bytes, int, int]]:
        """Give for each name: the name with the byte that says how it is encoded, its kind, the sector of its entry."""
        yield b"", _IS_DIRECTORY | _IS_PARENT, directory.parent.udf_entry
        files = 0
        for each in directory.entries():
            name = each.name.decode()
            encoded = udf_name(name)
            encoded = (b"\x08" if len(encoded) == len(name) else b"\x10") + encoded
            if isinstance(each, ImageDirectory):
                yield encoded, _IS_DIRECTORY, each.udf_entry
            else:
                yield encoded, 0, directory.first_entry + files
                files += 1

    def _identifier(self, sector: int, name: bytes, kind: int, entry: int) -> bytes:
        """Give an identifier that begins in this sector."""
        unique = 0 if kind & _IS_PARENT else entry
        body = _IDENTIFIER.pack(1, kind, len(name), SECTOR, entry - self._partition, 0, unique) + name
        body += bytes(-len(body) % 4)
        return self._tag(_IDENTIFIER_TAG, sector, body) + body

    def _entry(self, sector: int, body: bytes) -> bytes:
        return (self._tag(_ENTRY_TAG, sector, body) + body).ljust(SECTOR, b"\0")

    def _tag(self, kind: int, sector: int, body: bytes) -> bytes:
        """Give the tag of a descriptor (ECMA-167 3/7.2)."""
        tag = _TAG.pack(kind, _TAG_VERSION, 0, 0, crc_hqx(body, 0), len(body), sector - self._partition)
        return tag[:4] + bytes([sum(tag) & 0xFF]) + tag[5:]
