"""The blob store: every file once, under the SHA-256 of its bytes, read-only.

A final name never holds torn bytes: whatever is staged is made durable, then renamed, then the renames are made
durable. Only after that may a row refer to the blob.
"""

import os
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Final

from issbox.errors import InvalidValueError, StoreDamagedError
from issbox.files import error_from_os, open_regular
from issbox.names import is_sha256
from issbox.store.disk.batches import Batch

_MISSING_HINT: Final = "Synchronize or import the repository again with --repair to bring the file back."


class BlobStore:
    """All blobs of a box. Needs no session; may be used from any thread."""

    def __init__(self, root: Path, staging: Path) -> None:
        """Take the directory of the blobs and the one for unfinished files, in the same file system."""
        self._root = root
        self._staging = staging

    def path(self, sha256: str) -> Path:
        """Give the place of a blob, whether it is there or not."""
        return Path(self.place(sha256))

    def place(self, sha256: str) -> str:
        """Give the same as a string: making a Path takes longer than asking the disk what is there."""
        if not is_sha256(sha256):
            raise InvalidValueError(f"{sha256!r} is not a SHA-256 digest")
        return f"{self._root}/{sha256[:2]}/{sha256[2:]}"

    def has(self, sha256: str, size: int | None = None) -> bool:
        """Tell whether the blob is there, and has that many bytes when a size is given."""
        try:
            status = os.stat(self.place(sha256))  # noqa: PTH116  a Path takes longer to make than a look at the disk
        except FileNotFoundError:
            return False
        return size is None or status.st_size == size

    def open(self, sha256: str) -> FileIO:
        """Open a blob for reading, unbuffered; raises StoreDamagedError when it is missing."""
        try:
            return open_regular(self.place(sha256))
        except FileNotFoundError:
            raise _missing(sha256) from None
        except OSError as error:
            raise error_from_os(error) from error

    def size(self, sha256: str) -> int:
        """Give the bytes of a blob; raises StoreDamagedError when it is missing."""
        try:
            return self.path(sha256).stat().st_size
        except FileNotFoundError:
            raise _missing(sha256) from None

    def digests(self) -> Iterator[str]:
        """Give the digests of all blobs, ascending, one directory in memory at a time."""
        for directory in sorted(self._root.iterdir()):
            for name in sorted(path.name for path in directory.iterdir()):
                if is_sha256(directory.name + name):
                    yield directory.name + name

    def remove(self, sha256: str) -> None:
        """Remove a blob, if it is there."""
        try:
            self.path(sha256).unlink(missing_ok=True)
        except OSError as error:
            raise error_from_os(error) from error

    def batch(self, name: str | None = None, *, replace: bool = False) -> Batch:
        """Give a batch to bring blobs in. The same name finds what a batch of a killed process left.

        With `replace`, blobs that are there already are taken again and replaced: that is how a damaged one is mended.
        """
        return Batch(self, self._staging, name, replace=replace)


def _missing(sha256: str) -> StoreDamagedError:
    return StoreDamagedError(f"the stored file with the SHA-256 {sha256} is missing", hint=_MISSING_HINT)
