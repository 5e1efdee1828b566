"""Reads a bundle that is a tar stream: chunks with a signed table of contents, a single archive, or a pipe.

The head comes first in the stream, then the files in the order of the table; so a pipe is enough, and only the table
is put on the disk.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Self

from issbox.bundle.check import MAX_MANIFEST, Limits, Trusted, check_head
from issbox.bundle.checked_table import CheckedTable
from issbox.bundle.pieces import Piece
from issbox.bundle.reader import everything
from issbox.bundle.signature import SIGNATURE_SIZE
from issbox.bundle.tar.tar_reader import TarMember, TarReader
from issbox.errors import (
    BadManifestError,
    BundleDamagedError,
    BundleIncompleteError,
    NotABundleError,
    OversizedError,
    UnlistedFileError,
    UnsignedBundleError,
)
from issbox.files import BLOCK, Digest, Writable
from issbox.manifest import MANIFEST_NAME, SIGNATURE_NAME, TABLE_NAME, FileEntry

OpenStream = Callable[[], AbstractContextManager[TarReader]]
"""Opens the stream at its beginning; a pipe can be opened once."""


class ArchiveReader:
    """A bundle in a tar stream, its head checked. Not for several threads; a context manager."""

    sequential = True
    volume = 1

    def __init__(
        self, path: Path, open_stream: OpenStream, trusted: Trusted | None, limits: Limits, scratch: Path
    ) -> None:
        """Name the archive; `scratch` is a directory for the copy of the file table."""
        self.path = path
        self._open_stream = open_stream
        self._trusted = trusted
        self._limits = limits
        self._scratch = scratch
        self._stream = ExitStack()
        self._members: Iterator[TarMember] | None = None

    def __enter__(self) -> Self:
        """Read and check the head.

        Raises what `check.open_head` raises, and BadManifestError when the head does not come first.
        """
        with ExitStack() as stack:
            members = iter(stack.enter_context(self._open_stream()))
            self.manifest_bytes = self._small(members, MANIFEST_NAME, MAX_MANIFEST)
            self.signature = self._small(members, SIGNATURE_NAME, SIGNATURE_SIZE)
            self.manifest = check_head(self.manifest_bytes, self.signature, self._trusted, self._limits)
            if len(self.manifest.volumes) > 1:
                raise BadManifestError(f"{self.path} is an archive, but its manifest has several volumes")
            self._table = self._read_table(members)
            self._stream, self._members = stack.pop_all(), members
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def entries(self, *, listed: bool = True) -> Iterator[FileEntry]:
        """Give the entries of the file table."""
        return self._table.entries(listed=listed)

    def check_body(self) -> None:
        """Check the rules of the table; whether the files are there is found out while they are read."""
        for _ in self.entries():
            pass

    def copy_table(self, out: Writable) -> None:
        """Write the bytes of the file table."""
        self._table.copy(out)

    def pieces(self, wanted: Callable[[FileEntry], bool] = everything) -> Iterator[Piece]:
        """Give the wanted files as they come by; each has to be read before the next one is asked for.

        Raises UnlistedFileError, BundleIncompleteError, BundleDamagedError or OversizedError when the stream holds
        anything else than the table says, and what the stream raises.
        """
        members = self._take_members()
        for entry in self.entries(listed=False):
            if not entry.carried:
                continue
            if entry.parts:
                raise BadManifestError(f"{TABLE_NAME}: {entry.path!r}: an archive carries no parts of files")
            member = self._compare(entry, next(members, None))
            if wanted(entry):
                yield _piece(entry, member)
        extra = next(members, None)
        if extra is not None:
            raise UnlistedFileError(f"1 file is not in the signed file table: {extra.path!r}")

    def _take_members(self) -> Iterator[TarMember]:
        """Give the members behind the head: of the stream that is open, or of one opened again."""
        members, self._members = self._members, None
        if members is not None:
            return members
        self._stream.close()
        with ExitStack() as stack:
            members = iter(stack.enter_context(self._open_stream()))
            for _ in range(3):
                next(members, None)
            self._stream = stack.pop_all()
        return members

    def _compare(self, entry: FileEntry, member: TarMember | None) -> TarMember:
        if member is None:
            raise BundleIncompleteError(f"{self.path.name} ends before {entry.path!r}")
        if member.path != entry.path:
            if member.path < entry.path:
                raise UnlistedFileError(f"1 file is not in the signed file table: {member.path!r}")
            raise BundleIncompleteError(f"1 file is missing: {entry.path!r}")
        if member.size > entry.size:
            raise OversizedError(f"{entry.path!r} is longer than the {entry.size} bytes of the signed file table")
        if member.size < entry.size:
            raise BundleDamagedError(f"{entry.path!r} has {member.size} bytes, the signed file table says {entry.size}")
        return member

    def _small(self, members: Iterator[TarMember], name: str, limit: int) -> bytes:
        member = next(members, None)
        if member is None or member.path != name:
            if name == MANIFEST_NAME:
                raise NotABundleError(f"{self.path} does not begin with {name}")
            raise UnsignedBundleError(f"{self.path} does not have {name} behind {MANIFEST_NAME}")
        if member.size > limit:
            raise OversizedError(
                f"{name} has {member.size} bytes, more than the {limit} allowed",
                hint="No issbox writes such a bundle: find out where it comes from.",
            )
        data = bytearray(member.size)
        done = 0
        while count := member.readinto(memoryview(data)[done : done + BLOCK]):
            done += count
        return bytes(data)

    def _read_table(self, members: Iterator[TarMember]) -> CheckedTable:
        member = next(members, None)
        if member is None or member.path != TABLE_NAME:
            raise BundleIncompleteError(f"{self.path} does not have {TABLE_NAME} behind {SIGNATURE_NAME}")
        table = CheckedTable(self.manifest, self._scratch)
        table.take(member)
        return table


@contextmanager
def pipe_once(reader: TarReader) -> Iterator[TarReader]:
    """Give a reader that is there already, for `OpenStream` of a pipe."""
    yield reader


def _piece(entry: FileEntry, member: TarMember) -> Piece:
    return Piece(entry, None, entry.path, Digest(entry.size, entry.sha256), lambda: nullcontext(member))
