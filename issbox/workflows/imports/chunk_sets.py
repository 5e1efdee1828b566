"""Archives in chunks that are not whole: what is missing of a set, or damaged, by exact name."""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from issbox.bundle.tar.relisting import examine, locate
from issbox.bundle.tar.toc_checks import SIGNATURE_SUFFIX, TOC_SUFFIX, Compression
from issbox.bundle.tar.toc_reader import read_toc, signature_path
from issbox.model import BundleForm, WaitsFor
from issbox.workflows.imports.chunks import missing_chunks
from issbox.workflows.imports.incoming import words_for_volumes
from issbox.workflows.inbox.waiting import Waiting

_NAMED: Final = 10
"""How many names a reason has."""
_CHUNK: Final = re.compile(r"(?P<set>.+)\.(?:tar|tgz|tar\.gz)\.\d{3,}")


@dataclass(frozen=True, slots=True)
class BadChunk:
    """A chunk that has to be brought again."""

    number: int
    """From 1."""
    name: str
    size: int
    """Bytes that it must have."""
    damaged: bool
    """Whether something else lies in its place; otherwise it is missing, or not whole yet."""


def set_incomplete(path: Path, folders: list[Path]) -> Waiting | None:
    """Say what has to come before a set can be read: its table of contents, the signature of that, or chunks.

    None when it is all there, and for what is no set. Nothing is trusted and no chunk is read.
    """
    toc = toc_of(path)
    if toc is None:
        return None
    lacking = [each for each in (toc, signature_path(toc, folders)) if not os.path.lexists(each)]
    if lacking:
        return Waiting(WaitsFor.VOLUMES, f"still missing: {', '.join(each.name for each in lacking)}")
    count, missing = missing_chunks(toc, folders)
    if not missing:
        return None
    chunks = read_toc(toc, None).chunks
    names = _names(chunks[number - 1].name for number in islice(missing, _NAMED + 1))
    return Waiting(WaitsFor.VOLUMES, f"still missing: {words_for_volumes(count, missing, noun='chunk')}: {names}")


def bad_chunks(toc_path: Path, folders: list[Path], advance: Callable[[int], None] | None = None) -> list[BadChunk]:
    """Read the chunks that are there and give those that are missing or not what they must be, by number.

    Raises BundleError for a table of contents that cannot be read; its signature is not looked at.
    """
    toc = read_toc(toc_path, None)
    found = examine(toc, locate(toc, [toc_path.parent, *folders]), advance)
    missing = {chunk.name for chunk in found.missing}
    return [
        BadChunk(number, chunk.name, chunk.size, chunk.name not in missing)
        for number, chunk in enumerate(toc.chunks, start=1)
        if chunk.name in found.wanted
    ]


def words_for_damage(error: Exception, bad: Sequence[BadChunk]) -> Waiting:
    """Say that these chunks have to be brought again."""
    names = _names(each.name for each in bad[: _NAMED + 1])
    return Waiting(WaitsFor.VOLUMES, f"{error}. Bring again: {names}; the others are kept, and it goes on by itself")


def form_of_toc(path: Path) -> BundleForm:
    """Give the form of the archive that a table of contents lists."""
    return BundleForm.TGZ if read_toc(path, None).compression is Compression.GZIP else BundleForm.TAR


def is_part_of_set(path: Path) -> bool:
    """Tell whether a file belongs to a set by its name: its table of contents, signature, or a numbered chunk."""
    return toc_of(path) is not None


def toc_of(path: Path) -> Path | None:
    """Give where the table of contents lies that a file belongs to; None for what is no part of a set by its name."""
    for ending in (SIGNATURE_SUFFIX, TOC_SUFFIX):
        if path.name.endswith(ending):
            return path.with_name(path.name.removesuffix(ending) + TOC_SUFFIX)
    match = _CHUNK.fullmatch(path.name)
    return path.with_name(match["set"] + TOC_SUFFIX) if match else None


def _names(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:_NAMED]) + (", ..." if len(listed) > _NAMED else "")
