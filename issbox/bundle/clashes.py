"""Finds paths that one directory cannot hold side by side on every file system, in flat memory.

Two paths clash when they are the same, differ only in case or Unicode form, or when one is a file where the other
needs a directory. Directories count too: `Packages/a.rpm` and `packages/b.rpm` become one directory on some media.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from issbox.errors import NameClashError
from issbox.names import clash_key
from issbox.sorting import RepeatedNumbers

_COMPARED: Final = 1000
"""How many hashes that came twice are looked into at most; one clash is enough."""


class ClashFinder:
    """Is told one path after the other; `finish` raises NameClashError when any two of them clash.

    Only 64-bit hashes are kept, most of them on the disk; when two are equal, the paths told so far are read again to
    compare them exactly. Paths should come sorted, so that those with the same directory stand together.
    """

    def __init__(
        self, again: Callable[[], Iterable[str]], reserved: Iterable[str] = (), scratch: Path | None = None
    ) -> None:
        """Take a function that gives the paths from the beginning, and names at the root that are taken already.

        `scratch` is the directory for hashes of many paths, by default the system's temporary one.
        """
        self._again = again
        self._reserved = {clash_key(name): name for name in reserved}
        self._hashes = RepeatedNumbers(scratch)
        self._count = 0
        self._last_directory = ""

    def add(self, path: str) -> None:
        """Take the next path; raises NameClashError at once when it clashes with a reserved name."""
        directory = path.rpartition("/")[0]
        if directory != self._last_directory:
            for each in _new_directories(directory, self._last_directory):
                self._add(each)
            self._last_directory = directory
        self._add(path)
        self._count += 1

    def _add(self, path: str) -> None:
        key = clash_key(path)
        if key in self._reserved:
            raise _clash(path, self._reserved[key])
        # Python's string hash is keyed anew in each process, so that nobody can prepare collisions.
        self._hashes.add(hash(key))

    def finish(self) -> None:
        """Say that there are no more paths; raises NameClashError."""
        suspects = set(islice(self._hashes.repeated(), _COMPARED))
        if suspects:
            self._compare(suspects)

    def _compare(self, suspects: set[int]) -> None:
        """Compare the paths whose hashes came more than once."""
        known: dict[str, tuple[str, bool]] = {}
        for path, is_directory in self._told():
            key = clash_key(path)
            if hash(key) not in suspects:
                continue
            before = known.get(key)
            if before is not None and not (is_directory and before == (path, True)):
                raise _clash(path, before[0])
            known[key] = path, is_directory

    def _told(self) -> Iterator[tuple[str, bool]]:
        """Give the paths told so far once more, each after the directories it is the first in."""
        last = ""
        for path in islice(self._again(), self._count):
            directory = path.rpartition("/")[0]
            if directory != last:
                yield from ((each, True) for each in _new_directories(directory, last))
                last = directory
            yield path, False


def with_ancestors(path: str) -> Iterator[str]:
    """Give the path, its directory, the directory of that, and so on without the root."""
    while path:
        yield path
        path = path.rpartition("/")[0]


def _new_directories(directory: str, last: str) -> Iterator[str]:
    """Give a directory and those it lies in, as far as they are not the last one or above it."""
    for each in with_ancestors(directory):
        if last == each or last.startswith(f"{each}/"):
            return
        yield each


def _clash(path: str, other: str) -> NameClashError:
    if path == other:
        return NameClashError(f"the path {path!r} is there twice, or is both a file and a directory")
    if clash_key(path) == clash_key(other) and path.casefold() != other.casefold():
        return NameClashError(f"the paths {other!r} and {path!r} differ only in their Unicode form")
    return NameClashError(f"the paths {other!r} and {path!r} differ only in upper and lower case")
