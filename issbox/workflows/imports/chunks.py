"""Archives in chunks: the files of a set, wherever in the inbox they lie."""

import os
from itertools import islice
from pathlib import Path
from typing import Final

from issbox.bundle.opening import DEEPEST
from issbox.bundle.tar.relisting import locate
from issbox.bundle.tar.toc_checks import TOC_SUFFIX, Toc
from issbox.bundle.tar.toc_reader import read_toc, signature_path
from issbox.errors import BundleError, OperatingSystemError, PermissionDeniedError
from issbox.workflows.context import Context

_MOST_FOLDERS: Final = 1000
"""How many folders of the inbox are looked through."""


class ChunkFolders:
    """The folders of the inbox in which the other files of a set may lie; each is looked for once."""

    def __init__(self, ctx: Context) -> None:
        """Learn which folders belong to organizations."""
        self._inbox = ctx.settings.inbox.path
        with ctx.store.session():
            self._organizations = {each.label for each in ctx.store.organizations.list()}
        self._found: dict[str | None, list[Path]] = {}

    def of(self, path: Path, organization: str | None = None) -> list[Path]:
        """Give those for a file of a set: in the folder of its organization, or in all that are no organization's.

        Names of chunks repeat, and only the folder says whose they are. The chunks of what lies in no inbox, but is
        known to be of an organization, may lie in its folder too.
        """
        if not path.is_relative_to(self._inbox):
            return [*self._of(None), *(self._of(organization) if organization in self._organizations else ())]
        top = path.relative_to(self._inbox).parts[0] if path != self._inbox else ""
        return self._of(top if top in self._organizations and path != self._inbox / top else None)

    def _of(self, owner: str | None) -> list[Path]:
        if owner not in self._found:
            self._found[owner] = self._look(owner)
        return self._found[owner]

    def _look(self, owner: str | None) -> list[Path]:
        start = self._inbox if owner is None else self._inbox / owner
        levels = range(1, DEEPEST + 1) if owner is None else range(1, DEEPEST)
        found = (path for level in levels for path in start.glob("/".join("*" * level)))
        strangers = {self._inbox / label for label in self._organizations} if owner is None else set[Path]()
        folders = (
            path
            for path in found
            if not path.name.startswith(".")
            and strangers.isdisjoint((path, *path.parents))
            and path.is_dir()
            and not path.is_symlink()
        )
        return [start, *islice(folders, _MOST_FOLDERS)]


def chunk_folders(ctx: Context, path: Path, organization: str | None = None) -> list[Path]:
    """Give the folders in which the other files of the set may lie that this file is of; see `ChunkFolders.of`."""
    return ChunkFolders(ctx).of(path, organization)


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
