"""Reads every byte of a bundle or volume, and says what was found in order."""

import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from issbox.bundle.check import Limits, Trusted
from issbox.bundle.opening import opened
from issbox.bundle.pieces import Piece
from issbox.bundle.reader import BundleReader
from issbox.errors import (
    BundleDamagedError,
    BundleError,
    BundleIncompleteError,
    OperatingSystemError,
    OversizedError,
)
from issbox.files import copy_and_digest, require_path
from issbox.manifest import Manifest
from issbox.progress import Progress

_THREADS = 2
"""One reads while the other digests; more of them only move a disk's head about."""


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
    volume: int
    """Number of the volume that was read."""
    key_id: str
    trusted: bool
    """Whether the signature was checked with a trusted key; False only when no keys were given."""
    files: int
    """Carried files that were read."""
    size: int
    """Their bytes."""
    repositories: tuple[VerifiedRepository, ...]


def verify(path: Path, trusted: Trusted | None, limits: Limits, progress: Progress) -> VerificationReport:
    """Check a bundle completely, reading every byte.

    Without `trusted` the signature is not checked: then the report only says that the bundle fits itself, not where
    it comes from. Raises the BundleError that fits.
    """
    require_path(path)
    with (
        tempfile.TemporaryDirectory(prefix="issbox-") as scratch,
        opened(path, trusted, limits, Path(scratch)) as found,
    ):
        bundle = found[0]
        bundle.check_body()
        volume = bundle.manifest.volumes[bundle.volume - 1]
        progress.step("verify", f"reading every file of {path.name}")
        progress.expect(files=volume.count, size=volume.size)
        files = _read_all(bundle, progress)
        return VerificationReport(
            manifest=bundle.manifest,
            volume=bundle.volume,
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


@dataclass(frozen=True, slots=True)
class Problem:
    """A carried file or part that is not what it must be."""

    piece: Piece
    missing: bool
    detail: str
    """In words."""


def find_problems(bundle: BundleReader, advance: Callable[[int], None]) -> Iterator[Problem]:
    """Read every carried file of a directory or image and give those that are missing or damaged.

    What the medium does not give back counts as damaged.
    """
    for piece in bundle.pieces():
        try:
            check_contents(piece, advance)
        except BundleIncompleteError as error:
            yield Problem(piece, missing=True, detail=str(error))
        except (BundleError, OperatingSystemError) as error:
            yield Problem(piece, missing=False, detail=str(error))


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
