"""Mirroring an upstream yum repository, whole, into a sink.

Every file is checked before it is adopted: repomd.xml by its signature when that is asked for and there is a key,
what it names by size and checksum, packages by those of primary, images of a kickstart tree by .treeinfo. Nothing is
visible before the caller makes it so.
"""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from issbox.errors import (
    BadMetadataError,
    DigestMismatchError,
    InvalidValueError,
    RepositorySignatureError,
    UpstreamError,
)
from issbox.model import FileKind
from issbox.names import plural
from issbox.progress import Progress
from issbox.yum.fetch import Fetcher
from issbox.yum.gpg import check_packages
from issbox.yum.kickstart import KickstartMirror
from issbox.yum.repository import Head, RepositoryMirror
from issbox.yum.request import STEPS, MirrorRequest, MirrorResult, Sink
from issbox.yum.snapshot import Snapshot
from issbox.yum.source import Source, open_source

__all__ = ["STEPS", "MirrorRequest", "MirrorResult", "Sink", "mirror"]

_RESTARTS: Final = 2
"""How often mirroring begins again because upstream published something new meanwhile."""


def mirror(request: MirrorRequest, sink: Sink, progress: Progress) -> MirrorResult:
    """Bring everything of an upstream repository into the sink and say what it is.

    One request is made when repomd.xml is the known one. Raises UnreachableError, UpstreamError, DigestMismatchError,
    BadMetadataError, UnsafePathError, OversizedError, RepositorySignatureError, MissingToolError, NoSpaceError,
    InvalidValueError; the first failure ends all downloads. What had been fetched may stay in the sink as `.part`
    files and blobs for the next run.
    """
    if request.check_packages and not request.gpg_keys:
        raise InvalidValueError(
            "package signatures are to be checked, but the repository has no GPG key to check them with",
            hint="Give the repository or its product a GPG key, or switch the check off.",
        )
    return asyncio.run(_run(request, sink, progress))


async def _run(request: MirrorRequest, sink: Sink, progress: Progress) -> MirrorResult:
    async with open_source(request) as source:
        return await _Mirror(request, source, sink, progress).run()


class _Mirror:
    """One run. What is counted and noted survives a restart, the snapshot does not."""

    def __init__(self, request: MirrorRequest, source: Source, sink: Sink, progress: Progress) -> None:
        self._request = request
        self._sink = sink
        self._progress = progress
        self._fetcher = Fetcher(source, sink, progress, request.downloads)
        self._notes: dict[str, None] = {}

    async def run(self) -> MirrorResult:
        self._fetcher.step("fetch-metadata", str(self._fetcher.source.address))
        head = await self._fetch_head()
        for restart in range(_RESTARTS + 1):
            if head.digest.sha256 == self._request.known_repomd:
                return MirrorResult(unchanged=True, repomd_sha256=head.digest.sha256)
            try:
                return await self._collect(head)
            except (UpstreamError, DigestMismatchError, BadMetadataError, RepositorySignatureError):
                newer = await self._fetch_head() if restart < _RESTARTS else head
                if newer.digest == head.digest:
                    raise
                head = newer
                self._note("upstream published something new meanwhile; beginning again with that")
                self._fetcher.step("fetch-metadata", str(self._fetcher.source.address))
        raise AssertionError

    async def _fetch_head(self) -> Head:
        head = await RepositoryMirror(self._request, self._fetcher, Snapshot(), self._note).fetch_head()
        if head is None:
            raise UpstreamError(f"{self._fetcher.source.address}: there is no repository")
        return head

    async def _collect(self, head: Head) -> MirrorResult:
        snapshot = Snapshot()
        repository = RepositoryMirror(self._request, self._fetcher, snapshot, self._note)
        entries = await repository.fetch_metadata(head)
        self._fetcher.step("fetch-packages", plural(len(entries), "package"))
        await repository.fetch_packages(entries)
        self._fetcher.step("fetch-kickstart")
        await KickstartMirror(self._request, self._fetcher, snapshot, self._note).fetch()
        files = snapshot.files()
        for one, other in snapshot.clashes():
            self._note(f"{one} and {other} differ only in upper and lower case; bundles cannot carry both")
        self._fetcher.step("check-signatures")
        await self._check_packages(snapshot)
        self._fetcher.step("store-files", plural(len(files), "file"))
        await self._fetcher.checkpoint()
        return MirrorResult(
            unchanged=False,
            repomd_sha256=head.digest.sha256,
            files=files,
            packages=sum(file.kind is FileKind.PACKAGE for file in files),
            size=sum(file.size for file in files),
            downloaded=self._fetcher.downloaded,
            reused=self._fetcher.reused,
            notes=tuple(self._notes),
        )

    async def _check_packages(self, snapshot: Snapshot) -> None:
        if not self._request.check_packages:
            return
        packages = snapshot.packages()
        self._progress.expect(files=len(packages), size=sum(file.size for file in packages))
        stop = threading.Event()

        def places() -> Iterator[tuple[str, Path]]:
            for file in packages:
                if stop.is_set():
                    return
                yield file.path, self._sink.read(file.sha256)
                self._progress.advance(files=1, size=file.size)

        try:
            await asyncio.to_thread(check_packages, self._request.gpg_keys, places())
        finally:
            stop.set()  # when cancelled, the thread ends after the packages in hand

    def _note(self, message: str) -> None:
        if message not in self._notes:
            self._notes[message] = None
            self._progress.note(message)
