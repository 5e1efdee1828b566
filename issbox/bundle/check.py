"""Decides whether a bundle is accepted. Every refusal is the BundleError that says why.

Cheap checks come first, and nothing that is not signed by a trusted key is looked into, except for the key id:

1. there is a manifest, and it is not too large; there is a signature of 64 bytes; there is a file table
2. the key named by the manifest is trusted, and the signature belongs to the manifest's bytes
3. the format is not newer than this issbox; the manifest keeps every rule; the bundle is not larger than allowed
4. the file table has the size and digest of the manifest
5. every line of it keeps every rule, and together they add up to what the manifest says
6. the volume holds exactly the files it carries, each of its size, and nothing but files and directories
7. (only `verify`) every byte of every file is what its digest says
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import msgspec

from issbox.bundle.decoding import decode
from issbox.bundle.head import VolumeMark
from issbox.bundle.manifest import claimed_key_id, decode_manifest
from issbox.bundle.pieces import Piece
from issbox.bundle.reader import BundleReader, VolumeReader
from issbox.bundle.signature import SIGNATURE_SIZE, format_fingerprint
from issbox.bundle.signature import verify as verify_signature
from issbox.bundle.volume_files import DirectoryFiles, VolumeFiles
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
from issbox.manifest import MANIFEST_NAME, SIGNATURE_NAME, TABLE_NAME, VOLUME_NAME, Manifest
from issbox.names import format_size, is_sha256
from issbox.progress import Progress

Trusted = Callable[[str], str | None]
"""Gives the public key of a key id in PEM, or None when that key is not trusted."""

MAX_MANIFEST = 64 << 20
"""Largest manifest in bytes."""
_MARK = msgspec.json.Decoder(VolumeMark)
_MAX_MARK = 4096
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


def open_bundle(path: Path, trusted: Trusted, limits: Limits = Limits()) -> BundleReader:
    """Check everything but the contents of the carried files, and give the bundle or volume for reading."""
    bundle = open_head(path, trusted, limits)
    bundle.check_body()
    return bundle


def open_head(path: Path, trusted: Trusted | None, limits: Limits = Limits()) -> BundleReader:
    """Do steps 1 to 3: enough to know which bundle it is and that its manifest can be believed, whatever its size.

    `check_body` of what is given does steps 4 to 6; nothing but the manifest may be used before.
    """
    return open_volume(DirectoryFiles(path), trusted, limits)


def open_volume(files: VolumeFiles, trusted: Trusted | None, limits: Limits) -> VolumeReader:
    """Do steps 1 to 3 with the files of one volume."""
    data, signature = _read_head(files)
    manifest = check_head(data, signature, trusted, limits)
    return VolumeReader(files, data, signature, manifest, _volume_number(files, manifest))


def check_head(data: bytes, signature: bytes, trusted: Trusted | None, limits: Limits) -> Manifest:
    """Check the signature of a manifest, unless `trusted` is None, then the manifest, and give it."""
    if len(signature) != SIGNATURE_SIZE:
        raise BundleSignatureError(f"{SIGNATURE_NAME} is no signature of {SIGNATURE_SIZE} bytes")
    if trusted is not None:
        _check_signature(data, signature, trusted)
    manifest = decode_manifest(data)
    _check_limits(manifest, limits)
    return manifest


def verify(path: Path, trusted: Trusted | None, limits: Limits, progress: Progress) -> VerificationReport:
    """Check a bundle completely, reading every byte.

    Without `trusted` the signature is not checked: then the report only says that the bundle fits itself, not where
    it comes from. Raises the BundleError that fits.
    """
    bundle = open_head(path, trusted, limits)
    bundle.check_body()
    volume = bundle.manifest.volumes[bundle.volume - 1]
    progress.step("verify", f"reading every file of {path.name}")
    progress.expect(files=volume.count, size=volume.size)
    files = _read_all(bundle, progress)
    return VerificationReport(
        manifest=bundle.manifest,
        key_id=bundle.manifest.source.key_id,
        trusted=trusted is not None,
        files=files,
        size=volume.size,
        repositories=tuple(
            VerifiedRepository(r.path, r.files, r.version.packages, r.size, r.version.repomd_sha256)
            for r in bundle.manifest.repositories
        ),
    )


def check_contents(piece: Piece, advance: Callable[[int], None] | None = None) -> None:
    """Read one carried file or part; raises BundleDamagedError or OversizedError when it is not what it must be."""
    with piece.open() as source:
        found = copy_and_digest(source, None, advance=advance, limit=piece.digest.size)
    said = piece.digest
    if found.size > said.size:
        raise OversizedError(f"{piece.path!r} is longer than the {said.size} bytes of the signed file table")
    if found.size < said.size:
        raise BundleDamagedError(f"{piece.path!r} has {found.size} bytes, the signed file table says {said.size}")
    if found.sha256 != said.sha256:
        raise BundleDamagedError(f"{piece.path!r} has SHA-256 {found.sha256}, the signed file table says {said.sha256}")


def _read_head(files: VolumeFiles) -> tuple[bytes, bytes]:
    """Give the manifest's bytes and the signature, once the three head files are there and not too large."""
    try:
        data = _read_small(files, MANIFEST_NAME, MAX_MANIFEST)
    except BundleIncompleteError:
        if any(files.has(name) for name in (SIGNATURE_NAME, TABLE_NAME)):
            raise
        raise NotABundleError(f"{files.path} holds no {MANIFEST_NAME}") from None
    if len(data) > MAX_MANIFEST:
        raise OversizedError(
            f"{MANIFEST_NAME} is larger than {format_size(MAX_MANIFEST)}",
            hint="No issbox writes such a manifest: find out where it comes from.",
        )
    try:
        signature = _read_small(files, SIGNATURE_NAME, SIGNATURE_SIZE)
    except BundleIncompleteError:
        raise UnsignedBundleError(f"{files.path} holds no {SIGNATURE_NAME}") from None
    with files.open(TABLE_NAME):
        pass
    return data, signature


