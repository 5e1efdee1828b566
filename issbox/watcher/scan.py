"""What lies in the inbox: which entries are candidates, and what each looks like right now.

Nothing is opened but the manifest and what takes its place in other systems' exports, links are never followed, and the
number of lstat calls for one candidate is bounded, however large a hostile directory is.
"""

import os
import re
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

from issbox.bundle.tar.toc_checks import SIGNATURE_SUFFIX, TOC_SUFFIX
from issbox.manifest import MANIFEST_NAME, SIGNATURE_NAME, TABLE_NAME, VOLUME_NAME
from issbox.names import format_size, plural
from issbox.watcher.places import Place, is_unfinished, places
from issbox.workflows.foreign import foreign_progress
from issbox.workflows.imports.chunks import missing_chunks
from issbox.workflows.imports.incoming import words_for_volumes
from issbox.workflows.inbox.peeking import Hint, image_size, peek

_HEAD: Final = (MANIFEST_NAME, SIGNATURE_NAME, TABLE_NAME, VOLUME_NAME)
_RSYNC: Final = re.compile(r"\..+\.[A-Za-z0-9]{6}")
_MASK: Final = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something in the inbox that is, or may become, a bundle."""

    path: Path
    organization: str | None
    """Label of the organization whose folder it lies in."""
    fingerprint: str
    """Changes when anything in it changes: number of entries, bytes, and names, sizes and times of all of them."""
    complete: bool
    """Whether it looks whole, going by its own manifest. Only a hint."""
    words: str
    """How far it has come, for people."""
    files: int
    size: int
    """Bytes."""
    members: tuple[Path, ...] = ()
    """Of a set of chunks: all its files that are there."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What one look at the inbox found."""

    candidates: tuple[Candidate, ...]
    nameless: tuple[Path, ...]
    """Entries that no row can name, since their names are not valid UTF-8."""


@dataclass(slots=True)
class _Tally:
    """Sums over the entries of one candidate."""

    entries: int = 0
    size: int = 0
    mark: int = 0
    files: int = 0
    """Regular files besides those that describe the bundle."""
    file_size: int = 0
    unfinished: bool = False
    top: int | None = None
    """Mode of the candidate itself; None when it has vanished."""

    @property
    def fingerprint(self) -> str:
        return f"{self.entries}:{self.size}:{self.mark:016x}"


def look(inbox: Path, organizations: Collection[str], max_files: int) -> Findings:
    """Give the candidates of the inbox, sorted by path.

    A directory named after an organization that is no bundle itself is a folder of candidates for it.
    Raises FileNotFoundError or NotADirectoryError when the inbox is not there, PermissionError when it is closed.
    """
    candidates: list[Candidate] = []
    nameless: list[Path] = []
    for place in places(inbox, organizations):
        if _is_text(str(place.path)):
            candidates.append(_measure(place, max_files))
        else:
            nameless.append(place.path)
    return Findings(tuple(candidates), tuple(nameless))


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _measure(place: Place, max_files: int) -> Candidate:
    path = place.path
    tally = _Tally()
    bound = 2 * max_files + 1000  # directories are entries too
    for member in place.members or (path,):
        for relative, status in _entries(member, bound):
            _count(tally, f"{member.name}\0{relative}" if place.members else relative, status)
    if place.members:
        complete, words = _set_progress(place, tally)
    elif tally.top is not None and not stat.S_ISDIR(tally.top):
        complete, words = _other_progress(path, tally.top, tally.size)
    elif tally.entries > bound:
        complete, words = True, f"more than {plural(bound, 'entry')}"
    elif (progress := foreign_progress(path, tally.files, tally.file_size)) is not None:
        complete, words = progress[0] and not tally.unfinished, progress[1]
    else:
        heads = {name: _size(path / name) for name in _HEAD}
        complete, words = _bundle_progress(tally, heads, peek(path))
    return Candidate(
        path, place.organization, tally.fingerprint, complete, words, tally.files, tally.file_size, place.members
    )


