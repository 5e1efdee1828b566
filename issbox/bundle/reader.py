"""Reads a bundle whose manifest is known. What it gives out has been checked as `check.open_bundle` describes."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Protocol

from issbox.bundle.checked_table import CheckedTable
from issbox.bundle.inventory import check_inventory
from issbox.bundle.pieces import Piece
from issbox.bundle.tree import FoundFile
from issbox.bundle.volume_files import VolumeFiles
from issbox.files import Digest, Writable, copy_and_digest
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

    def entries(self, *, listed: bool = True) -> Iterator[FileEntry]:
        """Give the entries of the file table, sorted by path, in flat memory; see `CheckedTable.entries`."""

    def check_body(self) -> None:
        """Check the table and, as far as it can be known before reading them, that the files are there."""

    def pieces(self, wanted: Callable[[FileEntry], bool] = everything) -> Iterator[Piece]:
        """Give what this volume carries of the wanted entries.

        The bytes of a piece are to be compared with its digest while they are read.
        """

    def copy_table(self, out: Writable) -> None:
        """Write the bytes of the file table; raises BundleDamagedError when it is not the signed one."""


class VolumeReader:
    """A volume whose files can be opened one by one: a directory or an image.

    Its pieces may be opened by several threads.
    """

    sequential = False

    def __init__(
        self,
        files: VolumeFiles,
        manifest_bytes: bytes,
        signature: bytes,
        manifest: Manifest,
        *,
        volume: int = 1,
        scratch: Path | None = None,
    ) -> None:
        """Take the head as `check.open_head` has read it, and a directory for the copy of the file table."""
        self.files = files
        self.path = files.path
        self.manifest_bytes = manifest_bytes
        self.signature = signature
        self.manifest = manifest
        self.volume = volume
        self._checked_table = CheckedTable(manifest, scratch)

    def entries(self, *, listed: bool = True) -> Iterator[FileEntry]:
        """Give the entries of the file table; raises BundleDamagedError when it is not the signed one."""
        return self._table().entries(listed=listed)

    def pieces(self, wanted: Callable[[FileEntry], bool] = everything) -> Iterator[Piece]:
        """Give what this volume carries of the wanted entries, sorted by the path of the entry."""
        for entry in self.entries(listed=False):
            if entry.carried and wanted(entry):
                yield from self._pieces_of(entry)

    def copy_table(self, out: Writable) -> None:
        """Write the bytes of the file table."""
        self._table().copy(out)

    def check_body(self) -> None:
        """Check the table and compare it with the files that are there; raises the BundleError that fits."""
        self._table()
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

    def _table(self) -> CheckedTable:
        """Give the table, which is copied when it is asked for first."""
        if not self._checked_table.taken:
            with self.files.open(TABLE_NAME) as source:
                self._checked_table.take(source)
        return self._checked_table
