"""Bringing blobs in: staged one by one from any thread, made visible together.

What is staged is known by the names in the staging directory alone, so that memory does not grow with the files.
"""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from issbox.errors import DigestMismatchError, InvalidValueError, StoreDamagedError
from issbox.files import Digest, NamedWriter, Readable, copy_and_digest, digest_file, error_from_os
from issbox.names import is_sha256
from issbox.store.disk.staging import Staging
from issbox.syncing import Writeback, sync_filesystem

_READ_ONLY: Final = 0o444
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


class Places(Protocol):
    """Where blobs lie."""

    def place(self, sha256: str) -> str:
        """Give the path of a blob, whether it is there or not."""

    def has(self, sha256: str, size: int | None = None) -> bool:
        """Tell whether the blob is there, with that many bytes when a size is given."""


class Batch:
    """Blobs on their way in, for use in a with-block. All methods may be called from several threads at once."""

    def __init__(self, places: Places, staging: Path, name: str | None, *, replace: bool) -> None:
        """Prepare a batch; see BlobStore.batch."""
        self._places = places
        self._staging = Staging(staging, name)
        self._replace = replace
        self._behind = Writeback()
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._count = self._size = 0
        self._committed: set[str] = set()
        """What a replacing batch has renewed."""

    def __enter__(self) -> Self:
        """Take the staging directory, with what a killed process finished there; raises BusyError."""
        self._staging.__enter__()
        try:
            self._take_over()
        except BaseException as error:
            self._staging.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Discard what is not committed, except the `*.part` files of a named batch."""
        with self._behind:
            self._staging.__exit__(kind, error, traceback)

    def has(self, sha256: str, size: int | None = None) -> bool:
        """Tell whether the blob is stored or staged here, with that many bytes when a size is given."""
        if is_sha256(sha256):
            with suppress(FileNotFoundError):
                staged = os.lstat(self._path(sha256)).st_size
                return size is None or staged == size
        if self._replace and sha256 not in self._committed:
            return False
        return self._places.has(sha256, size)

    def locate(self, sha256: str) -> Path:
        """Give the file of a blob that is staged here or stored; raises StoreDamagedError when it is neither."""
        place = self._places.place(sha256)
        for path in (Path(self._path(sha256)), Path(place)):
            if path.exists():
                return path
        raise StoreDamagedError(f"the file with the SHA-256 {sha256} is neither staged nor stored")

    def add(
        self,
        source: Readable,
        *,
        sha256: str | None = None,
        size: int | None = None,
        advance: Callable[[int], None] | None = None,
    ) -> Digest:
        """Read the source to its end into staging, digesting on the way; `advance` hears of the bytes written.

        Raises DigestMismatchError when the bytes are not of the given digest or size; they are removed then.
        NoSpaceError, PermissionDeniedError and OperatingSystemError come from the disk.
        """
        path = self._path(f"file-{next(self._numbers)}")
        try:
            digest = self._write(path, source, size, advance)
            if (sha256 is not None and digest.sha256 != sha256) or (size is not None and digest.size != size):
                raise DigestMismatchError(_mismatch(digest, sha256, size))
            self._keep(path, digest)
        except BaseException as error:
            with suppress(OSError):
                Path(path).unlink()
            if isinstance(error, OSError):
                raise error_from_os(error) from error
            raise
        return digest

    def _write(self, path: str, source: Readable, size: int | None, advance: Callable[[int], None] | None) -> Digest:
        number = os.open(path, _CREATE, 0o600)
        try:
            digest = copy_and_digest(source, NamedWriter(number, path), advance=advance, limit=size)
            os.fchmod(number, _READ_ONLY)
            self._behind.follow(number, digest.size, path)
            return digest
        finally:
            os.close(number)

    @property
    def staged(self) -> tuple[int, int]:
        """Give number and bytes of the blobs that are staged and not committed yet."""
        with self._lock:
            return self._count, self._size

    @property
    def directory(self) -> Path:
        """The staging directory, on the disk that holds the blobs: also the place for scratch files."""
        return self._staging.path

    def temporary(self, name: str) -> Path:
        """Give a place in staging to write a file to; with a name ending in `.part` it survives a crash."""
        if "/" in name or name in {"", ".", ".."} or "\0" in name or is_sha256(name):
            raise InvalidValueError(f"{name!r} is not a name for a staged file")
        return self._staging.path / name

    def adopt(self, path: Path, digest: Digest) -> None:
        """Take a finished file of staging whose bytes have this digest, as the caller found while writing it."""
        if path.parent != self._staging.path:
            raise InvalidValueError(f"{path} does not lie in the staging directory of this batch")
        if not is_sha256(digest.sha256):
            raise InvalidValueError(f"{digest.sha256!r} is not a SHA-256 digest")
        try:
            path.chmod(_READ_ONLY)
            self._keep(str(path), digest)
        except OSError as error:
            raise error_from_os(error) from error

    def commit(self) -> None:
        """Make all staged blobs durable and visible; may be called again after more was added."""
        with self._lock:  # what were finished after the first sync would be seen before it is durable
            if not self._count:
                return
            try:
                sync_filesystem(self._staging.path)
                while self._place_all():
                    pass
                sync_filesystem(self._staging.path)
            except OSError as error:
                raise error_from_os(error) from error

    def _place_all(self) -> bool:
        """Give what is staged its place, and tell whether there was anything: not every list of names sees all."""
        found = False
        with os.scandir(self._staging.path) as entries:
            for entry in entries:
                if is_sha256(entry.name):
                    found = True
                    self._place(entry.name, entry.path, entry.stat(follow_symlinks=False).st_size)
        return found

    def _place(self, sha256: str, path: str, size: int) -> None:
        target = self._places.place(sha256)
        if not self._replace and self._places.has(sha256, size):
            Path(path).unlink()
        else:
            try:
                os.rename(path, target)  # noqa: PTH104  a Path takes longer to make than a rename
            except FileNotFoundError:
                directory = Path(target).parent
                directory.mkdir(exist_ok=True)
                directory.chmod(0o755)
                Path(path).rename(target)
        if self._replace:
            self._committed.add(sha256)
        self._count, self._size = self._count - 1, self._size - size

    def _keep(self, path: str, digest: Digest) -> None:
        """Call a finished file by its digest: that is how it is known to be staged, and found after a crash."""
        target = self._path(digest.sha256)
        with self._lock:
            if not os.path.lexists(target):
                self._count, self._size = self._count + 1, self._size + digest.size
            os.rename(path, target)  # noqa: PTH104  as above

    def _path(self, name: str) -> str:
        return f"{self._staging.path}/{name}"

    def _take_over(self) -> None:
        """Stage what a killed process finished: files named by a digest that their bytes still have."""
        with os.scandir(self._staging.path) as entries:
            for entry in entries:
                path = Path(entry.path)
                if is_sha256(entry.name) and entry.is_file(follow_symlinks=False):
                    digest = digest_file(path)
                    if digest.sha256 == entry.name:
                        path.chmod(_READ_ONLY)
                        self._count, self._size = self._count + 1, self._size + digest.size
                        continue
                if not entry.name.endswith(".part"):
                    path.unlink()


def _mismatch(digest: Digest, sha256: str | None, size: int | None) -> str:
    if size is not None and digest.size != size:
        more = "more than " if digest.size > size else f"{digest.size} instead of "
        return f"the file has {more}{size} bytes"
    return f"the file has the SHA-256 {digest.sha256} instead of {sha256}"
