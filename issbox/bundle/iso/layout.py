"""How large an image and its directories are: what the writer lays out, counted from paths and sizes alone.

The figures are those of ECMA-119 (directory records, path tables), IEEE P1282 (Rock Ridge, version 1.09) and ECMA-167
with OSTA UDF 2.60.
"""

from collections.abc import Mapping
from functools import lru_cache

from issbox.bundle.clashes import with_ancestors
from issbox.bundle.iso.pages import SECTOR

PADDING = 150
"""Empty sectors behind the last file, as mkisofs and xorriso leave: the end of a track may be unreadable."""
MAX_EXTENT = 0xFFFFF800
"""Bytes of a file that one directory record speaks for; a larger file has several."""
MAX_IMAGE = 0xFFFFFFFF * SECTOR
"""Bytes of an image, whose sectors are numbered in 32 bits."""
HEAD = 20
"""Sectors in front of the path tables: the system area, primary and enhanced volume descriptor, terminator, and the
version descriptor that mkisofs has."""
HEAD_UDF = 259
"""With UDF: up to its first anchor in sector 256, the file set and its terminator."""
MAX_RECORD = 254
"""Bytes of a directory record, which has an even number of them."""
FILE_ID, DIRECTORY_ID = 11, 8
"""Bytes of a synthetic name, such as 00000001.;1 for a file."""
PATH_RECORD, ROOT_PATH_RECORD = 8 + DIRECTORY_ID, 10
_EXTENSIONS = 1
"""The sector that says which version of Rock Ridge this is."""
_RECORD, _RR, _NM, _PX, _TF, _CE = 33, 5, 5, 36, 26, 28
_ROOT_DOTS, _DOTS = 238, 204
"""Bytes of the records `.` and `..`."""
_PATH_TABLE = 2 * SECTOR
"""Path tables grow by two sectors, in each of the two byte orders."""
MAX_UDF_EXTENT = 0x3FFFF800
"""Bytes of a file that one allocation descriptor of UDF speaks for."""
_UDF_RECORD, _UDF_PARENT, _UDF_MAX_NAME = 39, 40, 253
UDF_HINT = "Export it without UDF, or in smaller volumes, or have it renamed in the repository it comes from."
"""What to do about what UDF cannot hold."""
_UDF_MAX_FILE = 233 << 30
"""A file entry with its allocation descriptors of eight bytes is not larger than a sector."""