def _entries(path: Path, bound: int) -> Iterator[tuple[str, os.stat_result]]:
    """Give name and lstat of the candidate itself and of everything below it, `bound` + 1 entries at most.

    What vanishes or is closed to us in the middle is left out: the fingerprint changes again when that changes.
    """
    try:
        top = path.lstat()
    except OSError:
        return
    yield "", top
    pending = [(path, "")] if stat.S_ISDIR(top.st_mode) else []
    while pending:
        directory, prefix = pending.pop()
        for name, status in _children(directory):
            relative = f"{prefix}{name}"
            yield relative, status
            bound -= 1
            if bound <= 0:
                return
            if stat.S_ISDIR(status.st_mode):
                pending.append((directory / name, f"{relative}/"))


def _children(directory: Path) -> Iterator[tuple[str, os.stat_result]]:
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                try:
                    yield entry.name, entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
    except OSError:
        return


def _count(tally: _Tally, relative: str, status: os.stat_result) -> None:
    directory = stat.S_ISDIR(status.st_mode)
    size = 0 if directory else status.st_size
    tally.entries += 1
    tally.size += size
    if not relative:
        tally.top = status.st_mode
    # A sum does not depend on the order in which the file system lists entries. The kind is part of it, the owner and
    # the mode are not. A candidate directory's own time is left out: a move between directories may change it.
    time = status.st_mtime_ns if relative or not directory else 0
    line = f"{relative}\0{stat.S_IFMT(status.st_mode)}\0{size}\0{time}".encode(errors="surrogateescape")
    tally.mark = (tally.mark + int.from_bytes(blake2b(line, digest_size=8).digest())) & _MASK
    if stat.S_ISREG(status.st_mode) and relative not in _HEAD:
        tally.files += 1
        tally.file_size += size
        name = relative.rpartition("/")[2]
        tally.unfinished |= is_unfinished(name) or _RSYNC.fullmatch(name) is not None


def _size(path: Path) -> int | None:
    """Give the size of a regular file, None when it is missing or something else."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _other_progress(path: Path, mode: int, size: int) -> tuple[bool, str]:
    """Say how far something has come that is no directory.

    A file may still be growing, and moving it away would cut it; links, pipes and devices do not grow.
    """
    if not stat.S_ISREG(mode):
        return True, "neither a file nor a directory"
    whole = image_size(path)
    if whole is None:
        return False, f"a single file, {format_size(size)}; a bundle is a directory, an image or an archive"
    return size >= whole, f"{format_size(size)} of {format_size(whole)}"


def _set_progress(place: Place, tally: _Tally) -> tuple[bool, str]:
    """Say how far a set of chunks has come."""
    here = f"{plural(len(place.members), 'file')}, {format_size(tally.file_size)}"
    if not place.path.name.endswith(TOC_SUFFIX):
        return False, f"{here}; the table of contents NAME{TOC_SUFFIX} is not there yet"
    if not any(each.name.endswith(SIGNATURE_SUFFIX) for each in place.members):
        return False, f"{here}; the signature of the table of contents is not there yet"
    count, missing = missing_chunks(place.path, sorted({each.parent for each in place.members}))
    if not count:
        return False, f"{here}; {place.path.name} cannot be read"
    if missing:
        return False, f"{here}; still missing: {words_for_volumes(count, missing, noun='chunk')}"
    return True, f"{plural(count, 'chunk')}, {format_size(tally.file_size)}"


def _bundle_progress(tally: _Tally, heads: dict[str, int | None], hint: Hint | None) -> tuple[bool, str]:
    """Say whether the directory looks complete, and in words how far it has come."""
    if hint is None or min(hint.expected) < 0:
        return False, f"{plural(tally.files, 'file')}, {format_size(tally.file_size)}; no readable {MANIFEST_NAME} yet"
    wanted, size = hint.expected
    words = f"{tally.files} of {wanted} files, {format_size(tally.file_size)} of {format_size(size)}"
    missing = [name for name in _HEAD[:3] if heads.get(name) is None]
    if missing:
        return False, f"{words}; {missing[0]} is not there yet"
    if heads[TABLE_NAME] != hint.table.size:
        return False, f"{words}; {TABLE_NAME} is not whole yet"
    exact = (tally.files, tally.file_size) == (wanted, size)
    enough = tally.files >= wanted and tally.file_size >= size
    return exact or (enough and not tally.unfinished), words
