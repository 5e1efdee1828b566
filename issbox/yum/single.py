"""Reading one small file from where repositories are read from."""

import asyncio
import tempfile
from pathlib import Path

from issbox.yum.part import Part
from issbox.yum.request import MirrorRequest
from issbox.yum.source import Source, open_source


def read_one(request: MirrorRequest, path: str, most: int) -> bytes:
    """Give the bytes of a file below the URL of a request.

    Raises OversizedError when it has more than `most` bytes, and UnreachableError, UpstreamError and what a wrong URL
    raises.
    """
    return asyncio.run(_read_one(request, path, most))


async def _read_one(request: MirrorRequest, path: str, most: int) -> bytes:
    with tempfile.TemporaryDirectory(prefix="issbox-") as scratch:
        async with open_source(request) as source:
            place = Path(scratch, "file")
            found = await fetch_small(source, path, place, most, optional=False, fresh=True)
    assert found is not None, "a file that is not there is an error"
    return found


async def fetch_small(
    source: Source, path: str, place: Path, most: int, *, optional: bool, fresh: bool = False
) -> bytes | None:
    """Give the bytes of a file by way of a place on the disk; None when it is not there and `optional`.

    `fresh` asks caches on the way not to answer.
    """
    part = Part(place, source.address.shown(path), checksum=None, size=None, limit=most, advance=lambda _: None)
    part.open()
    try:
        if not await source.fetch(path, part, optional=optional, fresh=fresh):
            return None
        part.finish()
        return place.read_bytes()
    finally:
        part.remove()
