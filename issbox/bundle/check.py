"""Decides whether a bundle is accepted. Every refusal is the BundleError that says why.

Cheap checks come first, and nothing that is not signed by a trusted key is looked into, except for the key id:

1. there is a manifest, and it is not too large; there is a signature of 64 bytes; there is a file table
2. the key named by the manifest is trusted, and the signature belongs to the manifest's bytes
3. the format is not newer than this issbox; the manifest keeps every rule; the bundle is not larger than allowed
4. the file table has the size and digest of the manifest
5. every line of it keeps every rule, and together they add up to what the manifest says
6. the directory holds exactly the carried files, each of its size, and nothing but files and directories
7. (only `verify`) every byte of every file is what its digest says
"""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from issbox.bundle.directory_reader import DirectoryReader
from issbox.bundle.manifest import claimed_key_id, decode_manifest
from issbox.bundle.signature import SIGNATURE_SIZE, format_fingerprint
from issbox.bundle.signature import verify as verify_signature
from issbox.bundle.tree import reading, translated
from issbox.errors import (
    BadManifestError,
    BundleDamagedError,
    BundleIncompleteError,
    BundleSignatureError,
    NotABundleError,
    OversizedError,
    UnknownKeyError,
    UnsignedBundleError,
)
from issbox.files import BLOCK, copy_and_digest
from issbox.manifest import MANIFEST_NAME, SIGNATURE_NAME, TABLE_NAME, FileEntry, Manifest
from issbox.names import format_size, is_sha256
from issbox.progress import Progress

Trusted = Callable[[str], str | None]
"""Gives the public key of a key id in PEM, or None when that key is not trusted."""

MAX_MANIFEST = 64 << 20
"""Largest manifest in bytes."""
_THREADS = 2
"""One reads while the other digests; more of them only move a disk's head about."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a bundle may be."""

    max_bundle_size: int = 0
    """Bytes of the carried files and the file table; 0 means no limit."""
    max_files: int = 2_000_000


@dataclass(frozen=True, slots=True)
class VerifiedRepository:
    """A repository whose files are all as the bundle says."""

    path: str
    files: int
    packages: int
    size: int
    repomd_sha256: str


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """What `verify` found in order."""

    manifest: Manifest
    key_id: str
    trusted: bool
    """Whether the signature was checked with a trusted key; False only when no keys were given."""
    files: int
    """Carried files that were read."""
    size: int
    """Their bytes."""
    repositories: tuple[VerifiedRepository, ...]


def open_bundle(path: Path, trusted: Trusted, limits: Limits = Limits()) -> DirectoryReader:
    """Check everything but the contents of the carried files, and give the bundle for reading."""
    bundle = open_head(path, trusted, limits)
    check_body(bundle)
    return bundle


def open_head(path: Path, trusted: Trusted | None, limits: Limits = Limits()) -> DirectoryReader:
    """Do steps 1 to 3: enough to know which bundle it is and that its manifest can be believed, whatever its size."""
    data, signature = _read_head(path)
    if trusted is not None:
        _check_signature(data, signature, trusted)
    manifest = decode_manifest(data)
    _check_limits(manifest, limits)
    return DirectoryReader(path, data, signature, manifest)


def check_body(bundle: DirectoryReader) -> None:
    """Do steps 4 to 6; nothing but the manifest may be used before."""
    bundle.check_table_digest()
    bundle.check_inventory()


def verify(path: Path, trusted: Trusted | None, limits: Limits, progress: Progress) -> VerificationReport:
    """Check a bundle completely, reading every byte.

    Without `trusted` the signature is not checked: then the report only says that the bundle fits itself, not where
    it comes from. Raises the BundleError that fits.
    """
    bundle = open_head(path, trusted, limits)
    check_body(bundle)
    files = bundle.manifest.files
    progress.step("verify", f"reading every file of {path.name}")
    progress.expect(files=files.carried_count, size=files.carried_size)
    _read_all(bundle, progress)
    return VerificationReport(
        manifest=bundle.manifest,
        key_id=bundle.manifest.source.key_id,
        trusted=trusted is not None,
        files=files.carried_count,
        size=files.carried_size,
        repositories=tuple(
            VerifiedRepository(r.path, r.files, r.version.packages, r.size, r.version.repomd_sha256)
            for r in bundle.manifest.repositories
        ),
    )


