"""Reading the `listing` files of a place with yum trees, as Red Hat's CDN, Katello and issbox write them."""

import asyncio
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from issbox.errors import BadMetadataError
from issbox.names import path_problem
from issbox.yum.request import MirrorRequest
from issbox.yum.single import fetch_small
from issbox.yum.source import Source, open_source

_MAX_SIZE: Final = 1 << 20
"""Bytes; Red Hat's own longest one has a few hundred."""


def read_listings(request: MirrorRequest, directories: Iterable[str]) -> dict[str, frozenset[str] | None]:
    """Give the names in the `listing` file of each directory below the URL, '' being the URL itself; None without one.

    Raises UnreachableError, UpstreamError, BadMetadataError for what is no listing, and what a wrong URL raises.
    """
    return asyncio.run(_read_all(request, sorted(set(directories))))


async def _read_all(request: MirrorRequest, directories: list[str]) -> dict[str, frozenset[str] | None]:
    found: dict[str, frozenset[str] | None] = {}
    with tempfile.TemporaryDirectory(prefix="issbox-") as scratch:
        async with open_source(request) as source:
            for directory in directories:
                found[directory] = await _read(source, directory, Path(scratch, "listing"))
    return found


async def _read(source: Source, directory: str, place: Path) -> frozenset[str] | None:
    path = f"{directory}/listing" if directory else "listing"
    found = await fetch_small(source, path, place, _MAX_SIZE, optional=True)
    return None if found is None else parse_listing(found, source.address.shown(path))


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
