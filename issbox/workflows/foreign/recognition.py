"""Is this a Katello export, which one is it, and has all of it arrived? Hints from unverified bytes, never facts."""

import os
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Final

from issbox.bundle.katello import METADATA_NAME, Form, KatelloMetadata, read_metadata
from issbox.bundle.katello.toc import MAX_TOC, listed_pieces
from issbox.bundle.tree import read_bounded, reading
from issbox.errors import BundleIncompleteError, IssboxError
from issbox.manifest import MANIFEST_NAME, SIGNATURE_NAME, TABLE_NAME
from issbox.names import plural
from issbox.workflows.foreign.archive import archive_identity, find_toc
from issbox.workflows.foreign.trees import read_heads, tree_path, trees_identity
from issbox.yum.listed import ListedFile, list_repository

_OURS: Final = (MANIFEST_NAME, SIGNATURE_NAME, TABLE_NAME)
_METADATA_LIMIT: Final = 1 << 30
"""Bytes of unpacked metadata that are read for a hint; the import has its own, configured limit."""
_LONGEST_LOOK: Final = 45.0
"""Seconds of one look at an export, after which the next one goes on: a service that looks for minutes is taken for
dead."""
_END: Final = bytes(2 * tarfile.BLOCKSIZE)


@dataclass(frozen=True, slots=True)
class ForeignHint:
    """What an export claims to be."""

    identity: str
    source: str
    """Names the line within which the numbers count."""
    organization: str
    number: int


def is_foreign(path: Path) -> bool:
    """Tell whether a directory is to be read as a Katello export: it has metadata.json and no manifest of ours."""
    return os.path.lexists(path / METADATA_NAME) and not any(os.path.lexists(path / name) for name in _OURS)


def foreign_hint(path: Path) -> ForeignHint | None:
    """Say which export lies there; None for anything else, and for one that cannot be read yet."""
    if not is_foreign(path):
        return None
    try:
        metadata = read_metadata(path)
        if metadata.form is Form.SYNCABLE:
            identity = trees_identity(metadata, read_heads(path, metadata))
        else:
            identity = archive_identity(metadata, read_bounded(path, find_toc(path, metadata), MAX_TOC))
    except (IssboxError, OSError):
        return None
    return ForeignHint(identity, metadata.source, metadata.organization, metadata.number)


def foreign_progress(path: Path, files: int, size: int) -> tuple[bool, str] | None:
    """Say whether an export looks complete, and in words how far it has come; None when it is no export.

    `files` and `size` count what lies in the directory: of yum trees, that is compared with what their metadata
    names, since looking for each package at every scan would take too long.
    """
    if not is_foreign(path):
        return None
    try:
        metadata = read_metadata(path)
        if metadata.form is Form.SYNCABLE:
            return _trees_progress(path, metadata, files, size)
        return _archive_progress(path, metadata)
    except BundleIncompleteError as error:
        return False, f"a Katello export; {error}"
    except IssboxError:
        return True, "a Katello export that cannot be read"  # the import says what is wrong with it
    except OSError as error:
        return False, f"a Katello export; {error.strerror}"


def _archive_progress(path: Path, metadata: KatelloMetadata) -> tuple[bool, str]:
    names, chunk_size = listed_pieces(path, find_toc(path, metadata))
    sizes = [_size(path / name) for name in names]
    whole = [size for size in sizes[:-1] if size is not None and size == (chunk_size or size)]
    there = sum(size is not None for size in sizes)
    words = f"a Katello export (importable), {there} of {len(names)} pieces"
    if len(whole) < len(names) - 1 or sizes[-1] is None:
        return False, words
    # tarfile ends an archive with zeros and fills its last record, so a copy that goes on is told from a whole one.
    ended = sum(size or 0 for size in sizes) % tarfile.RECORDSIZE == 0 and _ends_in_zeros(path, names, sizes)
    return ended, words if ended else f"{words}; the last one is not whole yet"


def _ends_in_zeros(path: Path, names: Sequence[str], sizes: Sequence[int | None]) -> bool:
    wanted, tail = len(_END), b""
    for name, size in zip(reversed(names), reversed(sizes), strict=True):
        with reading(path, name) as source:
            source.seek(max(0, (size or 0) - wanted))
            tail = source.read(wanted) + tail
        wanted = len(_END) - len(tail)
        if wanted <= 0:
            break
    return tail == _END


def _size(path: Path) -> int | None:
    try:
        return path.lstat().st_size
    except OSError:
        return None


def _trees_progress(path: Path, metadata: KatelloMetadata, files: int, size: int) -> tuple[bool, str]:
    places = {tree_path(each) for each in metadata.repositories if each.content_type == "yum"}
    heads = read_heads(path, metadata)
    words = f"a Katello export (syncable), {len(places & heads.keys())} of {len(places)} repositories"
    if places - heads.keys():
        return False, f"{words}, {plural(files, 'file')}"
    for place in sorted(places):
        _check_metadata(path / place)
    if metadata.incremental:  # carries only what is new: what else is needed, this box has or has not
        return True, f"{words}, incremental, {plural(files, 'file')}"
    listed = {place: sha256(heads[place]).hexdigest() for place in sorted(places)}
    until = monotonic() + _LONGEST_LOOK
    totals = []
    for place, digest in listed.items():
        totals.append(_expected(path / place, digest))
        if monotonic() > until:
            return False, f"{words}; what they list is being read"
    wanted, wanted_size = sum(count for count, _ in totals), sum(total for _, total in totals)
    words = f"{words}, {files} of {wanted} files"
    if files < wanted or size < wanted_size:
        return False, words
    for place, digest in listed.items():
        _check_packages(path / place, digest, (files, size))
        if monotonic() > until:
            return False, f"{words}; they are being looked for"
    return True, words


def _check_metadata(root: Path) -> None:
    """Look whether the metadata of a tree is there; raises BundleIncompleteError naming the file that is not whole."""
    for listed in list_repository(partial(_find, root), _METADATA_LIMIT, packages=False):
        _check(root, listed)


@lru_cache(maxsize=4096)
def _expected(root: Path, repomd_sha256: str) -> tuple[int, int]:  # noqa: ARG001 - a new repomd.xml is another answer
    """Give number and bytes of the files that a tree's metadata, which is whole, names."""
    listed = list_repository(partial(_find, root), _METADATA_LIMIT)
    sizes = [each.size or 0 for each in listed]
    return len(sizes), sum(sizes)


@lru_cache(maxsize=4096)
def _check_packages(root: Path, repomd_sha256: str, found: tuple[int, int]) -> None:  # noqa: ARG001 - as above
    """Look for every file, once for each state of the directory; raises as `_check_metadata`, which is not cached."""
    for listed in list_repository(partial(_find, root), _METADATA_LIMIT):
        _check(root, listed)


def _check(root: Path, listed: ListedFile) -> None:
    size = _size(root / listed.path)
    if size is None or (listed.size is not None and size != listed.size):
        raise BundleIncompleteError(f"{listed.path} is not {'there' if size is None else 'whole'} yet")


def _find(root: Path, name: str) -> Path | None:
    place = root / name
    return place if place.is_file() and not place.is_symlink() else None