def sectors_of(size: int) -> int:
    """Give the sectors that hold this many bytes."""
    return -(-size // SECTOR)


def place(end: int, length: int) -> int:
    """Give where something lies that comes next after `end` bytes: nothing crosses the end of a sector."""
    return end if end % SECTOR + length <= SECTOR else sectors_of(end) * SECTOR


def records_of(size: int) -> int:
    """Give the directory records of a file."""
    return max(1, -(-size // MAX_EXTENT))


def table_sectors(size: int) -> int:
    """Give the sectors of a path table of so many bytes, in one of the two byte orders."""
    return 2 * -(-size // _PATH_TABLE)


@lru_cache(maxsize=1024)
def record_lengths(name: int, identifier: int) -> tuple[int, int]:
    """Give the bytes of a directory record, and of what goes on elsewhere since a record has at most 254.

    Takes the bytes of the real name and of the synthetic one.
    """
    fixed = _RECORD + identifier
    fixed += fixed % 2 + _RR
    whole = fixed + _NM + name + _PX + _TF
    if whole <= MAX_RECORD:
        return whole + whole % 2, 0
    used = fixed + _CE + _NM
    here = min(name, MAX_RECORD - used)
    used += here
    rest = _NM + name - here if here < name else 0
    for entry in (_PX, _TF):
        if used + entry <= MAX_RECORD:
            used += entry
        else:
            rest += entry
    return used + used % 2, rest


def udf_name(name: str) -> bytes:
    """Give a name as UDF holds it, without the byte that says how it is encoded (OSTA UDF 2.60, 2.1.1)."""
    try:
        return name.encode("latin-1")
    except UnicodeEncodeError:
        return name.encode("utf-16-be")


def udf_problem(name: str, size: int = 0) -> str | None:
    """Say why UDF cannot hold a name or a file of that size, or None when it can (OSTA UDF 2.60, 2.3.4.2 and 2.3.6)."""
    if len(udf_name(name)) > _UDF_MAX_NAME:
        return "its name has more than 253 characters, or more than 126 and one of them is not in Latin-1"
    if size > _UDF_MAX_FILE:
        return "it is larger than 233 GiB"
    return None


class IsoMeter:
    """Is told the files of an image in the order in which they will be written, and gives the image's size.

    A meter remembers the directories it was told of, about 300 bytes for each, and nothing of the files. A file told
    with a larger size than it will have, or one told that is left out, only makes the image smaller.
    """

    def __init__(self, udf: bool = False) -> None:
        self._udf = udf
        self._sectors = 2 * table_sectors(ROOT_PATH_RECORD) + 1 + _EXTENSIONS + PADDING
        self._sectors += HEAD_UDF + 2 + 1 if udf else HEAD
        self._directories = {"": (_ROOT_DOTS, _UDF_PARENT)}
        self.path_table = ROOT_PATH_RECORD
        """Bytes of the path table, in each byte order."""
        self.continuation = 0
        """Bytes of what did not fit into directory records, and of what is empty between."""

    @property
    def size(self) -> int:
        """Bytes of an image of all files told so far."""
        return self._sectors * SECTOR

    def directory(self, path: str) -> tuple[int, int]:
        """Give the sectors of the records of a directory told so far, and the bytes of its names in UDF."""
        records, names = self._directories[path]
        return sectors_of(records), names

    def add(self, path: str, size: int) -> None:
        """Take the next file."""
        growth = self._weigh(path, size)
        self._sectors += growth.sectors
        self._directories.update(growth.directories)
        self.path_table = growth.path_table
        self.continuation = growth.continuation

    def cost(self, path: str, size: int) -> int:
        """Give the bytes by which `size` would grow if this file were the next.

        It fits when `meter.size + meter.cost(path, size) <= capacity`.
        """
        return self._weigh(path, size).sectors * SECTOR

    def _weigh(self, path: str, size: int) -> "_Growth":
        growth = _Growth(self._directories, self.path_table, self.continuation, udf=self._udf)
        directory, _, name = path.rpartition("/")
        if directory not in self._directories:
            for ancestor in reversed([*with_ancestors(directory)]):
                if ancestor not in self._directories:
                    growth.add_directory(ancestor)
        growth.sectors += sectors_of(size)
        growth.add_record(directory, name, FILE_ID, times=records_of(size))
        return growth


class _Growth:
    """What one more file changes."""

    __slots__ = ("_known", "_udf", "continuation", "directories", "path_table", "sectors")

    def __init__(self, known: Mapping[str, tuple[int, int]], path_table: int, continuation: int, *, udf: bool) -> None:
        self._known = known
        self._udf = udf
        self.directories: dict[str, tuple[int, int]] = {}
        """Of each changed directory: bytes of its records with what is empty between, and of its UDF names."""
        self.path_table = path_table
        self.continuation = continuation
        self.sectors = 0

    def add_directory(self, path: str) -> None:
        """Add a directory whose parent is known."""
        parent, _, name = path.rpartition("/")
        self.add_record(parent, name, DIRECTORY_ID)
        self.directories[path] = (_DOTS, _UDF_PARENT)
        self.sectors += 2 if self._udf else 1
        self.sectors -= 2 * table_sectors(self.path_table)
        self.path_table += PATH_RECORD
        self.sectors += 2 * table_sectors(self.path_table)

    def add_record(self, directory: str, name: str, identifier: int, *, times: int = 1) -> None:
        """Add a name to a directory, `times` times in ISO 9660 and once in UDF."""
        records, names = self.directories.get(directory) or self._known[directory]
        length, rest = record_lengths(len(name.encode()), identifier)
        for _ in range(times):
            records = self._grow(records, length)
            if rest:
                self.continuation = self._grow(self.continuation, rest)
        if self._udf:
            longer = names + _udf_record_length(name)
            self.sectors += 1 + sectors_of(longer) - sectors_of(names)
            names = longer
        self.directories[directory] = (records, names)

    def _grow(self, end: int, length: int) -> int:
        """Give the end behind what comes next, wherever `place` puts it."""
        left = -end % SECTOR
        if length <= left:
            return end + length
        self.sectors += 1
        return end + left + length


def _udf_record_length(name: str) -> int:
    return _UDF_RECORD + len(udf_name(name)) + 3 & ~3
