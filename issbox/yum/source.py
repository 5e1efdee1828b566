"""Where files come from: a directory of this machine, or a web server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Protocol

from issbox.errors import NotFoundError, UnsafePathError, UpstreamError
from issbox.files import BLOCK, error_from_os, open_regular
from issbox.yum.address import Address, parse_address
from issbox.yum.part import Part
from issbox.yum.request import MirrorRequest


class Source(Protocol):
    """Gives files by path."""

    @property
    def address(self) -> Address:
        """Where it lies."""

    @property
    def resumable(self) -> bool:
        """Whether a download that broke off is worth going on with."""

    async def fetch(self, path: str, part: Part, *, optional: bool, fresh: bool) -> bool:
        """Fetch a file into a part that is open, going on where it stands.

        Gives False when the file is not there and `optional`; `fresh` asks caches on the way not to answer. Raises
        UpstreamError or UnreachableError naming the URL.
        """


@asynccontextmanager
async def open_source(request: MirrorRequest) -> AsyncIterator[Source]:
    """Open the source that a request names. Raises InvalidValueError when its URL, proxy or certificates are wrong."""
    address = parse_address(request.url)
    if address.scheme == "file":
        yield DirectorySource(address)
    else:
        from issbox.yum.web import open_web_source

        async with open_web_source(request, address) as web:
            yield web


class DirectorySource:
    """A repository in a directory, for example a mounted disk. Files are read in threads, once."""

    resumable: Final = False

    def __init__(self, address: Address) -> None:
        """Take files from below the directory of a file URL."""
        self.address: Final = address
        self._root = address.directory

    async def fetch(self, path: str, part: Part, *, optional: bool, fresh: bool) -> bool:  # noqa: ARG002 (no caches)
        """Copy a file."""
        return await asyncio.to_thread(self._copy, path, part, optional=optional)

    def _copy(self, path: str, part: Part, *, optional: bool) -> bool:
        source = self._find(path, checked=part.checked)
        if source is None:
            if optional:
                return False
            if not self._root.is_dir():
                raise NotFoundError(
                    f"{self.address}: there is no such directory",
                    hint="Check the URL, and that the disk is mounted.",
                )
            raise UpstreamError(
                f"{self.address.shown(path)}: there is no such file", hint="The copy of the repository is incomplete."
            )
        part.restart()
        try:
            with open_regular(source) as stream:
                while block := stream.read(BLOCK):
                    part.write(block)
        except OSError as error:
            raise error_from_os(error) from error
        return True

    def _find(self, path: str, *, checked: bool) -> Path | None:
        """Follow links, but without a checksum only inside the repository: a link must not give away other files."""
        try:
            real = (self._root / path).resolve(strict=True)
            inside = real.is_relative_to(self._root.resolve(strict=True))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, RuntimeError) as error:
            raise UpstreamError(f"{self.address.shown(path)} cannot be read: {error}") from None
        if not inside and not checked:
            raise UnsafePathError(
                f"{self.address.shown(path)} is a link out of the repository, and it has no checksum",
                hint="Replace the link by the file itself.",
            )
        return real
