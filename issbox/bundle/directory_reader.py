"""Reads a bundle that lies in a directory. What it gives out has been checked as `check.open_bundle` describes."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

from issbox.bundle.inventory import check_inventory
from issbox.bundle.table import iter_table
from issbox.bundle.table_checks import checked_entries
from issbox.bundle.tree import FoundFile, Opener, reading
from issbox.errors import BundleDamagedError
from issbox.files import copy_and_digest
from issbox.manifest import MANIFEST_NAME, SIGNATURE_NAME, TABLE_NAME, FileEntry, Manifest


@dataclass(frozen=True, slots=True)
class DirectoryReader:
    """A bundle directory whose manifest is known. May be used by several threads.

    Keeps no file open, only a directory for each thread that opened a file, until the thread or the reader is gone.
    """

    path: Path
    manifest_bytes: bytes
    """As signed."""
    signature: bytes
    manifest: Manifest
    _opener: Opener = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_opener", Opener(self.path))

    def entries(self) -> Iterator[FileEntry]:
        """Give the entries of the file table, sorted by path, each one checked, in flat memory.

        The table is digested while it is read: BundleDamagedError is raised after the last entry when it is no
        longer the signed one, so nothing that cannot be undone may be done before the iteration has ended.
        """
        return checked_entries(
            self.manifest, self._raw_entries(), lambda: (entry.path for entry in self._raw_entries())
        )

    def carried(self) -> Iterator[FileEntry]:
        """Give the entries of the files that lie in the bundle, as `entries` does."""
        return (entry for entry in self.entries() if entry.volume is not None)

    def open(self, entry: FileEntry) -> FileIO:
        """Open a carried file, unbuffered, without following a link in any part of its path.

        Its bytes are to be compared with the entry while they are read. Raises BundleIncompleteError when it is
        missing and UnsafeFileError when it is no regular file.
        """
        return self._opener.open(entry.path)

    def check_table_digest(self) -> None:
        """Read the table's bytes without looking into them; raises BundleDamagedError when it is not the signed one."""
        reference = self.manifest.table
        with reading(self.path, TABLE_NAME) as source:
            found = copy_and_digest(source, None, limit=reference.size)
        if (found.size, found.sha256) != (reference.size, reference.sha256):
            raise _damaged_table()

    def check_inventory(self) -> None:
        """Read the whole table and compare it with the files that are there; raises the BundleError that fits."""
        head = (
            FoundFile(MANIFEST_NAME, len(self.manifest_bytes)),
            FoundFile(SIGNATURE_NAME, len(self.signature)),
            FoundFile(TABLE_NAME, self.manifest.table.size),
        )
        check_inventory(self.path, self.carried(), head)

    def _raw_entries(self) -> Iterator[FileEntry]:
        with reading(self.path, TABLE_NAME) as source:
            stream = _DigestingStream(source, self.manifest.table.size)
            yield from iter_table(stream)
            if stream.sha256() != self.manifest.table.sha256:
                raise _damaged_table()


class _DigestingStream:
    """Gives the bytes of the table and digests them on the way, stopping one byte after the size it should have."""

    def __init__(self, source: FileIO, size: int) -> None:
        self._source = source
        self._left = size + 1
        self._digest = hashlib.sha256()

    def read(self, size: int, /) -> bytes:
        data = self._source.read(min(size, self._left)) or b""
        self._left -= len(data)
        self._digest.update(data)
        return data

    def sha256(self) -> str:
        return self._digest.hexdigest()


def _damaged_table() -> BundleDamagedError:
    return BundleDamagedError(f"{TABLE_NAME} is not the one that was signed: its size or SHA-256 is another")
