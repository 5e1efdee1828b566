"""Bundles of which only some volumes are here: their heads, and the files that are put together from parts.

What a volume brought is in the blob store already, where nothing refers to it but the table kept here; garbage
collection spares what these tables list.
"""

import os
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Final

from issbox.bundle.check import Limits, open_head
from issbox.bundle.decoding import MAX_NUMBER
from issbox.bundle.pieces import Piece
from issbox.bundle.reader import BundleReader
from issbox.errors import BadManifestError, BundleDamagedError
from issbox.files import (
    BLOCK,
    Digest,
    NamedWriter,
    Readable,
    atomic_write,
    copy_and_digest,
    digest_file,
    open_regular,
    remove_tree,
)
from issbox.manifest import MANIFEST_NAME, SIGNATURE_NAME, TABLE_NAME, VOLUME_NAME, FileEntry
from issbox.model import ContentImport, ImportState
from issbox.sorting import sorted_on_disk
from issbox.store import Batch
from issbox.workflows.context import Context

_FIRST: Final = 1


class Incoming:
    """What is kept of one bundle while it is incomplete."""

    def __init__(self, ctx: Context, bundle_id: str) -> None:
        self._ctx = ctx
        self._place = ctx.store.incoming / bundle_id

    @property
    def began(self) -> bool:
        """Whether anything is kept: volumes came before this one, or parts of files."""
        return self._place.is_dir()

    def keep_head(self, bundle: BundleReader) -> None:
        """Keep manifest, signature and table, which are the same in every volume; the manifest comes last."""
        if (self._place / MANIFEST_NAME).exists():
            return
        self._ctx.store.incoming.mkdir(mode=0o700, exist_ok=True)
        self._place.mkdir(mode=0o700, exist_ok=True)
        with atomic_write(self._place / TABLE_NAME, mode=0o600) as out:
            bundle.copy_table(out)
        mark = f'{{"bundle_id":"{bundle.manifest.bundle.id}","number":{_FIRST},"count":{len(bundle.manifest.volumes)}}}'
        for name, data in (
            (VOLUME_NAME, mark.encode()),
            (SIGNATURE_NAME, bundle.signature),
            (MANIFEST_NAME, bundle.manifest_bytes),
        ):
            with atomic_write(self._place / name, mode=0o600) as out:
                out.write(data)

    def put_part(self, piece: Piece, source: Readable) -> None:
        """Write a part into its place in the file; raises BundleDamagedError when it is not what it must be."""
        self._place.mkdir(mode=0o700, parents=True, exist_ok=True)
        place = self._file(piece.entry)
        with suppress(FileNotFoundError):
            place.chmod(0o600)  # read-only when an attempt to adopt it has failed
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.lseek(descriptor, piece.offset, os.SEEK_SET)
            found = copy_and_digest(source, NamedWriter(descriptor, str(place)), limit=piece.digest.size)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if found != piece.digest:
            raise BundleDamagedError(
                f"{piece.path} is not what the signed file table says: it has {found.size} bytes with SHA-256 "
                f"{found.sha256} instead of {piece.digest.size} with {piece.digest.sha256}"
            )

    def complete(self, entries: Iterator[FileEntry], batch: Batch, damaged: AbstractSet[str]) -> set[int]:
        """Bring the files that have been put together into the batch, after reading each once as a whole.

        They are kept here too, until `forget`: an import that fails after this one finds them again. Gives the numbers
        of the volumes of which something is neither in the batch nor in the store, `damaged` files aside: they have
        to be taken in again.
        """
        lost: set[int] = set()
        for entry in entries:
            if not entry.carried or self._has(entry, batch, damaged):
                continue
            if entry.volume is not None:
                lost.add(entry.volume)
            elif absent := self._absent_parts(entry):
                lost |= absent
            else:
                self._adopt(entry, batch)
        return lost

    def _has(self, entry: FileEntry, batch: Batch, damaged: AbstractSet[str]) -> bool:
        stored = entry.sha256 not in damaged and self._ctx.store.blobs.has(entry.sha256, entry.size)
        return stored or batch.has(entry.sha256, entry.size)

    def _absent_parts(self, entry: FileEntry) -> set[int]:
        """Give the volumes whose parts of a file are not here as they must be."""
        try:
            with open_regular(self._file(entry)) as source:
                offset = 0
                absent: set[int] = set()
                for part in entry.parts:
                    if _digest_range(source.fileno(), offset, part.size) != part.sha256:
                        absent.add(part.volume)
                    offset += part.size
                return absent
        except FileNotFoundError:
            return {part.volume for part in entry.parts}

    def _adopt(self, entry: FileEntry, batch: Batch) -> None:
        digest = Digest(entry.size, entry.sha256)
        place = self._file(entry)
        if digest_file(place) != digest:
            raise BadManifestError(f"{TABLE_NAME}: {entry.path!r}: its parts do not make up the file of its SHA-256")
        staged = batch.temporary(f"whole-{entry.sha256}")
        os.link(place, staged)
        batch.adopt(staged, digest)

    def forget(self) -> None:
        """Remove what was kept."""
        remove_tree(self._place)

    def _file(self, entry: FileEntry) -> Path:
        return self._place / f"{entry.sha256}.whole"