def check_contents(bundle: DirectoryReader, entry: FileEntry, advance: Callable[[int], None] | None = None) -> None:
    """Read one carried file; raises BundleDamagedError or OversizedError when it is not what its entry says."""
    with translated(bundle.path, entry.path), bundle.open(entry) as source:
        found = copy_and_digest(source, None, advance=advance, limit=entry.size)
    if found.size > entry.size:
        raise OversizedError(f"{entry.path!r} is longer than the {entry.size} bytes of the signed file table")
    if found.size < entry.size:
        raise BundleDamagedError(f"{entry.path!r} has {found.size} bytes, the signed file table says {entry.size}")
    if found.sha256 != entry.sha256:
        raise BundleDamagedError(
            f"{entry.path!r} has SHA-256 {found.sha256}, the signed file table says {entry.sha256}"
        )


def _read_head(path: Path) -> tuple[bytes, bytes]:
    """Give the manifest's bytes and the signature, once the three head files are there and not too large."""
    try:
        data = _read_small(path, MANIFEST_NAME, MAX_MANIFEST)
    except BundleIncompleteError:
        if any(os.path.lexists(path / name) for name in (SIGNATURE_NAME, TABLE_NAME)):
            raise
        raise NotABundleError(f"{path} holds no {MANIFEST_NAME}") from None
    if len(data) > MAX_MANIFEST:
        raise OversizedError(
            f"{MANIFEST_NAME} is larger than {format_size(MAX_MANIFEST)}",
            hint="No issbox writes such a manifest: find out where it comes from.",
        )
    try:
        signature = _read_small(path, SIGNATURE_NAME, SIGNATURE_SIZE)
    except BundleIncompleteError:
        raise UnsignedBundleError(f"{path} holds no {SIGNATURE_NAME}") from None
    if len(signature) != SIGNATURE_SIZE:
        raise BundleSignatureError(f"{SIGNATURE_NAME} is no signature of {SIGNATURE_SIZE} bytes")
    with reading(path, TABLE_NAME):
        pass
    return data, signature


def _read_small(path: Path, name: str, limit: int) -> bytes:
    """Give a file's bytes, one more than the limit when it is longer."""
    parts: list[bytes] = []
    left = limit + 1
    with reading(path, name) as source:
        while left and (part := source.read(min(left, BLOCK))):
            parts.append(part)
            left -= len(part)
    return b"".join(parts)


def _check_signature(data: bytes, signature: bytes, trusted: Trusted) -> None:
    key_id = claimed_key_id(data)
    if not is_sha256(key_id):
        raise BadManifestError(f"{MANIFEST_NAME}: $.source.key_id: expected 64 lower-case hexadecimal digits")
    public_key = trusted(key_id)
    if public_key is None:
        raise UnknownKeyError(
            f"the bundle is signed by the key {format_fingerprint(key_id)}, which is not trusted here"
        )
    verify_signature(public_key, data, signature)


def _check_limits(manifest: Manifest, limits: Limits) -> None:
    size = manifest.files.carried_size + manifest.table.size
    if limits.max_bundle_size and size > limits.max_bundle_size:
        raise OversizedError(
            f"the bundle has {format_size(size)}, more than the {format_size(limits.max_bundle_size)} allowed"
        )
    if manifest.files.count > limits.max_files:
        raise OversizedError(
            f"the bundle lists {manifest.files.count} files, more than the {limits.max_files} allowed",
            hint="Raise [inbox] max_files if it is meant to be so.",
        )


def _read_all(bundle: DirectoryReader, progress: Progress) -> None:
    entries = _Shared(bundle.carried())
    with ThreadPoolExecutor(_THREADS, "verify") as pool:
        try:
            workers = [pool.submit(_read_some, bundle, entries, progress) for _ in range(_THREADS)]
            for worker in workers:
                worker.result()
        finally:
            entries.stop()


def _read_some(bundle: DirectoryReader, entries: "_Shared", progress: Progress) -> None:
    try:
        for entry in entries:
            check_contents(bundle, entry, lambda size: progress.advance(size=size))
            progress.advance(files=1)
    except BaseException:
        entries.stop()
        raise


class _Shared:
    """Entries that several threads take from, until one of them stops it."""

    def __init__(self, entries: Iterator[FileEntry]) -> None:
        self._entries = entries
        self._lock = threading.Lock()
        self._stopped = False

    def __iter__(self) -> Iterator[FileEntry]:
        return self

    def __next__(self) -> FileEntry:
        with self._lock:
            if self._stopped:
                raise StopIteration
            return next(self._entries)

    def stop(self) -> None:
        self._stopped = True
