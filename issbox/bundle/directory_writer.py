"""Writes a bundle into a directory, which gets its final name only when everything in it is durable."""

import fcntl
import os
import stat
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Self

from issbox.bundle.clashes import with_ancestors
from issbox.bundle.manifest import decode_manifest, encode_manifest
from issbox.bundle.signature import SigningKey
from issbox.bundle.table import EntrySpool, write_table
from issbox.bundle.table_checks import EntryCheck, in_order
from issbox.bundle.totals import TableTotals
from issbox.errors import AlreadyExistsError, BusyError, DigestMismatchError, InvalidValueError, NameClashError
from issbox.files import (
    Digest,
    Readable,
    WriteBehind,
    copy_and_digest,
    error_from_os,
    remove_tree,
    safe_join,
    sync_directory,
    sync_filesystem,
)
from issbox.manifest import (
    MANIFEST_NAME,
    SIGNATURE_NAME,
    TABLE_NAME,
    EntryKind,
    FileEntry,
    Manifest,
    TableReference,
    Volume,
)
from issbox.names import path_problem
from issbox.rules.layout import listings

_VOLUME = 1
"""A directory is one volume."""


class DirectoryWriter:
    """A bundle in the making: `parent/.NAME.part` until `finish`, then `parent/NAME`.

    A context manager; leaving it without `finish` removes everything, and what a killed process left behind is
    removed by the next writer of the same name. The `add` methods may be called from several threads.
    """

    def __init__(self, parent: Path, name: str) -> None:
        """Name the bundle; raises InvalidValueError when the name is no single visible file name."""
        if not name or "/" in name or name.startswith(".") or path_problem(f".{name}.part") is not None:
            raise InvalidValueError(f"{name[:300]!r} cannot be the name of a bundle's directory")
        self.path = parent / name
        """Where the bundle will be."""
        self._staging = parent / f".{name}.part"
        self._lock = threading.Lock()
        self._directories: set[str] = set()
        self._behind = WriteBehind()
        self._resources = ExitStack()
        self._spool: EntrySpool | None = None

    def __enter__(self) -> Self:
        """Make the directory; raises AlreadyExistsError, BusyError when another process writes it, NoSpaceError..."""
        with _os_errors(self.path), ExitStack() as resources:
            self._refuse_existing()
            with suppress(FileExistsError):
                self._staging.mkdir()
            self._hold(resources)
            for leftover in self._staging.iterdir():
                remove_tree(leftover)
            _set_mode(self._staging, 0o755)
            self._spool = resources.enter_context(EntrySpool(self._staging))
            resources.enter_context(self._behind)
            self._resources = resources.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        # After `finish` the staging directory has another name, and this finds nothing to remove.
        with self._resources, suppress(OSError):
            remove_tree(self._staging)

    def add(
        self,
        path: str,
        kind: EntryKind,
        source: Readable,
        *,
        repository: int | None = None,
        expected: Digest | None = None,
        advance: Callable[[int], None] | None = None,
    ) -> FileEntry:
        """Copy a file to a path of the bundle, digesting it on the way, and give its line of the table.

        `repository` is the index in the manifest to come. Raises UnsafePathError, NameClashError when the path is
        taken on this file system, DigestMismatchError when the source is not what was expected, and NoSpaceError.
        """
        with _os_errors(self.path):
            safe_join(self._staging, path)
            self._make_directories(path.rpartition("/")[0])
            with self._create(path) as out:
                digest = copy_and_digest(source, out, advance=advance, limit=expected.size if expected else None)
                if expected is not None and digest != expected:
                    raise DigestMismatchError(
                        f"{path!r} has {digest.size} bytes with SHA-256 {digest.sha256}, "
                        f"expected were {expected.size} with {expected.sha256}"
                    )
                self._behind.follow(out.fileno(), digest.size, str(self._staging / path))
            entry = FileEntry(
                path=path, size=digest.size, sha256=digest.sha256, kind=kind, repository=repository, volume=_VOLUME
            )
            with self._lock:
                self._entries.add(entry)
        return entry

    def add_bytes(self, path: str, kind: EntryKind, data: bytes, *, repository: int | None = None) -> FileEntry:
        """Write a small file, for example `metadata.json`; raises what `add` raises."""
        return self.add(path, kind, BytesIO(data), repository=repository)

    def add_listings(self, repository_paths: Iterable[str]) -> None:
        """Write the `listing` file of every directory above the repositories."""
        for directory, text in listings(repository_paths).items():
            self.add_bytes(f"{directory}/listing".lstrip("/"), EntryKind.LISTING, text.encode())

    def finish(self, manifest: Manifest, key: SigningKey) -> Path:
        """Write table, manifest and signature, make everything durable, and give the bundle its name.

        The key id, the counts and sizes of the table and of each repository, the reference to the table and the
        volumes are filled in here. Raises BundleError when a reader would refuse the result, and
        AlreadyExistsError.
        """
        with _os_errors(self.path):
            data = self._write_table(manifest, key)
            self._write_head(MANIFEST_NAME, data)
            self._write_head(SIGNATURE_NAME, key.sign(data))
            sync_filesystem(self._staging)
            self._refuse_existing()
            self._staging.rename(self.path)
            sync_directory(self.path.parent)
        return self.path

    def _write_table(self, manifest: Manifest, key: SigningKey) -> bytes:
        """Write the table and give the bytes of the manifest that refers to it."""
        volumes = (Volume(number=_VOLUME, size=0),)
        draft = replace(manifest, source=replace(manifest.source, key_id=key.key_id), volumes=volumes)
        totals = TableTotals(draft)
        with self._create(TABLE_NAME) as out:
            table = write_table(self._counted(draft, totals), out)
        reference = TableReference(path=TABLE_NAME, size=table.size, sha256=table.sha256)
        whole = replace(totals.fill(), table=reference)
        totals.compare(whole)
        data = encode_manifest(whole)
        decode_manifest(data)
        return data

    def _counted(self, manifest: Manifest, totals: TableTotals) -> Iterator[FileEntry]:
        for entry in in_order(EntryCheck(manifest), self._entries, lambda: (other.path for other in self._entries)):
            totals.add(entry)
            yield entry

    def _write_head(self, name: str, data: bytes) -> None:
        with self._create(name) as out:
            out.write(data)

    @property
    def _entries(self) -> EntrySpool:
        assert self._spool is not None, "used outside its with-block"
        return self._spool

    def _refuse_existing(self) -> None:
        if os.path.lexists(self.path):
            raise AlreadyExistsError(
                f"{self.path} exists already", hint="Choose another place, or move the old bundle away."
            )

    def _hold(self, resources: ExitStack) -> None:
        """Lock the staging directory itself, so that no lock file stays on a medium."""
        descriptor = os.open(self._staging, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        resources.callback(os.close, descriptor)
        busy = BusyError(f"another process is writing {self.path}")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise busy from None
        except OSError:
            return  # A file system without locks: nothing protects a second writer there, as for any program.
        if not (self._staging.exists() and os.path.samestat(os.fstat(descriptor), self._staging.stat())):
            raise busy

    def _make_directories(self, directory: str) -> None:
        with self._lock:
            for ancestor in reversed([*with_ancestors(directory)]):
                if ancestor in self._directories:
                    continue
                try:
                    (self._staging / ancestor).mkdir()
                except FileExistsError:
                    raise _clash(ancestor) from None
                _set_mode(self._staging / ancestor, 0o755)
                self._directories.add(ancestor)

    @contextmanager
    def _create(self, path: str) -> Iterator[BinaryIO]:
        target = self._staging / path
        try:
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        except FileExistsError:
            raise _clash(path) from None
        try:
            with os.fdopen(descriptor, "wb") as out:
                _set_mode(target, 0o644)
                yield out
        except BaseException:
            target.unlink(missing_ok=True)
            raise


def _clash(path: str) -> NameClashError:
    return NameClashError(f"the path {path!r} is taken already, perhaps in other upper and lower case")


def _set_mode(target: Path, mode: int) -> None:
    # vfat and the like have no modes and refuse to change them; the files are readable all the same.
    if stat.S_IMODE(target.stat().st_mode) != mode:
        with suppress(OSError):
            target.chmod(mode)


@contextmanager
def _os_errors(bundle: Path) -> Iterator[None]:
    """Translate errors of the operating system; a failed write names no file of its own, so it names the bundle."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(bundle)
        raise error_from_os(error) from None
