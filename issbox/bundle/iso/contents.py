"""What the directories of an image to be written hold, in little memory: about 20 bytes for a file, and its name."""

from array import array
from collections.abc import Iterator
from typing import NamedTuple

from issbox.bundle.clashes import with_ancestors
from issbox.bundle.iso.layout import (
    DIRECTORY_ID,
    FILE_ID,
    UDF_HINT,
    IsoMeter,
    place,
    record_lengths,
    records_of,
    sectors_of,
    udf_problem,
)
from issbox.errors import InvalidValueError


class ImageFile(NamedTuple):
    """A file of an image."""

    number: int
    """Counts files and directories of the image in the order in which they came, from 1."""
    name: bytes
    """In UTF-8."""
    size: int
    sector: int
    """Where its bytes begin, in sectors behind the first file of the image; 0 when it has none."""


class ImageDirectory:
    """A directory of an image, and where each of its parts lies; columns instead of objects hold its files."""

    __slots__ = (
        "_names",
        "_numbers",
        "_sectors",
        "_sizes",
        "children",
        "first_entry",
        "identifiers",
        "index",
        "name",
        "names",
        "number",
        "parent",
        "path",
        "records",
        "udf_entry",
    )

    def __init__(self, path: str, number: int, parent: "ImageDirectory | None") -> None:
        self.path = path
        self.name = path.rpartition("/")[2].encode()
        self.number = number
        """As that of a file; 0 for the root."""
        self.parent = parent or self
        self.children: list[ImageDirectory] = []
        self.index = 0
        """Its place in the path tables, from 1."""
        self.records = range(0)
        """The sectors of its directory records."""
        self.udf_entry = 0
        """The sector of its file entry in UDF."""
        self.names = 0
        """Bytes of its names in UDF."""
        self.identifiers = range(0)
        """The sectors of its names in UDF."""
        self.first_entry = 0
        """The sector of the file entry of its first file in UDF; those of the others follow."""
        self._names = bytearray()
        self._numbers = array("I")
        self._sizes = array("Q")
        self._sectors = array("I")

    def add(self, file: ImageFile) -> None:
        """Take a file that comes after everything in it."""
        self._names += file.name + b"/"
        self._numbers.append(file.number)
        self._sizes.append(file.size)
        self._sectors.append(file.sector)

    def files(self) -> Iterator[ImageFile]:
        """Give the files in their order."""
        start = 0
        for number, size, sector in zip(self._numbers, self._sizes, self._sectors, strict=True):
            end = self._names.index(b"/", start)
            yield ImageFile(number, bytes(self._names[start:end]), size, sector)
            start = end + 1

    def entries(self) -> Iterator["ImageFile | ImageDirectory"]:
        """Give files and directories in their order."""
        done = 0
        for file in self.files():
            while done < len(self.children) and self.children[done].number < file.number:
                yield self.children[done]
                done += 1
            yield file
        yield from self.children[done:]

    @property
    def links(self) -> int:
        """How many names it has, as stat(2) counts them: its own, `.`, and `..` of each directory in it."""
        return 2 + len(self.children)

    @property
    def count(self) -> int:
        """How many files it has."""
        return len(self._numbers)


class ImageContents:
    """Is told files in the order in which they will lie in the image, under safe paths that differ."""

    def __init__(self, *, udf: bool) -> None:
        self.meter = IsoMeter(udf)
        """Knows how much room everything takes."""
        self.root = ImageDirectory("", 0, None)
        self.sectors = 0
        """Sectors of the bytes of all files."""
        self.continued: dict[int, int] = {}
        """Of what does not fit into its directory record, by number: where the rest begins, behind the first rest."""
        self._udf = udf
        self._directories = {"": self.root}
        self._count = 0
        self._continuation = 0

    def add(self, path: str, size: int) -> None:
        """Take the next file, and the directories above it; InvalidValueError for a name or size too large for UDF."""
        self.meter.add(path, size)
        parent, _, name = path.rpartition("/")
        directory = self._directories.get(parent)
        if directory is None:
            directory = self._add_directories(parent)
        if self._udf:
            _require_udf(name, size)
        encoded = name.encode()
        number = self._next(encoded, FILE_ID, records_of(size))
        directory.add(ImageFile(number, encoded, size, self.sectors if size else 0))
        self.sectors += sectors_of(size)

    def directories(self) -> list[ImageDirectory]:
        """Give all directories in the order of path tables: those above before those below, each in its order."""
        found = [self.root]
        for directory in found:
            found.extend(directory.children)
        return found

    @property
    def files(self) -> int:
        """How many files there are."""
        return self._count + 1 - len(self._directories)

    def _add_directories(self, path: str) -> ImageDirectory:
        """Add a directory that is not known, and those above it that are not."""
        directory = self.root
        for ancestor in reversed([*with_ancestors(path)]):
            known = self._directories.get(ancestor)
            if known is None:
                name = ancestor.rpartition("/")[2]
                if self._udf:
                    _require_udf(name, 0)
                known = ImageDirectory(ancestor, self._next(name.encode(), DIRECTORY_ID, 1), directory)
                self._directories[ancestor] = known
                directory.children.append(known)
            directory = known
        return directory

    def _next(self, name: bytes, identifier: int, records: int) -> int:
        """Give the number of what comes next, and keep room for what does not fit into its records."""
        self._count += 1
        rest = record_lengths(len(name), identifier)[1]
        if rest:
            self.continued[self._count] = place(self._continuation, rest)
            for _ in range(records):
                self._continuation = place(self._continuation, rest) + rest
        return self._count


def _require_udf(name: str, size: int) -> None:
    problem = udf_problem(name, size)
    if problem is not None:
        raise InvalidValueError(f"UDF cannot hold the file or directory {name!r}: {problem}", hint=UDF_HINT)