def _read_small(files: VolumeFiles, name: str, limit: int) -> bytes:
    """Give a file's bytes, one more than the limit when it is longer."""
    parts: list[bytes] = []
    left = limit + 1
    with files.open(name) as source:
        while left:
            buffer = memoryview(bytearray(min(left, BLOCK)))
            count = source.readinto(buffer) or 0
            if not count:
                break
            parts.append(bytes(buffer[:count]))
            left -= count
    return b"".join(parts)


def _volume_number(files: VolumeFiles, manifest: Manifest) -> int:
    """Give the number that a volume of several says it has."""
    count = len(manifest.volumes)
    if count == 1:
        return 1
    mark = decode(_MARK, _read_small(files, VOLUME_NAME, _MAX_MARK), VOLUME_NAME)
    if mark.bundle_id != manifest.bundle.id or not 1 <= mark.number <= count:
        raise BadManifestError(
            f"{VOLUME_NAME} says volume {mark.number} of the bundle {mark.bundle_id[:128]!r}, but the manifest is that "
            f"of the bundle {manifest.bundle.id}, which has {count} volumes",
            hint="Files of two volumes or bundles were mixed up: copy the volume again as a whole.",
        )
    return mark.number


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


def _read_all(bundle: BundleReader, progress: Progress) -> int:
    """Read every piece and give their number."""
    if bundle.sequential:
        return _read_some(bundle.pieces(), progress)
    pieces = _Shared(bundle.pieces())
    with ThreadPoolExecutor(_THREADS, "verify") as pool:
        try:
            workers = [pool.submit(_read_some, pieces, progress) for _ in range(_THREADS)]
            return sum(worker.result() for worker in workers)
        finally:
            pieces.stop()


def _read_some(pieces: "Iterator[Piece]", progress: Progress) -> int:
    count = 0
    try:
        for piece in pieces:
            check_contents(piece, lambda size: progress.advance(size=size))
            progress.advance(files=1)
            count += 1
    except BaseException:
        if isinstance(pieces, _Shared):
            pieces.stop()
        raise
    return count


class _Shared:
    """Pieces that several threads take from, until one of them stops it."""

    def __init__(self, pieces: Iterator[Piece]) -> None:
        self._pieces = pieces
        self._lock = threading.Lock()
        self._stopped = False

    def __iter__(self) -> Iterator[Piece]:
        return self

    def __next__(self) -> Piece:
        with self._lock:
            if self._stopped:
                raise StopIteration
            return next(self._pieces)

    def stop(self) -> None:
        self._stopped = True