def _digest_range(descriptor: int, offset: int, size: int) -> str:
    """Give the SHA-256 of so many bytes of an open file, or of what is left of it."""
    digest = sha256()
    while size and (data := os.pread(descriptor, min(BLOCK, size), offset)):
        digest.update(data)
        offset, size = offset + len(data), size - len(data)
    return digest.hexdigest()


def volumes_taken(ctx: Context, bundle_id: str, organization: str) -> dict[int, ContentImport]:
    """Give the volumes of a bundle whose content is in the store, by number."""
    rows = ctx.store.imports.list(states=(ImportState.WAITING,), bundle_id=bundle_id)
    return {row.volume: row for row in rows if row.taken and row.volume and row.organization == organization}


def forget_volumes(ctx: Context, row: ContentImport, numbers: Sequence[int]) -> None:
    """Let volumes of the bundle of this row be taken in again; those that are gone have to be brought."""
    assert row.organization is not None, "it is known before anything is taken in"
    taken = volumes_taken(ctx, row.bundle_id or "", row.organization) if numbers else {}
    with ctx.store.transaction():
        for each in (taken[number] for number in numbers if number in taken):
            here = each.inbox and os.path.lexists(each.path)
            ctx.store.imports.update(
                each.id,
                updated_at=ctx.clock(),
                state=ImportState.SETTLED if here else ImportState.DISCARDED,
                waits_for=None,
                taken=False,
                reason="what it brought is no longer in the store: it has to be taken in again",
            )


def spared_digests(ctx: Context) -> Iterator[str]:
    """Give the digests of everything that bundles in the making list, ascending, some of them several times.

    Garbage collection leaves them alone.
    """
    waiting, _ = _places(ctx)
    listed = chain.from_iterable(map(_listed, waiting))
    return sorted_on_disk(listed, str, encode=str.encode, decode=bytes.decode, scratch=ctx.store.incoming)


def forget_abandoned(ctx: Context) -> None:
    """Remove what was kept of bundles that nothing waits for any more."""
    _, abandoned = _places(ctx)
    for place in abandoned:
        remove_tree(place)


def _places(ctx: Context) -> tuple[list[Path], list[Path]]:
    """Give what is kept of bundles in the making, and of those that came to nothing."""
    wanted = {row.bundle_id for row in ctx.store.imports.list(states=(ImportState.WAITING,)) if row.taken}
    kept = sorted(ctx.store.incoming.iterdir()) if ctx.store.incoming.is_dir() else []
    waiting = [place for place in kept if place.name in wanted]
    return waiting, [place for place in kept if place.name not in wanted]


def _listed(place: Path) -> Iterator[str]:
    # Read without a check of its signature: a table that somebody changed here spares other blobs, no more.
    # Its size was found right when it came; the configuration may allow less by now.
    for entry in open_head(place, None, Limits(max_files=MAX_NUMBER), place).entries():
        yield entry.sha256


def words_for_volumes(count: int, missing: Sequence[int], *, noun: str = "volume") -> str:
    """Say which volumes are missing, for example `volumes 1, 3 to 5 of 7`."""
    runs: list[str] = []
    for number in sorted(missing):
        if runs and int(runs[-1].split(" to ")[-1]) == number - 1:
            runs[-1] = f"{runs[-1].split(' to ')[0]} to {number}"
        else:
            runs.append(str(number))
    plural = noun if len(missing) == 1 else f"{noun}s"
    return f"{plural} {', '.join(runs)} of {count}"
