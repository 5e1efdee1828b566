"""A file on its way in: hashed while it is written, and gone on with after a break."""

import threading
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import Final

from issbox.errors import DigestMismatchError, OversizedError
from issbox.files import BLOCK, Digest
from issbox.names import format_size
from issbox.syncing import start_writeback
from issbox.yum.checksums import Checksum, new_hash


class AbandonedError(Exception):
    """The download was given up while a thread still wrote to it."""


class Part:
    """One download. Its methods may be called from several threads, one after the other."""

    def __init__(
        self,
        path: Path,
        name: str,
        *,
        checksum: Checksum | None,
        size: int | None,
        limit: int,
        advance: Callable[[int], None],
    ) -> None:
        """Prepare to write to `path`; `name` is the file's name in messages, `limit` bounds an unknown size.

        `advance` is told bytes as they come in; bytes fetched a second time are not told again.
        """
        self.name: Final = name
        self.path: Final = path
        self.checked: Final = checksum is not None
        self._checksum = checksum
        self._expected = size
        self._limit = limit if size is None else size
        self._advance = advance
        self._told = 0
        self.received = 0
        """Bytes that came from upstream, those fetched a second time too."""
        self._file: FileIO | None = None
        self._lock = threading.Lock()
        self._abandoned = False
        self._size = 0
        self._reset_hashes()

    @property
    def size(self) -> int:
        """Bytes that are here."""
        return self._size

    @property
    def reached(self) -> int:
        """The most bytes that were ever here."""
        return self._told

    @property
    def complete(self) -> bool:
        """Whether all bytes are here, as the size tells or, where nobody says it, the checksum."""
        if self._expected is not None:
            return self._size == self._expected
        return self._checksum is not None and self._size > 0 and self._found() == self._checksum.value

    @property
    def short(self) -> bool:
        """Whether bytes are known to be missing."""
        return self._expected is not None and self._size < self._expected

    def open(self) -> None:
        """Open the file; what an earlier run left is hashed and kept when a checksum will tell whether it is right."""
        with self._lock:
            self._file = FileIO(self.path, "a+")
            size = self.path.stat().st_size
            if self._checksum is None or size > self._limit:
                self._empty()
                return
            self._file.seek(0)
            buffer = memoryview(bytearray(min(BLOCK, max(size, 1))))
            while count := self._file.readinto(buffer):
                if self._abandoned:
                    raise AbandonedError
                self._take(buffer[:count])

    def restart(self) -> None:
        """Throw away what is here."""
        with self._lock:
            self._empty()

    def write(self, data: bytes) -> None:
        """Append and hash. Raises OversizedError when it gets more than it may, AbandonedError after `abandon`."""
        with self._lock:
            if self._abandoned or self._file is None:
                raise AbandonedError
            if self._size + len(data) > self._limit:
                raise self._too_long()
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) :]
            self.received += len(data)
            self._take(data)

    def finish(self) -> Digest:
        """Close the file and give its digest. Raises DigestMismatchError when it is not what was promised."""
        if self._file is not None:
            start_writeback(self._file.fileno(), self._size)
        self.close()
        if self._expected is not None and self._size != self._expected:
            raise DigestMismatchError(f"{self.name} has {self._size} bytes, but {self._expected} were promised")
        if self._checksum is not None:
            found = self._found()
            if found != self._checksum.value:
                raise DigestMismatchError(
                    f"{self.name} is damaged: its {self._checksum.type} is {found}, but {self._checksum.value} was "
                    "promised"
                )
        return Digest(self._size, self._sha256.hexdigest())

    def close(self) -> None:
        """Close the file, keeping what is here."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def remove(self) -> None:
        """Close the file and delete it."""
        self.close()
        self.path.unlink(missing_ok=True)
        self._empty()

    def abandon(self) -> None:
        """Make a thread that still reads or writes stop, and close the file."""
        self._abandoned = True
        self.close()

    def _take(self, data: bytes | memoryview) -> None:
        self._sha256.update(data)
        if self._extra is not None:
            self._extra.update(data)
        self._size += len(data)
        if self._size > self._told:
            self._advance(self._size - self._told)
            self._told = self._size

    def _found(self) -> str:
        return (self._extra or self._sha256).hexdigest()

    def _empty(self) -> None:
        # ext4 writes a file out when it is closed after being truncated, which new ones should not pay for.
        if self._file is not None and self.path.stat().st_size > 0:
            self._file.truncate(0)
        self._size = 0
        self._reset_hashes()

    def _reset_hashes(self) -> None:
        self._sha256 = new_hash("sha256")
        other = self._checksum is not None and self._checksum.type != "sha256"
        self._extra = new_hash(self._checksum.type) if other and self._checksum is not None else None

    def _too_long(self) -> DigestMismatchError | OversizedError:
        if self._expected is not None:
            return DigestMismatchError(f"{self.name} is longer than the {self._expected} bytes that were promised")
        return OversizedError(
            f"{self.name} is larger than {format_size(self._limit)}",
            hint="No repository needs a file of this kind to be so large; ask who runs the upstream server.",
        )
