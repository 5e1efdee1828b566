"""Reads the chunks of a stream in order as one, and says of each whether it is the one that was signed."""

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from io import FileIO
from pathlib import Path
from typing import Self

from issbox.bundle.tree import Opener, translated
from issbox.errors import BundleDamagedError, BundleIncompleteError, UnsafeFileError
from issbox.files import BLOCK, Digest


@dataclass(frozen=True, slots=True)
class ChunkFile:
    """A chunk where it lies."""

    path: Path
    digest: Digest
    """Size and SHA-256 of the table of contents."""


class ChunkedStream:
    """The bytes of all chunks, one after the other; a context manager.

    A chunk is digested while it is read, and its last bytes are given only when it is what it must be: a reader that
    has come to the end has read exactly what was signed. Chunks are never changed, and links are not followed.
    """

    def __init__(self, chunks: Sequence[ChunkFile], *, partial: bool = False) -> None:
        """Take the chunks in order; with `partial` those that are missing only end the stream, with an error."""
        self._chunks = chunks
        self._partial = partial
        self._next = 0
        self._current: _OpenChunk | None = None
        self._error: BundleDamagedError | None = None

    def __enter__(self) -> Self:
        """Look whether all chunks are there.

        Raises UnsafeFileError for one that is no regular file and, unless a part of the stream will do,
        BundleIncompleteError naming all that are missing and BundleDamagedError naming all that have another size than
        they must.
        """
        missing, sizes = [], []
        for chunk in self._chunks:
            size = _size(chunk.path)
            if size is None:
                missing.append(chunk.path.name)
            elif size != chunk.digest.size:
                sizes.append(f"{chunk.path.name} has {size} bytes instead of {chunk.digest.size}")
        if missing and not self._partial:
            raise BundleIncompleteError(
                f"{len(missing)} of {len(self._chunks)} chunks are missing: {', '.join(missing)}",
                hint="Copy the named chunks to the others, then retry.",
            )
        if sizes and not self._partial:
            raise BundleDamagedError(f"the table of contents says otherwise: {', '.join(sizes)}")
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill the buffer and give the number of bytes, 0 behind the last chunk.

        Raises BundleDamagedError naming the chunk that is not what it must be, and what the operating system says.
        """
        if self._error is not None:
            raise self._error  # Nothing behind a damaged chunk is ever given.
        if self._current is None:
            if self._next == len(self._chunks):
                return 0
            self._current = _OpenChunk(self._chunks[self._next])
            self._next += 1
        chunk = self._current.chunk
        count = self._current.readinto(buffer)
        if self._current.left and count:
            return count
        found = self._current.finish()
        self._close()
        if found != chunk.digest:
            self._error = self._damaged(chunk, found)
            raise self._error
        return count

    def check_current(self) -> None:
        """Read the chunk that is being read to its end; raises what `readinto` raises.

        For when its contents made no sense: then the damaged chunk is what a person wants to know.
        """
        scratch = memoryview(bytearray(BLOCK))
        while self._current is not None or self._error is not None:
            self.readinto(scratch)

    def _damaged(self, chunk: ChunkFile, found: Digest) -> BundleDamagedError:
        name, said = chunk.path.name, chunk.digest
        for other in self._chunks:
            if other.digest == found:
                return BundleDamagedError(
                    f"the chunk {name} holds what belongs into {other.path.name}",
                    hint="Give the chunks their right names, or copy the named one again; then retry.",
                )
        if found.size != said.size:
            return BundleDamagedError(
                f"the chunk {name} has {found.size} bytes, the table of contents says {said.size}"
            )
        return BundleDamagedError(
            f"the chunk {name} has SHA-256 {found.sha256}, the table of contents says {said.sha256}",
            hint="Copy the named chunk from the medium again, or have it exported again; then retry.",
        )

    def _close(self) -> None:
        if self._current is not None:
            self._current.close()
            self._current = None


class _OpenChunk:
    """A chunk that is being read."""

    def __init__(self, chunk: ChunkFile) -> None:
        self.chunk = chunk
        self.left = chunk.digest.size
        self._digest = sha256()
        self._source: FileIO = Opener(chunk.path.parent).open(chunk.path.name)

    def readinto(self, buffer: memoryview) -> int:
        with translated(self.chunk.path.parent, self.chunk.path.name):
            count = self._source.readinto(buffer[: self.left]) or 0
        self._digest.update(buffer[:count])
        self.left -= count
        return count

    def finish(self) -> Digest:
        """Give what has been read; the size tells of a file that shrank or grew meanwhile."""
        with translated(self.chunk.path.parent, self.chunk.path.name):
            size = os.fstat(self._source.fileno()).st_size
        read = self.chunk.digest.size - self.left
        return Digest(size if size > read else read, self._digest.hexdigest())

    def close(self) -> None:
        with suppress(OSError):
            self._source.close()


def _size(path: Path) -> int | None:
    """Give the size of a regular file, None when there is nothing."""
    with translated(path.parent, path.name):
        try:
            status = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
    if not stat.S_ISREG(status.st_mode):
        raise UnsafeFileError(f"{path.name!r} is a link or no regular file; chunks are only read from plain files")
    return status.st_size
