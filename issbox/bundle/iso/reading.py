"""Reads ISO 9660 images with Rock Ridge in place, from a file or a drive: nothing is mounted, unpacked or written."""

from collections.abc import Iterator
from functools import partial
from io import RawIOBase
from pathlib import Path
from typing import Self

from issbox.bundle.iso.directories import DirectoryParser, IsoDirectory, IsoFile
from issbox.bundle.iso.directory_index import DirectoryIndex, DirectoryIndexes, Entry
from issbox.bundle.iso.medium import Medium
from issbox.bundle.iso.volume import IsoVolume, read_volume
from issbox.errors import BundleDamagedError, BundleIncompleteError, OversizedError, UnsafeFileError

MAX_ENTRIES = 10_000_000
"""Files and directories that an image may have, unless the caller says less."""


class IsoImage:
    """An image, for any number of threads at a time; readers it gave stay open when it is closed.

    Gives what `volume_files.VolumeFiles` asks for. Its directories are read when they are needed. What it says is not
    signed: compare sizes and digests.
    """

    def __init__(self, path: Path, *, max_entries: int = MAX_ENTRIES, scratch: Path | None = None) -> None:
        """Open an image file or a drive; `scratch` is a directory for what memory shall not hold of its directories.

        Raises NotABundleError when it is neither, or no ISO 9660 image with Rock Ridge names, BundleDamagedError or
        BundleIncompleteError when its first directory cannot be read, and OperatingSystemError for a drive that
        cannot be.
        """
        self.path = path
        """The image file or the drive."""
        self._medium = Medium.open(path)
        self.volume: IsoVolume = read_volume(self._medium)
        """What the image says of itself."""
        self._max_entries = max_entries
        self._parser = DirectoryParser(self._medium, self.volume, max_entries=max_entries)
        self._indexes = DirectoryIndexes(scratch)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        del self._medium, self._parser

    def walk(self) -> Iterator[IsoFile]:
        """Give every file in the order of their paths and in flat memory.

        Raises what is wrong with the first bad directory or entry, see `DirectoryParser.parse`, NameClashError for
        a name that is there twice, OversizedError when there are more than `max_entries`, and BundleDamagedError when
        directories contain one another.
        """
        waiting: list[Iterator[Entry]] = [iter([self._parser.root])]
        entries = size = 0
        while waiting:
            entry = next(waiting[-1], None)
            if entry is None:
                waiting.pop()
                continue
            if isinstance(entry, IsoFile):
                yield entry
                continue
            size += entry.extent.size
            self._require_apart(size, entry)
            found = self._entries(entry)
            entries += found.count
            if entries > self._max_entries:
                raise OversizedError(
                    f"{self._medium.path} has more than {self._max_entries} files and directories",
                    hint="Raise [inbox] max_files if it is meant to be so.",
                )
            waiting.append(iter(found))

    def find(self, path: str) -> IsoFile | None:
        """Give the file at a path, or None.

        Raises UnsafeFileError when a directory is there, and what is wrong with a directory on the way.
        """
        entry = self._look_up(path)
        if isinstance(entry, IsoDirectory):
            raise UnsafeFileError(f"{path!r} is a directory; a bundle holds only files and directories")
        return entry

    def has(self, path: str) -> bool:
        """Tell whether a file or a directory is at a path; raises what is wrong with a directory on the way."""
        return self._look_up(path) is not None

    def open(self, file: str | IsoFile) -> "IsoReader":
        """Open a file for reading, unbuffered.

        Raises BundleIncompleteError when it is not there or lies beyond the end of the image, which was cut then,
        and what `find` raises.
        """
        found = self.find(file) if isinstance(file, str) else file
        if found is None:
            raise BundleIncompleteError(f"the file {file!r} is missing in {self._medium.path}")
        for extent in found.extents:
            if extent.offset + extent.size > self._medium.size:
                raise BundleIncompleteError(
                    f"the file {found.path!r} is cut: {self._medium.path} ends before it does",
                    hint="Copy the image again, or have it exported again, then retry.",
                )
        return IsoReader(self._medium, found)

    def _look_up(self, path: str) -> Entry | None:
        entry: Entry | None = self._parser.root
        size = 0
        for name in path.split("/"):
            if not isinstance(entry, IsoDirectory):
                return None
            size += entry.extent.size
            self._require_apart(size, entry)
            entry = self._entries(entry).get(name)
        return entry

    def _require_apart(self, size: int, directory: IsoDirectory) -> None:
        """Bound the work: directories that do not overlap are together not larger than the image."""
        if size > self._medium.size:
            raise BundleDamagedError(
                f"the directory {directory.path or '/'!r} is larger than {self._medium.path}, or part of another one"
            )

    def _entries(self, directory: IsoDirectory) -> DirectoryIndex:
        return self._indexes.get(directory, partial(self._parser.parse, directory))


class IsoReader(RawIOBase):
    """The bytes of one file. Several threads may have readers of one image, each its own."""

    def __init__(self, medium: Medium, file: IsoFile) -> None:
        super().__init__()
        self._medium = medium
        self._file = file
        self._extent = 0
        self._done = 0
        self.size = file.size
        """Bytes of the whole file."""

    def readable(self) -> bool:
        """Say that it gives bytes."""
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override] # other buffers do not come
        """Fill the buffer or its beginning and give the number of bytes, 0 at the end.

        Raises BundleIncompleteError and OperatingSystemError, naming the file.
        """
        while self._extent < len(self._file.extents):
            extent = self._file.extents[self._extent]
            wanted = min(len(buffer), extent.size - self._done)
            if wanted or not len(buffer):
                count = self._medium.read_into(
                    memoryview(buffer)[:wanted], extent.offset + self._done, f"the file {self._file.path!r}"
                )
                self._done += count
                return count
            self._extent += 1
            self._done = 0
        return 0
