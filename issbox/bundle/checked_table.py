"""The file table of a bundle in a private copy: checked once, then read as often as anybody likes.

An import looks through the table half a dozen times. Nobody but this process can change the copy between two looks,
so its digest is compared while it is made, and its lines are checked the first time they are read.
"""

from collections.abc import Iterator
from pathlib import Path

from issbox.bundle.table import iter_marked, iter_table
from issbox.bundle.table_checks import checked_entries
from issbox.errors import BundleDamagedError
from issbox.files import BLOCK, Digest, Readable, Writable, copy_and_digest
from issbox.manifest import TABLE_NAME, EntryKind, FileEntry, Manifest
from issbox.scratch import ScratchFile


class CheckedTable:
    """The entries of the table that a manifest names. It lives in a file without a name, gone with the last reference.

    Once it is taken, several iterations may go on at the same time.
    """

    def __init__(self, manifest: Manifest, scratch: Path | None = None) -> None:
        """Take the manifest, and the directory for the copy: the system's temporary one by default."""
        self._manifest = manifest
        self._scratch = scratch
        self._file: ScratchFile | None = None
        self._checked = False
        self._marks = bytearray()
        """For each line whether it is anything but a package that the bundle lists without carrying it."""

    @property
    def taken(self) -> bool:
        """Whether the copy is there."""
        return self._file is not None

    def take(self, source: Readable) -> None:
        """Copy the table; raises BundleDamagedError when it is not the signed one, and what the disk says."""
        reference, file = self._manifest.table, ScratchFile(self._scratch)
        found = copy_and_digest(source, file, limit=reference.size)
        if found != Digest(reference.size, reference.sha256):
            raise BundleDamagedError(f"{TABLE_NAME} is not the one that was signed: its size or SHA-256 is another")
        self._file = file

    def entries(self, *, listed: bool = True) -> Iterator[FileEntry]:
        """Give the entries, sorted by path, in flat memory.

        Without `listed`, packages that the bundle does not carry are left out; of an increment those are nearly all,
        and they are passed over without being decoded. The first time, each entry is checked before it is given, and at
        the end whether they add up to what the manifest says; so nothing that cannot be undone may be done before an
        iteration has ended. Raises UnsafePathError, NameClashError and BadManifestError.
        """
        if self._checked:
            yield from self._as_they_stand() if listed else iter_marked(self._stream(), self._marks)
            return
        marks = bytearray()
        for entry in checked_entries(self._manifest, self._as_they_stand, self._scratch):
            mark = entry.carried or entry.kind is not EntryKind.PACKAGE
            marks.append(mark)
            if listed or mark:
                yield entry
        self._marks = marks
        self._checked = True

    def copy(self, out: Writable) -> None:
        """Write the bytes of the table."""
        copy_and_digest(self._stream(), out)

    def _as_they_stand(self) -> Iterator[FileEntry]:
        return iter_table(self._stream())

    def _stream(self) -> "_In":
        assert self._file is not None, "the table is taken before it is read"
        return _In(self._file)


class _In:
    """Reads a file from its beginning, however many others read it meanwhile."""

    def __init__(self, file: ScratchFile) -> None:
        self._file = file
        self._offset = 0

    def read(self, size: int, /) -> bytes:
        data = self._file.read(self._offset, size)
        self._offset += len(data)
        return data

    def readinto(self, buffer: memoryview, /) -> int:
        data = self.read(min(len(buffer), BLOCK))
        buffer[: len(data)] = data
        return len(data)
