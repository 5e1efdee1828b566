"""Writes directory records and path tables: ECMA-119 9.1 and 9.4, and Rock Ridge, which has the real names.

Everything in an image has the same time, owner and permissions, so most bytes of its records are the same.
"""

import struct
from collections.abc import Iterable, Iterator
from datetime import UTC

from issbox.bundle.iso.contents import ImageDirectory, ImageFile
from issbox.bundle.iso.label import IsoLabel
from issbox.bundle.iso.layout import MAX_EXTENT, MAX_RECORD, place, records_of, sectors_of
from issbox.bundle.iso.pages import SECTOR

_FIXED = struct.Struct("<BxI4sI4s7sBxx4sB")
_DIRECTORY, _GOES_ON = 0x02, 0x80
_SHARED = b"SP\7\1\xbe\xef\0"
"""Says in the first record of the root that Rock Ridge is there (SUSP 5.3)."""
_RR_NAMED, _RR_DOT = b"RR\5\1\x89", b"RR\5\1\x81"
"""What entries follow: a name or none, mode and times (RRIP 1.09)."""
_FILE_MODE, _DIRECTORY_MODE = 0o100444, 0o040555
_MAX_PARENT = 0xFFFF
"""Path tables have 16 bits for a parent's number; readers of more directories than that go without path tables."""


class Rests:
    """What did not fit into directory records, filled in while these are written."""

    def __init__(self, places: dict[int, int], size: int, sector: int) -> None:
        """Take by number where the rest of a record begins, the size of all of them, and their first sector."""
        self._places = places
        self._sector = sector
        self.data = bytearray(sectors_of(size) * SECTOR)

    def has(self, number: int) -> bool:
        """Tell whether the records with that number have one."""
        return number in self._places

    def put(self, number: int, rest: bytes) -> bytes:
        """Keep the rest of the next record with that number, and give the entry that tells where it is."""
        start = place(self._places[number], len(rest))
        self._places[number] = start + len(rest)
        self.data[start : start + len(rest)] = rest
        return continuation(self._sector + start // SECTOR, start % SECTOR, len(rest))


class RecordWriter:
    """Writes the directories of one image."""

    def __init__(self, label: IsoLabel, *, data: int, rests: Rests, extensions: bytes) -> None:
        """Take the sector in which the files begin, and the entry that tells where the extensions in use are named."""
        moment = label.created_at.astimezone(UTC)
        self._date = bytes([moment.year - 1900, moment.month, moment.day, moment.hour, moment.minute, moment.second, 0])
        self._volume = struct.pack("<H", label.number) + struct.pack(">H", label.number)
        self._times = b"TF\x1a\1\x0e" + 3 * self._date
        self._file_mode = _mode(_FILE_MODE, 1)
        self._data = data
        self._rests = rests
        self._extensions = extensions

    def write(self, directory: ImageDirectory) -> Iterator[bytes]:
        """Give the sectors of a directory."""
        sector = b""
        for record in self._records(directory):
            if len(sector) + len(record) > SECTOR:
                yield sector.ljust(SECTOR, b"\0")
                sector = b""
            sector += record
        yield sector.ljust(SECTOR, b"\0")

    def _records(self, directory: ImageDirectory) -> Iterator[bytes]:
        if directory.parent is directory:
            yield self._dot(b"\0", directory, before=_SHARED, behind=self._extensions)
        else:
            yield self._dot(b"\0", directory)
        yield self._dot(b"\1", directory.parent)
        for entry in directory.entries():
            if isinstance(entry, ImageDirectory):
                identifier, mode = b"%08d" % entry.number, _mode(_DIRECTORY_MODE, entry.links)
                use = self._names(entry.number, entry.name, mode, 42)
                yield self._record(identifier, _DIRECTORY, entry.records.start, len(entry.records) * SECTOR, use)
            elif entry.size <= MAX_EXTENT:
                use = self._names(entry.number, entry.name, self._file_mode, 44)
                sector = self._data + entry.sector if entry.size else 0
                yield self._record(b"%08d.;1" % entry.number, 0, sector, entry.size, use)
            else:
                yield from self._large(entry)

    def _large(self, file: ImageFile) -> Iterator[bytes]:
        """Give the records of a file that one record cannot speak for (ECMA-119 6.5.1)."""
        count = records_of(file.size)
        for index in range(count):
            use = self._names(file.number, file.name, self._file_mode, 44)
            sector = self._data + file.sector + index * MAX_EXTENT // SECTOR
            size = min(MAX_EXTENT, file.size - index * MAX_EXTENT)
            yield self._record(b"%08d.;1" % file.number, _GOES_ON if index + 1 < count else 0, sector, size, use)

    def _dot(self, identifier: bytes, of: ImageDirectory, *, before: bytes = b"", behind: bytes = b"") -> bytes:
        use = before + _RR_DOT + _mode(_DIRECTORY_MODE, of.links) + self._times + behind
        return self._record(identifier, _DIRECTORY, of.records.start, len(of.records) * SECTOR, use)

    def _record(self, identifier: bytes, flags: int, sector: int, size: int, use: bytes) -> bytes:
        if len(identifier) % 2 == 0:
            use = b"\0" + use
        length = 33 + len(identifier) + len(use)
        fixed = _FIXED.pack(
            length + length % 2,
            sector,
            sector.to_bytes(4, "big"),
            size,
            size.to_bytes(4, "big"),
            self._date,
            flags,
            self._volume,
            len(identifier),
        )
        return fixed + identifier + use + b"\0" if length % 2 else fixed + identifier + use

    def _names(self, number: int, name: bytes, mode: bytes, before: int) -> bytes:
        """Give the entries of a named record, of which `before` bytes come first, and keep what does not fit."""
        if not self._rests.has(number):
            return _RR_NAMED + _name(name) + mode + self._times
        room = MAX_RECORD - before - len(_RR_NAMED) - 28
        here, there = name[: room - 5], name[room - 5 :]
        inside, rest = _name(here, goes_on=bool(there)), _name(there) if there else b""
        for entry in (mode, self._times):
            if len(inside) + len(entry) <= room:
                inside += entry
            else:
                rest += entry
        return _RR_NAMED + inside + self._rests.put(number, rest)


def continuation(sector: int, offset: int, size: int) -> bytes:
    """Give the entry that tells where the entries of a record go on (SUSP 5.1)."""
    return b"CE\x1c\1" + _both(sector) + _both(offset) + _both(size)


def path_table(directories: Iterable[ImageDirectory], *, order: str) -> Iterator[bytes]:
    """Give the records of a path table with numbers in one byte order: `<` or `>` (ECMA-119 9.4)."""
    record = struct.Struct(f"{order}BxIH")
    for directory in directories:
        parent = min(directory.parent.index, _MAX_PARENT)
        identifier = b"%08d" % directory.number if directory.number else b"\0"
        yield record.pack(len(identifier), directory.records.start, parent) + identifier + b"\0" * (len(identifier) % 2)


def _name(name: bytes, *, goes_on: bool = False) -> bytes:
    return b"NM" + bytes((5 + len(name), 1, goes_on)) + name


def _mode(mode: int, links: int) -> bytes:
    return b"PX\x24\1" + _both(mode) + _both(links) + bytes(16)


def _both(number: int) -> bytes:
    return number.to_bytes(4, "little") + number.to_bytes(4, "big")
