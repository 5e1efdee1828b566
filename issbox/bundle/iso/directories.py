"""Reads directories of an image: each a list of files and directories, with every rule of a bundle's tree checked."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass

from issbox.bundle.iso.medium import Medium
from issbox.bundle.iso.pages import SECTOR
from issbox.bundle.iso.records import Record, read_record, read_records
from issbox.bundle.iso.rock_ridge import RockRidge, entries_skip, read_rock_ridge
from issbox.bundle.iso.volume import IsoVolume
from issbox.bundle.tree import FoundFile
from issbox.errors import BundleDamagedError, OversizedError, UnsafeFileError, UnsafePathError
from issbox.names import check_relative_path

_CHUNK = 32
"""Sectors of a directory read at once."""
_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFBLK: "a block device",
    stat.S_IFCHR: "a character device",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
}


@dataclass(frozen=True, slots=True)
class Extent:
    """Bytes of an image that follow one another."""

    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class IsoFile(FoundFile):
    """A file of an image."""

    extents: tuple[Extent, ...]
    """Where its bytes are, in their order; they may lie beyond the end of an image that was cut."""


@dataclass(frozen=True, slots=True)
class IsoDirectory:
    """A directory of an image."""

    path: str
    """Empty for the root."""
    extent: Extent


class DirectoryParser:
    """Gives what is in a directory. Has no state that changes, so any number of threads may use it."""

    def __init__(self, medium: Medium, volume: IsoVolume, *, max_entries: int) -> None:
        self._medium = medium
        self._max_entries = max_entries
        self.root = IsoDirectory("", _extent(volume.root))
        own = read_record(self._first_record(self.root.extent.offset, "the root directory"), "the root directory")
        self._skip = entries_skip(own, str(medium.path))

    def parse(self, directory: IsoDirectory) -> Iterator[IsoFile | IsoDirectory]:
        """Give files and directories in the order in which they are written down; a name may be there twice.

        Raises UnsafePathError for a name that no path may have, UnsafeFileError for links, devices and encoded files,
        OversizedError for too many of them, BundleDamagedError and BundleIncompleteError; each names the directory or
        the file.
        """
        what = f"the directory {directory.path or '/'!r}"
        pending: list[Record] = []
        count = 0
        for record in self._records(directory, what):
            if count + len(pending) >= self._max_entries:
                raise OversizedError(
                    f"{what} of {self._medium.path} has more than {self._max_entries} entries",
                    hint="No issbox writes such an image: find out where it comes from.",
                )
            if pending and record.identifier != pending[0].identifier:
                raise BundleDamagedError(f"{what}: a part of a file is missing")
            pending.append(record)
            if record.goes_on:
                continue
            entry = self._entry(directory, pending, what)
            pending = []
            if entry is not None:
                count += 1
                yield entry
        if pending:
            raise BundleDamagedError(f"{what}: a part of a file is missing")

    def _records(self, directory: IsoDirectory, what: str) -> Iterator[Record]:
        """Give the records but `.` and `..`, a piece of the directory after the other."""
        offset, size = directory.extent.offset, directory.extent.size
        for start in range(0, size, _CHUNK * SECTOR):
            chunk = self._medium.read(offset + start, min(_CHUNK * SECTOR, size - start), what)
            for place in range(0, len(chunk), SECTOR):
                for record in read_records(chunk[place : place + SECTOR], what):
                    if record.identifier not in {b"\0", b"\1"}:
                        yield record

    def _entry(self, directory: IsoDirectory, parts: list[Record], what: str) -> IsoFile | IsoDirectory | None:
        """Make a file or a directory of its records; nothing of a directory that is only stored here."""
        last = parts[-1]
        ridge = read_rock_ridge(parts[0], self._skip, self._fetch, what)
        path = _path(directory.path, ridge.name, what)
        if ridge.is_moved:
            return None
        _require_plain(ridge, path, is_directory=ridge.child is not None or last.is_directory)
        if ridge.child is not None or last.is_directory:
            if len(parts) > 1:
                raise BundleDamagedError(f"{path!r} is a directory in parts")
            extent = _extent(last) if ridge.child is None else self._moved(ridge.child, path)
            return IsoDirectory(path, extent)
        return IsoFile(path, sum(part.size for part in parts), tuple(map(_extent, filter(_has_bytes, parts))))

    def _moved(self, block: int, path: str) -> Extent:
        """Find the extent of a directory that was moved: only its own `.` tells its size."""
        what = f"the directory {path!r}"
        own = read_record(self._first_record(block * SECTOR, what), what)
        if own.identifier != b"\0" or own.block != block:
            raise BundleDamagedError(f"{what} is not where it should be")
        return _extent(own)

    def _first_record(self, offset: int, what: str) -> bytes:
        sector = self._medium.read(offset, SECTOR, what)
        if sector[0] < 34:
            raise BundleDamagedError(f"{what} has no records")
        return sector[: sector[0]]

    def _fetch(self, block: int, offset: int, size: int) -> bytes:
        return self._medium.read(block * SECTOR + offset, size, "a directory record")


def _extent(record: Record) -> Extent:
    return Extent(record.block * SECTOR, record.size)


def _has_bytes(record: Record) -> bool:
    return record.size > 0


def _path(directory: str, name: bytes, what: str) -> str:
    if not name:
        raise BundleDamagedError(f"{what}: an entry has no Rock Ridge name")
    text = name.decode("utf-8", "surrogateescape")
    if "/" in text:
        raise UnsafePathError(f"{what}: the name {text[:200]!r} has a slash")
    return check_relative_path(f"{directory}/{text}" if directory else text)


def _require_plain(ridge: RockRidge, path: str, *, is_directory: bool) -> None:
    kind = stat.S_IFMT(ridge.mode) if ridge.mode is not None else 0
    if ridge.is_link or kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        what = "a symbolic link" if ridge.is_link else _KINDS.get(kind, "neither a file nor a directory")
        raise UnsafeFileError(f"{path!r} is {what}; a bundle holds only files and directories")
    if ridge.is_encoded:
        raise UnsafeFileError(f"{path!r} is compressed or sparse in the image; make the image without that")
    if kind and (kind == stat.S_IFDIR) is not is_directory:
        raise BundleDamagedError(f"{path!r} is called both a file and a directory")
