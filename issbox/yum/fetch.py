"""Bringing files into the sink: what is here already is not fetched, several downloads run at once."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from issbox.errors import DigestMismatchError
from issbox.files import Digest, error_from_os, require_space
from issbox.progress import Progress
from issbox.yum.checksums import Checksum
from issbox.yum.groups import first_failure
from issbox.yum.part import Part
from issbox.yum.request import Sink
from issbox.yum.source import Source

_CHECKPOINT_FILES: Final = 256
_CHECKPOINT_BYTES: Final = 256 << 20
"""After so much the sink commits, so that a killed run goes on from there."""
_HEAD_ROOM: Final = 16 << 20
"""Bytes kept free besides the downloads."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to be in the sink."""

    path: str
    """Relative to the source."""
    checksum: Checksum | None
    size: int | None
    limit: int = 0
    """Most bytes it may have when `size` is None."""
    known_as: str = ""
    """The checksum's type as the metadata spells it, when that differs."""

    @property
    def identity(self) -> str:
        """The same for files that must be equal."""
        if self.checksum is None:
            return f"path-{hashlib.sha256(self.path.encode()).hexdigest()}"
        size = "" if self.size is None else f"-{self.size}"
        return f"{self.checksum.type}-{self.checksum.value}{size}"


class Fetcher:
    """Fetches from one source into one sink, and counts bytes fetched and bytes that were here already."""

    def __init__(self, source: Source, sink: Sink, progress: Progress, downloads: int) -> None:
        """Run as many downloads at once as said."""
        self.sink: Final = sink
        self.source: Final = source
        self.downloaded = 0
        self.reused = 0
        self._progress = progress
        self._downloads = max(1, downloads)
        self._expected_files = 0
        self._expected_bytes = 0
        self._uncommitted_files = 0
        self._uncommitted_bytes = 0
        self._committing = asyncio.Lock()

    def step(self, name: str, message: str = "") -> None:
        """Announce a step; what is expected of it adds up from then on."""
        self._progress.step(name, message)
        self._expected_files = self._expected_bytes = 0

    async def get(self, wanted: Wanted, *, optional: bool = False) -> Digest | None:
        """Bring one file in; None when it is `optional` and upstream does not have it."""
        found = self._find(wanted)
        if found is not None:
            self.reused += found.size
            return found
        self._expect(1, wanted.size or 0)
        return await self._fetch(wanted, optional=optional)

    async def get_all(self, files: Sequence[Wanted], *, optional: bool = False) -> list[Digest | None]:
        """Bring files in, in any order, and give their digests in the order asked for.

        Equal files are fetched once. The first failure ends the other downloads and is raised. Raises NoSpaceError
        before anything is fetched when the known sizes do not fit.
        """
        results = [self._find(wanted) for wanted in files]
        missing: dict[str, list[int]] = {}
        for index, wanted in enumerate(files):
            if results[index] is None:
                missing.setdefault(wanted.identity, []).append(index)
        self.reused += sum(digest.size for digest in results if digest is not None)
        todo = [(files[indexes[0]], indexes) for indexes in missing.values()]
        size = sum(wanted.size or 0 for wanted, _ in todo)
        staged = sum(self._staged(wanted) for wanted, _ in todo)
        require_space(self.sink.temporary("space").parent, size - staged + _HEAD_ROOM, "the synchronization")
        self._expect(len(todo), size)
        queue = iter(todo)

        async def work() -> None:
            for wanted, indexes in queue:
                digest = await self._fetch(wanted, optional=optional)
                for index in indexes:
                    results[index] = digest

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._downloads, len(todo))):
                    group.create_task(work())
        except BaseExceptionGroup as failures:
            raise first_failure(failures) from None
        return results

    async def checkpoint(self) -> None:
        """Make what has come in so far durable."""
        async with self._committing:
            self._uncommitted_files = self._uncommitted_bytes = 0
            await asyncio.to_thread(self.sink.commit)

    def _expect(self, files: int, size: int) -> None:
        self._expected_files += files
        self._expected_bytes += size
        self._progress.expect(files=self._expected_files, size=self._expected_bytes)

    def _find(self, wanted: Wanted) -> Digest | None:
        if wanted.checksum is None:
            return None
        if wanted.checksum.type == "sha256":
            digest = self._stored(wanted.checksum.value, wanted.size)
        else:
            digest = self.sink.known(wanted.known_as or wanted.checksum.type, wanted.checksum.value)
        if digest is None or wanted.size not in {None, digest.size}:
            return None
        return digest if self.sink.has(digest.sha256, digest.size) else None

    def _stored(self, sha256: str, size: int | None) -> Digest | None:
        if size is None:
            try:
                size = self.sink.read(sha256).stat().st_size
            except OSError:
                return None
        return Digest(size, sha256)

    def _staged(self, wanted: Wanted) -> int:
        """Bytes of an earlier download that are on the disk already."""
        try:
            return min(self._place(wanted).stat().st_size, wanted.size or 0)
        except OSError:
            return 0

    def _place(self, wanted: Wanted) -> Path:
        """Where the download lies; it outlives this run only when another one can go on with it."""
        resumable = self.source.resumable and wanted.checksum is not None
        return self.sink.temporary(f"{wanted.identity}.{'part' if resumable else 'new'}")

    async def _fetch(self, wanted: Wanted, *, optional: bool) -> Digest | None:
        part = Part(
            self._place(wanted),
            self.source.address.shown(wanted.path),
            checksum=wanted.checksum,
            size=wanted.size,
            limit=wanted.limit,
            advance=lambda size: self._progress.advance(size=size),
        )
        try:
            await self._open(part)
            digest = await self._download(wanted, part, optional=optional)
        except asyncio.CancelledError:
            part.abandon()  # a thread cannot be cancelled, but it stops at its next block
            raise
        except OSError as error:
            raise error_from_os(error) from error
        finally:
            part.close()
            self.downloaded += part.received
        if digest is None:
            part.remove()
            self._expect(-1, 0)
            return None
        self.sink.adopt(part.path, digest)
        if wanted.size is None:
            self._expect(0, digest.size)
        self._progress.advance(files=1)
        await self._count(digest)
        return digest

    async def _open(self, part: Part) -> None:
        if part.path.exists():
            await asyncio.to_thread(part.open)  # what is there has to be hashed
        else:
            part.open()

    async def _download(self, wanted: Wanted, part: Part, *, optional: bool) -> Digest | None:
        """Fetch until the checksum is right; when it is wrong, once more from the start, past any cache."""
        try:
            return await self._attempt(wanted, part, optional=optional, fresh=False)
        except DigestMismatchError:
            part.remove()
            part.open()
        try:
            return await self._attempt(wanted, part, optional=optional, fresh=True)
        except DigestMismatchError:
            part.remove()
            raise

    async def _attempt(self, wanted: Wanted, part: Part, *, optional: bool, fresh: bool) -> Digest | None:
        if not part.complete and not await self.source.fetch(wanted.path, part, optional=optional, fresh=fresh):
            return None
        return part.finish()

    async def _count(self, digest: Digest) -> None:
        self._uncommitted_files += 1
        self._uncommitted_bytes += digest.size
        if self._uncommitted_files >= _CHECKPOINT_FILES or self._uncommitted_bytes >= _CHECKPOINT_BYTES:
            await self.checkpoint()
