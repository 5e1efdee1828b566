"""Reads a bundle whose manifest is known. What it gives out has been checked as `check.open_bundle` describes."""

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Protocol

from issbox.bundle.inventory import check_inventory
from issbox.bundle.pieces import Piece
from issbox.bundle.table import ByteStream, iter_table
from issbox.bundle.table_checks import checked_entries
from issbox.bundle.tree import FoundFile
from issbox.bundle.volume_files import VolumeFiles
from issbox.errors import BundleDamagedError
from issbox.files import Digest, Readable, copy_and_digest
from issbox.manifest import (
    MANIFEST_NAME,
    SIGNATURE_NAME,
    TABLE_NAME,
    VOLUME_NAME,
    FileEntry,
    Manifest,
    part_path,
)


def everything(_: FileEntry) -> bool:
    """Want every entry."""
    return True


class BundleReader(Protocol):
    """A bundle, or a volume of one, whose head can be believed."""

    @property
    def path(self) -> Path:
        """Give where it lies."""

    @property
    def manifest_bytes(self) -> bytes:
        """Give the manifest as signed."""

    @property
    def signature(self) -> bytes:
        """Give the signature."""

    @property
    def manifest(self) -> Manifest:
        """Give the manifest."""

    @property
    def volume(self) -> int:
        """Give the number of the volume that this is."""

    @property
    def sequential(self) -> bool:
        """Tell whether each piece has to be read before the next one is taken."""

    def entries(self) -> Iterator[FileEntry]:
        """Give the entries of the file table, sorted by path, each one checked, in flat memory.

        The table is digested while it is read: BundleDamagedError is raised after the last entry when it is no
        longer the signed one, so nothing that cannot be undone may be done before the iteration has ended.
        """

    def check_body(self) -> None:
        """Check the table and, as far as it can be known before reading them, that the files are there."""

    def pieces(self, wanted: Callable[[FileEntry], bool] = everything) -> Iterator[Piece]:
        """Give what this volume carries of the wanted entries.

        The bytes of a piece are to be compared with its digest while they are read.
        """

    def copy_table(self, out: "TableOut") -> None:
        """Write the bytes of the file table; raises BundleDamagedError when it is not the signed one."""


class TableOut(Protocol):
    """Takes the bytes of a file table."""

    def write(self, data: memoryview, /) -> object:
        """Write all of the data."""


class VolumeReader:
    """A volume whose files can be opened one by one: a directory or an image. May be used by several threads."""

    sequential = False

    def __init__(
        self, files: VolumeFiles, manifest_bytes: bytes, signature: bytes, manifest: Manifest, volume: int = 1
    ) -> None:
        """Take the head as `check.open_head` has read it."""
        self.files = files
        self.path = files.path
        self.manifest_bytes = manifest_bytes
        self.signature = signature
        self.manifest = manifest
        self.volume = volume

    def entries(self) -> Iterator[FileEntry]:
        """Give the entries of the file table."""
        return checked_entries(self.manifest, self._raw_entries)

    def pieces(self, wanted: Callable[[FileEntry], bool] = everything) -> Iterator[Piece]:
        """Give what this volume carries of the wanted entries, sorted by the path of the entry."""
        for entry in self.entries():
            if entry.carried and wanted(entry):
                yield from self._pieces_of(entry)

    def copy_table(self, out: TableOut | None) -> None:
        """Read the table's bytes without looking into them; raises BundleDamagedError when it is not the signed one."""
        reference = self.manifest.table
        with self.files.open(TABLE_NAME) as source:
            found = copy_and_digest(source, out, limit=reference.size)
        if (found.size, found.sha256) != (reference.size, reference.sha256):
            raise damaged_table()

    def check_body(self) -> None:
        """Check the table and compare it with the files that are there; raises the BundleError that fits."""
        self.copy_table(None)
        head = [
            FoundFile(MANIFEST_NAME, len(self.manifest_bytes)),
            FoundFile(SIGNATURE_NAME, len(self.signature)),
            FoundFile(TABLE_NAME, self.manifest.table.size),
        ]
        if len(self.manifest.volumes) > 1:
            with self.files.open(VOLUME_NAME) as source:
                head.append(FoundFile(VOLUME_NAME, copy_and_digest(source, None).size))
        check_inventory(self.files, head, self.pieces())

    def _pieces_of(self, entry: FileEntry) -> Iterator[Piece]:
        if entry.volume == self.volume:
            digest = Digest(entry.size, entry.sha256)
            yield Piece(entry, None, entry.path, digest, partial(self.files.open, entry.path))
        for number, part in enumerate(entry.parts, start=1):
            if part.volume == self.volume:
                path = part_path(entry.path, number)
                yield Piece(entry, number, path, Digest(part.size, part.sha256), partial(self.files.open, path))

    def _raw_entries(self) -> Iterator[FileEntry]:
        with self.files.open(TABLE_NAME) as source:
            yield from digested_entries(source, self.manifest)


def digested_entries(source: Readable, manifest: Manifest) -> Iterator[FileEntry]:
    """Give the entries of a table as they stand; raises BundleDamagedError at its end when it is another table."""
    stream = _DigestingStream(source, manifest.table.size)
    yield from iter_table(stream)
    if stream.sha256() != manifest.table.sha256:
        raise damaged_table()


def damaged_table() -> BundleDamagedError:
    """Give the error for a file table that is not the signed one."""
    return BundleDamagedError(f"{TABLE_NAME} is not the one that was signed: its size or SHA-256 is another")


class _DigestingStream(ByteStream):
    """Gives the bytes of the table and digests them on the way, stopping one byte after the size it should have."""

    def __init__(self, source: Readable, size: int) -> None:
        self._source = source
        self._left = size + 1
        self._digest = hashlib.sha256()

    def read(self, size: int, /) -> bytes:
        buffer = bytearray(min(size, self._left))
        count = self._source.readinto(memoryview(buffer)) or 0
        self._left -= count
        data = bytes(buffer[:count])
        self._digest.update(data)
        return data

    def sha256(self) -> str:
        return self._digest.hexdigest()
