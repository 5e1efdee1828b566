"""What lies in the inbox: which entries are candidates, and what each looks like right now.

Nothing is opened but the manifest, links are never followed, and a hostile directory costs no more than
`max_files` calls of lstat.
"""

import os
import re
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zlib import crc32

from issbox.manifest import MANIFEST_NAME, SIGNATURE_NAME, TABLE_NAME
from issbox.names import format_size
from issbox.workflows.peeking import Hint, peek

_HEAD: Final = (MANIFEST_NAME, SIGNATURE_NAME, TABLE_NAME)
_UNFINISHED: Final = (".part", ".partial", ".tmp", ".crdownload", ".filepart")
"""How transfer programs end the names of files they have not finished."""
_NOT_OURS: Final = frozenset({"lost+found", "System Volume Information", "$RECYCLE.BIN"})
"""What file systems and other operating systems put at the top of a medium."""
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


@dataclass(slots=True)
class _Tally:
    """Sums over the entries of one candidate."""

    entries: int = 0
    size: int = 0
    mark: int = 0
    files: int = 0
    """Regular files besides the three that describe the bundle."""
    file_size: int = 0
    unfinished: bool = False

    @property
    def fingerprint(self) -> str:
        return f"{self.entries}:{self.size}:{self.mark:016x}"


def is_ignored(name: str) -> bool:
    """Tell whether an entry of the inbox is none of ours: hidden, unfinished, or the file system's own."""
    return name.startswith(".") or name.endswith(_UNFINISHED) or name in _NOT_OURS


def look(inbox: Path, organizations: Collection[str], max_files: int) -> list[Candidate]:
    """Give the candidates of the inbox, sorted by path.

    A directory named after an organization that is no bundle itself is a folder of candidates for it.
    Raises FileNotFoundError or NotADirectoryError when the inbox is not there, PermissionError when it is closed.
    """
    return sorted(
        (_measure(path, organization, max_files) for path, organization in _places(inbox, organizations)),
        key=lambda candidate: candidate.path,
    )


def _places(inbox: Path, organizations: Collection[str]) -> Iterator[tuple[Path, str | None]]:
    for name in _names(inbox):
        path = inbox / name
        if name not in organizations or not _is_directory(path) or (path / MANIFEST_NAME).exists():
            yield path, None
            continue
        try:
            for inner in _names(path):
                yield path / inner, name
        except OSError:  # taken away between the two listings, or closed to us: the next scan sees
            continue


def _names(directory: Path) -> list[str]:
    return [name for name in os.listdir(directory) if not is_ignored(name)]  # noqa: PTH208 - names, not paths


def _is_directory(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _measure(path: Path, organization: str | None, max_files: int) -> Candidate:
    tally = _Tally()
    directory = _is_directory(path)
    for relative, status in _entries(path, max_files):
        _count(tally, relative, status)
    heads = {name: _size(path / name) for name in _HEAD} if directory else {}
    crowded = tally.entries > max_files
    hint = peek(path) if directory and not crowded else None
    complete, words = _progress(tally, heads, hint)
    return Candidate(path, organization, tally.fingerprint, complete or crowded, words, tally.files, tally.file_size)


def _entries(path: Path, max_files: int) -> Iterator[tuple[str, os.stat_result]]:
    """Give name and lstat of the candidate itself and of everything below it, `max_files` + 1 entries at most.

    What vanishes or is closed to us in the middle is left out: the fingerprint changes again when that changes.
    """
    try:
        top = path.lstat()
    except OSError:
        return
    yield "", top
    pending = [(path, "")] if stat.S_ISDIR(top.st_mode) else []
    left = max_files
    while pending:
        directory, prefix = pending.pop()
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    try:
                        status = entry.stat(follow_symlinks=False)
                    except OSError:
                        continue
                    relative = f"{prefix}{entry.name}"
                    yield relative, status
                    left -= 1
                    if left < 0:
                        return
                    if stat.S_ISDIR(status.st_mode):
                        pending.append((directory / entry.name, f"{relative}/"))
        except OSError:
            continue


def _count(tally: _Tally, relative: str, status: os.stat_result) -> None:
    directory = stat.S_ISDIR(status.st_mode)
    size = 0 if directory else status.st_size
    tally.entries += 1
    tally.size += size
    # A sum does not depend on the order in which the file system lists entries. The kind is part of it, the owner and
    # the mode are not. The candidate's own time is left out: a move between directories may change it.
    time = status.st_mtime_ns if relative else 0
    line = f"{relative}\0{stat.S_IFMT(status.st_mode)}\0{size}\0{time}".encode(errors="surrogateescape")
    tally.mark = (tally.mark + (crc32(line) << 32 | crc32(line, 1))) & _MASK
    if stat.S_ISREG(status.st_mode) and relative not in _HEAD:
        tally.files += 1
        tally.file_size += size
        name = relative.rpartition("/")[2]
        tally.unfinished |= name.endswith(_UNFINISHED) or _RSYNC.fullmatch(name) is not None


def _size(path: Path) -> int | None:
    """Give the size of a regular file, None when it is missing or something else."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _progress(tally: _Tally, heads: dict[str, int | None], hint: Hint | None) -> tuple[bool, str]:
    """Say whether the candidate looks complete, and in words how far it has come."""
    if hint is None or hint.files.carried_count < 0 or hint.files.carried_size < 0:
        return False, f"{tally.files} files, {format_size(tally.file_size)}; no readable {MANIFEST_NAME} yet"
    wanted, size = hint.files.carried_count, hint.files.carried_size
    words = f"{tally.files} of {wanted} files, {format_size(tally.file_size)} of {format_size(size)}"
    missing = [name for name in _HEAD if heads.get(name) is None]
    if missing:
        return False, f"{words}; {missing[0]} is not there yet"
    if heads[TABLE_NAME] != hint.table.size:
        return False, f"{words}; {TABLE_NAME} is not whole yet"
    exact = (tally.files, tally.file_size) == (wanted, size)
    enough = tally.files >= wanted and tally.file_size >= size
    return exact or (enough and not tally.unfinished), words
