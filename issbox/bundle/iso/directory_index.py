"""What is in the directories of an image, sorted and found by name in flat memory, however large a directory is."""

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from issbox.bundle.iso.directories import Extent, IsoDirectory, IsoFile
from issbox.errors import NameClashError
from issbox.scratch import ScratchFile
from issbox.sorting import sorted_on_disk

Entry = IsoFile | IsoDirectory
"""A file or a directory of an image."""

_PAGE: Final = 100
"""Entries that are read together. A directory with fewer is kept in memory, any other one in a file."""
_PAGES: Final = 16
"""Pages read lately that are kept, about 40 KiB each."""
_KEPT: Final = 5_000
"""Pages, and entries of small directories, that are known at a time; the directory read last is known anyway."""
_END: Final = b"\0"


class _Shelf:
    """Where the entries of large directories of one image lie: a file that is made when it is needed."""

    def __init__(self, scratch: Path | None) -> None:
        self.scratch = scratch
        self._lock = threading.Lock()
        self._file: ScratchFile | None = None
        self._pages: OrderedDict[tuple[str, int], dict[str, Entry]] = OrderedDict()

    def put(self, entries: Iterable[Entry]) -> range:
        """Write a page of entries and give its place."""
        with self._lock:
            if self._file is None:
                self._file = ScratchFile(self.scratch)
            return self._file.add(_encode(entry) + _END for entry in entries)

    def page(self, directory: str, place: range) -> dict[str, Entry]:
        """Give the entries of a page by name, in their order."""
        key = directory, place.start
        with self._lock:
            found = self._pages.get(key)
            if found is not None:
                self._pages.move_to_end(key)
                return found
            assert self._file is not None, "the page has been written to it"
            file = self._file
        parts = file.read(place.start, len(place)).split(_END)[:-1]
        entries = {_name(entry): entry for entry in (_decode(part, directory) for part in parts)}
        with self._lock:
            self._pages[key] = entries
            if len(self._pages) > _PAGES:
                self._pages.popitem(last=False)
        return entries


class DirectoryIndex:
    """The entries of one directory. Nothing in it changes, so any number of threads may use it."""

    def __init__(self, path: str, entries: Iterable[Entry], shelf: _Shelf) -> None:
        """Take the entries in any order; raises NameClashError for a name that is there twice, and what `entries` does.

        A directory and a file may not have the same name either.
        """
        self._path = path
        self._shelf = shelf
        self.count = 0
        """Number of entries."""
        self._firsts: list[str] = []
        self._places: list[range] = []
        self._small: dict[str, Entry] = {}
        found = sorted_on_disk(
            entries, _order, encode=_encode, decode=lambda data: _decode(data, path), scratch=shelf.scratch
        )
        single = _without_repeated(found)
        while page := list(islice(single, _PAGE)):
            self.count += len(page)
            if len(page) < _PAGE and not self._places:
                self._small = {_name(entry): entry for entry in page}
            else:
                self._firsts.append(_order(page[0]))
                self._places.append(shelf.put(page))

    @property
    def kept(self) -> int:
        """Give how many things of it are in memory."""
        return 1 + len(self._small) + len(self._places)

    def __iter__(self) -> Iterator[Entry]:
        """Give the entries in the order in which the paths of all files stand."""
        yield from self._small.values()
        for place in self._places:
            yield from self._shelf.page(self._path, place).values()

    def get(self, name: str) -> Entry | None:
        """Give the entry of this name, or None."""
        if not self._places:
            return self._small.get(name)
        for order in (name, f"{name}/"):  # as a file, and as a directory
            number = bisect_right(self._firsts, order) - 1
            found = self._shelf.page(self._path, self._places[number]).get(name) if number >= 0 else None
            if found is not None:
                return found
        return None


class DirectoryIndexes:
    """The directories of an image that were read lately, for any number of threads."""

    def __init__(self, scratch: Path | None) -> None:
        """Take the directory for the file of large ones: the system's temporary one by default."""
        self._shelf = _Shelf(scratch)
        self._lock = threading.Lock()
        self._found: OrderedDict[IsoDirectory, DirectoryIndex] = OrderedDict()
        self._kept = 0

    def get(self, directory: IsoDirectory, parse: Callable[[], Iterable[Entry]]) -> DirectoryIndex:
        """Give what is in a directory, parsed when it was not read lately."""
        with self._lock:
            found = self._found.get(directory)
            if found is None:
                found = self._found[directory] = DirectoryIndex(directory.path, parse(), self._shelf)
                self._kept += found.kept
                while self._kept > _KEPT and len(self._found) > 1:
                    _, dropped = self._found.popitem(last=False)
                    self._kept -= dropped.kept
            self._found.move_to_end(directory)
            return found


def _without_repeated(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Pass on entries that come in their order; raises NameClashError when a name is there twice."""
    # What stands between a file and a directory of the same name begins with that name, too.
    beginnings: list[str] = []
    for entry in entries:
        name = _name(entry)
        while beginnings and not name.startswith(beginnings[-1]):
            beginnings.pop()
        if beginnings and beginnings[-1] == name:
            raise NameClashError(f"{entry.path!r} is twice in the image")
        beginnings.append(name)
        yield entry


def _name(entry: Entry) -> str:
    return entry.path.rpartition("/")[2]


def _order(entry: Entry) -> str:
    # With its slash, a directory stands where the paths below it stand among all paths.
    name = _name(entry)
    return name if isinstance(entry, IsoFile) else f"{name}/"


def _encode(entry: Entry) -> bytes:
    extents = entry.extents if isinstance(entry, IsoFile) else (entry.extent,)
    places = ",".join(f"{each.offset}+{each.size}" for each in extents)
    return f"{_order(entry)} {places}".encode()


def _decode(data: bytes, directory: str) -> Entry:
    name, _, places = data.decode().rpartition(" ")
    extents = tuple(
        Extent(int(offset), int(size))
        for offset, _, size in (each.partition("+") for each in places.split(",") if each)
    )
    path = f"{directory}/{name}" if directory else name
    if name.endswith("/"):
        return IsoDirectory(path.removesuffix("/"), extents[0])
    return IsoFile(path, sum(extent.size for extent in extents), extents)
