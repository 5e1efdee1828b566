"""Archives in chunks: the files of a set, wherever in the inbox they lie."""

import os
from itertools import islice
from pathlib import Path
from typing import Final

from issbox.bundle.tar.relisting import locate
from issbox.bundle.tar.toc_checks import TOC_SUFFIX, Toc
from issbox.bundle.tar.toc_reader import read_toc, signature_path
from issbox.errors import BundleError, OperatingSystemError, PermissionDeniedError
from issbox.workflows.context import Context

_MOST_FOLDERS: Final = 1000
"""How many folders of the inbox are looked through."""


def chunk_folders(ctx: Context) -> list[Path]:
    """Give the folders of the inbox in which chunks of a set may lie: itself, and two levels below."""
    inbox = ctx.settings.inbox.path
    levels = (inbox.glob(pattern) for pattern in ("*", "*/*"))
    found = (path for level in levels for path in level if path.is_dir() and not path.is_symlink())
    return [inbox, *islice((path for path in found if not path.name.startswith(".")), _MOST_FOLDERS)]


def peek_toc(path: Path) -> Toc | None:
    """Read a table of contents without trusting it, for hints; None when there is none that can be read."""
    if not path.name.endswith(TOC_SUFFIX):
        return None
    try:
        return read_toc(path, None)
    except (BundleError, OperatingSystemError, PermissionDeniedError, OSError):
        return None


def missing_chunks(path: Path, folders: list[Path]) -> tuple[int, list[int]]:
    """Give how many chunks the set of a table of contents has, and the numbers of those that are not there yet.

    One that is shorter than it will be is still on its way, and counts as missing. (0, []) for anything else.
    """
    toc = peek_toc(path)
    if toc is None:
        return 0, []
    places = locate(toc, [path.parent, *folders])
    missing = [
        number
        for number, chunk in enumerate(toc.chunks, start=1)
        if chunk.name not in places or places[chunk.name].lstat().st_size < chunk.size
    ]
    return len(toc.chunks), missing


def companions(path: Path, folders: list[Path]) -> list[Path]:
    """Give the files that belong to a table of contents: its chunks and its signature, as far as they are there."""
    toc = peek_toc(path)
    if toc is None:
        return []
    found = [*locate(toc, [path.parent, *folders]).values(), signature_path(path, folders)]
    return [each for each in found if os.path.lexists(each)]
