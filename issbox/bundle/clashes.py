"""Finds paths that one directory cannot hold side by side on every file system, in little memory.

Two paths clash when they are the same, differ only in case or Unicode form, or when one is a file where the other
needs a directory. Directories count too: `Packages/a.rpm` and `packages/b.rpm` become one directory on some media.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from issbox.errors import NameClashError
from issbox.names import clash_key


class ClashFinder:
    """Is told one path after the other and raises NameClashError at the first that clashes with one before it.

    For a file only a 64-bit hash is kept (about 70 bytes for each); when two hashes are equal, the paths told so far
    are read again to compare them exactly. Paths with the same directory should come one after the other.
    """

    def __init__(self, again: Callable[[], Iterable[str]], reserved: Iterable[str] = ()) -> None:
        """Take a function that gives the paths from the beginning, and names at the root that are taken already."""
        self._again = again
        self._reserved = {clash_key(name): name for name in reserved}
        self._files: set[int] = set()
        self._count = 0
        self._directories: dict[str, str] = {}
        self._last_directory = ""

    def add(self, path: str) -> None:
        """Take the next path."""
        directory = path.rpartition("/")[0]
        if directory != self._last_directory:
            self._add_directory(directory)
            self._last_directory = directory
        key = clash_key(path)
        taken = self._reserved.get(key) or self._directories.get(key)
        if taken is not None:
            raise _clash(path, taken)
        # Python's string hash is keyed anew in each process, so that nobody can prepare collisions.
        if hash(key) in self._files:
            self._compare(path, key)
        self._files.add(hash(key))
        self._count += 1

    def _add_directory(self, directory: str) -> None:
        for ancestor in with_ancestors(directory):
            key = clash_key(ancestor)
            known = self._directories.get(key)
            if known == ancestor:
                return
            taken = self._reserved.get(key) or known
            if taken is not None:
                raise _clash(ancestor, taken)
            if hash(key) in self._files:
                self._compare(ancestor, key)
            self._directories[key] = ancestor

    def _compare(self, path: str, key: str) -> None:
        for other in islice(self._again(), self._count):
            if clash_key(other) == key:
                raise _clash(path, other)


def with_ancestors(path: str) -> Iterator[str]:
    """Give the path, its directory, the directory of that, and so on without the root."""
    while path:
        yield path
        path = path.rpartition("/")[0]


def _clash(path: str, other: str) -> NameClashError:
    if path == other:
        return NameClashError(f"the path {path!r} is there twice, or is both a file and a directory")
    if clash_key(path) == clash_key(other) and path.casefold() != other.casefold():
        return NameClashError(f"the paths {other!r} and {path!r} differ only in their Unicode form")
    return NameClashError(f"the paths {other!r} and {path!r} differ only in upper and lower case")
