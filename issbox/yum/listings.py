"""Reading the `listing` files of a place with yum trees, as Red Hat's CDN, Katello and issbox write them."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Final

from issbox.errors import BadMetadataError
from issbox.names import path_problem
from issbox.yum.request import MirrorRequest
from issbox.yum.single import fetch_small
from issbox.yum.source import Source, open_source

_MAX_SIZE: Final = 1 << 20
"""Bytes; Red Hat's own longest one has a few hundred."""
_MAX_PROBED: Final = 8 << 20
"""Bytes of a repomd.xml that is only looked for."""


def read_listings(request: MirrorRequest, directories: Iterable[str]) -> dict[str, frozenset[str] | None]:
    """Give the names in the `listing` file of each directory below the URL, '' being the URL itself; None without one.

    Raises UnreachableError, UpstreamError, BadMetadataError for what is no listing, and what a wrong URL raises.
    """
    return asyncio.run(_read_all(request, sorted(set(directories))))


def read_top_listing(request: MirrorRequest) -> frozenset[str] | None:
    """Give the names in the `listing` file at the URL itself, None for a web page in its place.

    Raises UpstreamError when it is not there or not for whoever asks, and what `read_listings` raises.
    """
    return asyncio.run(_read_top(request))


async def _read_top(request: MirrorRequest) -> frozenset[str] | None:
    async with open_listings(request) as listings:
        return await listings.look("", optional=False)


async def _read_all(request: MirrorRequest, directories: list[str]) -> dict[str, frozenset[str] | None]:
    async with open_listings(request) as listings:
        return {directory: await listings.look(directory) for directory in directories}


@asynccontextmanager
async def open_listings(request: MirrorRequest) -> AsyncIterator["Listings"]:
    """Open a place for looking around. Raises what opening its source does."""
    with tempfile.TemporaryDirectory(prefix="issbox-") as scratch:
        async with open_source(request) as source:
            yield Listings(source, Path(scratch), request.downloads)


class Listings:
    """The listing files of one place, each read once, several at once."""

    def __init__(self, source: Source, scratch: Path, at_once: int) -> None:
        """Read so many at once, by way of files in `scratch`."""
        self._source = source
        self._scratch = scratch
        self._turn = asyncio.Semaphore(max(1, at_once))
        self._read: dict[str, asyncio.Task[frozenset[str] | None]] = {}
        self._names = count()
        self.size = 0
        """Bytes read."""

    @property
    def read(self) -> int:
        """How many directories were looked at."""
        return len(self._read)

    async def look(self, directory: str, *, optional: bool = True) -> frozenset[str] | None:
        """Give the names in the listing of a directory, None without one; raises what `read_listings` does.

        One that is not `optional` has to be there, or UpstreamError says why it is not.
        """
        task = self._read.get(directory)
        if task is None:
            task = self._read[directory] = asyncio.create_task(self._look(directory, optional=optional))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())  # whoever waited may have left
        return await task

    async def _look(self, directory: str, *, optional: bool) -> frozenset[str] | None:
        path = f"{directory}/listing" if directory else "listing"
        data = await self._fetch(path, _MAX_SIZE, optional=optional)
        return None if data is None else parse_listing(data, self._source.address.shown(path))

    async def has_repository(self, directory: str) -> bool:
        """Tell whether there is a yum repository in a directory."""
        return await self._fetch(f"{directory}/repodata/repomd.xml", _MAX_PROBED) is not None

    async def _fetch(self, path: str, limit: int, *, optional: bool = True) -> bytes | None:
        """Give a small file; None when it is not there, or is not for whom this is."""
        place = self._scratch / str(next(self._names))
        async with self._turn:
            data = await fetch_small(self._source, path, place, limit, optional=optional)
        self.size += len(data or b"")
        return data


def parse_listing(data: bytes, name: str) -> frozenset[str] | None:
    """Give the names that a listing has, one a line; None for a web page, which servers give for what is not there.

    Raises BadMetadataError for a name that is no name of a directory.
    """
    if data.lstrip().startswith(b"<"):
        return None
    try:
        names = [line.strip() for line in data.decode().splitlines()]
    except UnicodeDecodeError:
        raise BadMetadataError(f"{name} is not text, so it cannot be a listing") from None
    for each in names:
        if each and ("/" in each or path_problem(each) is not None):
            raise BadMetadataError(f"{name} names {each[:100]!r}, which cannot be a directory")
    return frozenset(filter(None, names))
