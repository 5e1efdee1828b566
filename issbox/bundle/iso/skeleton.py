"""An image without the bytes of its files: descriptors, directories of UDF, path tables, directory records.

Everything gets its place when the names and sizes of all files are known, and is written when it is asked for.
"""

from collections.abc import Iterable, Iterator

from issbox.bundle.iso.contents import ImageContents
from issbox.bundle.iso.descriptors import Descriptors, Placement
from issbox.bundle.iso.label import IsoLabel
from issbox.bundle.iso.layout import HEAD, HEAD_UDF, PADDING, sectors_of, table_sectors
from issbox.bundle.iso.pages import SECTOR
from issbox.bundle.iso.record_writer import RecordWriter, Rests, continuation, path_table
from issbox.bundle.iso.udf_writer import UdfWriter
from issbox.errors import BugError


class Skeleton:
    """Everything of an image but the bytes of its files, each part of which begins at a new sector."""

    def __init__(self, contents: ImageContents, label: IsoLabel, *, udf: bool) -> None:
        """Lay out an image; its last directories are followed by the files in the order in which they came."""
        meter, descriptors = contents.meter, Descriptors(label, udf=udf)
        self._head = position = HEAD_UDF if udf else HEAD
        self._directories = contents.directories()
        if udf:
            position = self._place_udf(contents, position)
        unique = position
        self._table = table_sectors(meter.path_table)
        tables = (position, position + self._table)
        position += 2 * self._table
        for index, directory in enumerate(self._directories, start=1):
            directory.index = index
            directory.records = range(position, position + meter.directory(directory.path)[0])
            position = directory.records.stop
        self._extensions = descriptors.extensions
        entry = continuation(position, 0, len(self._extensions))
        self._rests = Rests(contents.continued, meter.continuation, position + 1)
        position += 1 + sectors_of(meter.continuation)
        self.data = range(position, position + contents.sectors)
        """The sectors of the files, which follow one another in the order of the members, each at a new sector."""
        self.end = self.data.stop + PADDING + (1 if udf else 0)
        """Sectors of the whole image."""
        if self.end * SECTOR != meter.size:
            raise BugError(f"an image was to have {meter.size} bytes, and got {self.end * SECTOR}")
        self._records = RecordWriter(label, data=position, rests=self._rests, extensions=entry)
        self._udf = UdfWriter(label, partition=descriptors.partition, data=position) if udf else None
        self._descriptors = descriptors.write(
            Placement(
                path_table=meter.path_table,
                path_tables=tables,
                root=contents.root.records,
                data=self.data,
                size=self.end,
                files=contents.files,
                directories=len(self._directories),
                next_unique=unique,
            )
        )

    def front(self) -> Iterator[bytes | bytearray]:
        """Give what comes before the files, in pieces; once."""
        yield from self._descriptors.take(0, self._head)
        if self._udf is not None:
            for directory in self._directories:
                yield from self._udf.directory(directory)
            for directory in self._directories:
                yield from self._udf.files(directory)
        for order in "<>":
            yield b"".join(path_table(self._directories, order=order)).ljust(self._table * SECTOR, b"\0")
        for directory in self._directories:
            yield from self._records.write(directory)
        yield self._extensions.ljust(SECTOR, b"\0")
        yield self._rests.data

    def back(self) -> Iterator[bytes | bytearray]:
        """Give what comes behind the files: empty sectors, as some drives cannot read the last ones, and UDF's end."""
        yield from self._descriptors.take(self.data.stop, self.end)

    def _place_udf(self, contents: ImageContents, position: int) -> int:
        """Put the entries and names of directories behind one another, then the entries of files."""
        for directory in self._directories:
            directory.udf_entry = position
            directory.names = contents.meter.directory(directory.path)[1]
            directory.identifiers = range(position + 1, position + 1 + sectors_of(directory.names))
            position = directory.identifiers.stop
        for directory in self._directories:
            directory.first_entry = position
            position += directory.count
        return position


def make_skeleton(files: Iterable[tuple[str, int]], label: IsoLabel, *, udf: bool) -> Skeleton:
    """Lay out an image of these (path, size); the paths are safe and differ.

    Raises InvalidValueError for what UDF cannot hold.
    """
    contents = ImageContents(udf=udf)
    for path, size in files:
        contents.add(path, size)
    return Skeleton(contents, label, udf=udf)
