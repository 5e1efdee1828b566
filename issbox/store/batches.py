"""Bringing blobs in: staged one by one from any thread, made visible together."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from issbox.errors import DigestMismatchError, InvalidValueError, StoreDamagedError
from issbox.files import Digest, Readable, copy_and_digest, digest_file, error_from_os
from issbox.names import is_sha256
from issbox.store.staging import Staging
from issbox.syncing import Writeback, sync_filesystem

_READ_ONLY: Final = 0o444
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


class Places(Protocol):
    """Where blobs lie."""

    def place(self, sha256: str) -> str:
        """Give the path of a blob, whether it is there or not."""

    def has(self, sha256: str, size: int | None = None) -> bool:
        """Tell whether the blob is there, with that many bytes when a size is given."""


class _Descriptor:
    """Writes to an open file without a buffer of its own, and all of what it is given."""

    def __init__(self, number: int, path: str) -> None:
        self._number = number
        self._path = path

    def write(self, data: memoryview, /) -> None:
        try:
            while data:
                data = data[os.write(self._number, data) :]
        except OSError as error:
            error.filename = self._path  # the system does not say it, and the source may fail as well
            raise


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
        self._staged: dict[str, tuple[str, int]] = {}
        self._claimed: set[str] = set()
        """Names in staging that are taken, finished or not."""
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
        staged = self._staged.get(sha256)
        if staged is not None:
            return size is None or staged[1] == size
        if self._replace and sha256 not in self._committed:
            return False
        return self._places.has(sha256, size)

    def locate(self, sha256: str) -> Path:
        """Give the file of a blob that is staged here or stored; raises StoreDamagedError when it is neither."""
        with self._lock:
            staged = self._staged.get(sha256)
            if staged is not None:
                return Path(staged[0])
        path = Path(self._places.place(sha256))
        if not path.exists():
            raise StoreDamagedError(f"the file with the SHA-256 {sha256} is neither staged nor stored")
        return path

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
        name = self._claim(sha256)
        path = f"{self._staging.path}/{name}"
        try:
            digest = self._write(path, source, size, advance)
            if (sha256 is not None and digest.sha256 != sha256) or (size is not None and digest.size != size):
                raise DigestMismatchError(_mismatch(digest, sha256, size))
        except BaseException as error:
            with suppress(OSError):
                Path(path).unlink()
            with self._lock:
                self._claimed.discard(name)
            if isinstance(error, OSError):
                raise error_from_os(error) from error
            raise
        self._keep(path, digest)
        return digest

    def _write(self, path: str, source: Readable, size: int | None, advance: Callable[[int], None] | None) -> Digest:
        number = os.open(path, _CREATE, 0o600)
        try:
            digest = copy_and_digest(source, _Descriptor(number, path), advance=advance, limit=size)
            os.fchmod(number, _READ_ONLY)
            self._behind.follow(number, digest.size, path)
            return digest
        finally:
            os.close(number)

    @property
    def staged(self) -> tuple[int, int]:
        """Give number and bytes of the blobs that are staged and not committed yet."""
        with self._lock:
            return len(self._staged), sum(size for _, size in self._staged.values())

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
            # Renamed, so that the caller may use the name for another file.
            final = f"{self._staging.path}/{self._claim(digest.sha256)}"
            path.chmod(_READ_ONLY)
            path.replace(final)
        except OSError as error:
            raise error_from_os(error) from error
        self._keep(final, digest)

    def commit(self) -> None:
        """Make all staged blobs durable and visible; may be called again after more was added."""
        with self._lock:
            staged, self._staged = self._staged, {}
        if not staged:
            return
        try:
            sync_filesystem(self._staging.path)
            for sha256, (path, size) in staged.items():
                self._place(sha256, path, size)
            sync_filesystem(self._staging.path)
        except OSError as error:
            with self._lock:
                self._staged = {
                    **{key: value for key, value in staged.items() if Path(value[0]).exists()},
                    **self._staged,
                }
            raise error_from_os(error) from error

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
        with self._lock:
            self._committed.add(sha256)
            self._claimed.discard(path.rpartition("/")[2])

    def _claim(self, sha256: str | None) -> str:
        """Choose the name of a staged file: the digest it should have, if no other thread is writing that one."""
        with self._lock:
            name = sha256 if sha256 is not None and sha256 not in self._claimed else f"file-{next(self._numbers)}"
            self._claimed.add(name)
        return name

    def _keep(self, path: str, digest: Digest) -> None:
        with self._lock:
            first = self._staged.setdefault(digest.sha256, (path, digest.size))
        if first[0] != path:
            Path(path).unlink()

    def _take_over(self) -> None:
        """Stage what a killed process finished: files named by a digest that their bytes still have."""
        for path in list(self._staging.path.iterdir()):
            if is_sha256(path.name) and path.is_file() and not path.is_symlink():
                digest = digest_file(path)
                if digest.sha256 == path.name:
                    path.chmod(_READ_ONLY)
                    self._claimed.add(path.name)
                    self._keep(str(path), digest)
                    continue
            if not path.name.endswith(".part"):
                path.unlink()


def _mismatch(digest: Digest, sha256: str | None, size: int | None) -> str:
    if size is not None and digest.size != size:
        more = "more than " if digest.size > size else f"{digest.size} instead of "
        return f"the file has {more}{size} bytes"
    return f"the file has the SHA-256 {digest.sha256} instead of {sha256}"
