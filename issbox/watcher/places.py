"""Where in the inbox something may be a bundle: single things, and sets of files that belong together."""

import os
import re
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from issbox.bundle.opening import DEEPEST, TREE_NAMES, is_source
from issbox.bundle.tar.toc_checks import SIGNATURE_SUFFIX, TOC_SUFFIX
from issbox.manifest import MANIFEST_NAME
from issbox.workflows.foreign import is_foreign

_UNFINISHED: Final = (".part", ".partial", ".tmp", ".crdownload", ".filepart")
"""How transfer programs end the names of files they have not finished."""
_NOT_OURS: Final = frozenset({"lost+found", "System Volume Information", "$RECYCLE.BIN"})
"""What file systems and other operating systems put at the top of a medium."""
_CHUNK: Final = re.compile(r"(?P<set>.+)\.(?:tar|tgz|tar\.gz)(?:\.\d{3,})?")
_PULP: Final = re.compile(r"export-[0-9a-f]{8}-[0-9a-f-]{27}-\d{8}_\d{4}")
"""How the names of Pulp's archives begin."""
_MOST_LOOKED_INTO: Final = 100
"""How many directories of one are looked into, to tell whether it is a medium that was copied as a whole."""


@dataclass(frozen=True, slots=True)
class Place:
    """Something in the inbox that is, or may become, a bundle or a volume of one."""

    path: Path
    """Of a set of chunks, its table of contents, or its first chunk while that is missing."""
    organization: str | None
    """Label of the organization whose folder it lies in."""
    members: tuple[Path, ...] = ()
    """Of a set of chunks: all its files that are there, sorted."""


@dataclass(slots=True)
class _Set:
    organization: str | None
    files: list[Path] = field(default_factory=list)


_Sets = dict[tuple[str | None, str], _Set]
"""By organization and name."""


def is_unfinished(name: str) -> bool:
    """Tell whether a transfer program has not finished the file of this name."""
    return name.endswith(_UNFINISHED)


def is_ignored(name: str) -> bool:
    """Tell whether an entry of the inbox is none of ours: hidden, unfinished, or the file system's own."""
    return name.startswith(".") or is_unfinished(name) or name in _NOT_OURS


def places(inbox: Path, organizations: Collection[str]) -> list[Place]:
    """Give the candidates of the inbox, sorted by path.

    A directory that is no bundle itself is a folder when it is named after an organization, or holds volumes; one that
    holds nothing yet is left alone, since somebody may fill it. So is a directory of such folders, as when a medium is
    copied as a whole. Files of one set of chunks belong together whatever folders they lie in, but never those of an
    organization's folder with others.

    Raises FileNotFoundError or NotADirectoryError when the inbox is not there, PermissionError when it is closed.
    """
    sets: _Sets = {}
    found = list(_walk(inbox, None, organizations, 0, sets))
    found.extend(_place_of(each) for each in sets.values())
    return sorted(found, key=lambda place: place.path)


def _walk(
    folder: Path, organization: str | None, organizations: Collection[str], depth: int, sets: _Sets
) -> Iterator[Place]:
    for path in _entries(folder, strict=depth == 0):
        name = set_name(path.name)
        if _is_directory(path):
            label = path.name if depth == 0 and path.name in organizations else organization
            if depth < DEEPEST and _is_folder(path, depth, is_organization=label is not organization):
                yield from _walk(path, label, organizations, depth + 1, sets)
            elif not _is_hollow(path, DEEPEST):
                yield Place(path, organization)
        elif name is not None:
            sets.setdefault((organization, name), _Set(organization)).files.append(path)
        else:
            yield Place(path, organization)


def set_name(name: str) -> str | None:
    """Give the name of the set that a file of this name belongs to: chunk, table of contents or its signature."""
    for ending in (SIGNATURE_SUFFIX, TOC_SUFFIX):
        if name.endswith(ending):
            return name.removesuffix(ending)
    match = _CHUNK.fullmatch(name)
    return match["set"] if match else None


def _place_of(found: _Set) -> Place:
    files = sorted(found.files)
    tables = [path for path in files if path.name.endswith(TOC_SUFFIX)]
    return Place((tables or files)[0], found.organization, tuple(files))


def _is_folder(path: Path, depth: int, *, is_organization: bool = False) -> bool:
    """Tell whether a directory only holds candidates, or folders of candidates.

    The inside of a bundle, of a yum repository or of another system's export is not looked at.
    """
    if os.path.lexists(path / MANIFEST_NAME) or is_foreign(path):
        return False
    if is_organization:
        return True
    entries = _entries(path, strict=False)
    if any(_PULP.match(each.name) for each in entries):  # an export of a Katello on its way
        return False
    if any(is_source(each) or set_name(each.name) for each in entries):
        return True
    if depth + 1 >= DEEPEST or any(each.name in TREE_NAMES for each in entries):
        return False
    return any(_is_directory(each) and _is_folder(each, depth + 1) for each in entries[:_MOST_LOOKED_INTO])


def _is_hollow(folder: Path, depth: int) -> bool:
    """Tell whether a directory holds nothing but such directories and what is not ours: somebody may fill it yet."""
    try:
        found = [path for path in folder.iterdir() if not is_ignored(path.name)]
    except OSError:  # closed to us: people hear of it when it settles
        return False
    return not found or (depth > 0 and all(_is_directory(each) and _is_hollow(each, depth - 1) for each in found))


def _entries(folder: Path, *, strict: bool) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not is_ignored(path.name))
    except OSError:  # taken away between the two listings, or closed to us: the next scan sees
        if strict:
            raise
        return []


def _is_directory(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False
