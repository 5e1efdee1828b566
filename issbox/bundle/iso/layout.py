"""How large an image will be: what the writer lays out, counted from paths and sizes alone.

The figures are those of ECMA-119 (directory records, path tables), IEEE P1282 (Rock Ridge, version 1.09 as pycdlib
writes it) and ECMA-167 with OSTA UDF 2.60.
"""

from collections.abc import Mapping

from issbox.bundle.clashes import with_ancestors
from issbox.bundle.iso.pages import SECTOR

PADDING = 150
"""Empty sectors behind the last file, as mkisofs and xorriso leave: the end of a track may be unreadable."""
MAX_EXTENT = 0xFFFFF800
"""Bytes of a file that one directory record speaks for; a larger file has several."""

_HEAD = 20
"""System area, primary and enhanced volume descriptor, terminator, and the version descriptor that mkisofs has."""
_HEAD_UDF = 259
"""With UDF: up to its first anchor in sector 256, the file set and its terminator."""
_EXTENSIONS = 1
"""The sector that says which version of Rock Ridge this is."""
_RECORD, _MAX_RECORD = 33, 254
_FILE_ID, _DIRECTORY_ID = 11, 8
"""Bytes of a synthetic name, such as 00000001.;1 for a file."""
_RR, _NM, _PX, _TF, _CE = 5, 5, 36, 26, 28
_ROOT_DOTS, _DOTS = 238, 204
"""Bytes of the records `.` and `..`."""
_PATH_RECORD, _ROOT_PATH_RECORD = 8 + _DIRECTORY_ID, 10
_PATH_TABLE = 2 * SECTOR
"""Path tables grow by two sectors, in each of the two byte orders."""
_UDF_RECORD, _UDF_PARENT, _UDF_MAX_NAME = 39, 40, 253


def sectors_of(size: int) -> int:
    """Give the sectors that hold this many bytes."""
    return -(-size // SECTOR)


def udf_name(name: str) -> bytes:
    """Give a name as UDF holds it, without the byte that says how it is encoded (OSTA UDF 2.60, 2.1.1)."""
    try:
        return name.encode("latin-1")
    except UnicodeEncodeError:
        return name.encode("utf-16-be")


def udf_name_problem(name: str) -> str | None:
    """Say why UDF cannot hold a name, or None when it can (OSTA UDF 2.60, 2.3.4.2)."""
    if len(udf_name(name)) > _UDF_MAX_NAME:
        return "it has more than 253 characters, or more than 126 and one of them is not in Latin-1"
    return None


class IsoMeter:
    """Is told the files of an image in the order in which they will be written, and gives the image's size.

    `size` is never below the real one, and nearly always equal to it. A meter remembers the directories it was told
    of, about 300 bytes for each, and nothing of the files. A file told with a larger size than it will have, or one
    told that is left out, only makes the image smaller.
    """

    def __init__(self, udf: bool = False) -> None:
        self._udf = udf
        self._sectors = _base_sectors(udf)
        self._directories = {"": (_ROOT_DOTS, _UDF_PARENT)}
        self._path_table = _ROOT_PATH_RECORD
        self._continuation = SECTOR

    @property
    def size(self) -> int:
        """Bytes of an image of all files told so far."""
        return self._sectors * SECTOR

    def add(self, path: str, size: int) -> None:
        """Take the next file."""
        growth = self._weigh(path, size)
        self._sectors += growth.sectors
        self._directories.update(growth.directories)
        self._path_table = growth.path_table
        self._continuation = growth.continuation

    def cost(self, path: str, size: int) -> int:
        """Give the bytes by which `size` would grow if this file were the next.

        It fits when `meter.size + meter.cost(path, size) <= capacity`.
        """
        return self._weigh(path, size).sectors * SECTOR

    def _weigh(self, path: str, size: int) -> "_Growth":
        growth = _Growth(self._directories, self._path_table, self._continuation, udf=self._udf)
        directory, _, name = path.rpartition("/")
        if directory not in self._directories:
            for ancestor in reversed([*with_ancestors(directory)]):
                if ancestor not in self._directories:
                    growth.add_directory(ancestor)
        growth.sectors += sectors_of(size)
        growth.add_record(directory, name, _FILE_ID, times=_records_of(size))
        return growth


class _Growth:
    """What one more file changes."""

    def __init__(self, known: Mapping[str, tuple[int, int]], path_table: int, continuation: int, *, udf: bool) -> None:
        self._known = known
        self._udf = udf
        self.directories: dict[str, tuple[int, int]] = {}
        """Of each changed directory: bytes used in the last sector of its records, and bytes of its UDF names."""
        self.path_table = path_table
        self.continuation = continuation
        """Bytes used in the block that takes what does not fit into a record."""
        self.sectors = 0

    def add_directory(self, path: str) -> None:
        """Add a directory whose parent is known."""
        parent, _, name = path.rpartition("/")
        self.add_record(parent, name, _DIRECTORY_ID)
        self.directories[path] = (_DOTS, _UDF_PARENT)
        self.sectors += 2 if self._udf else 1
        self.sectors -= _table_sectors(self.path_table)
        self.path_table += _PATH_RECORD
        self.sectors += _table_sectors(self.path_table)

    def add_record(self, directory: str, name: str, identifier: int, *, times: int = 1) -> None:
        """Add a name to a directory, `times` times in ISO 9660 and once in UDF."""
        used, names = self.directories.get(directory) or self._known[directory]
        length, rest = _record_lengths(len(name.encode()), identifier)
        for _ in range(times):
            used = self._place(used, length)
            if rest:
                self.continuation = self._place(self.continuation, rest)
        if self._udf:
            longer = names + _udf_record_length(name)
            self.sectors += 1 + sectors_of(longer) - sectors_of(names)
            names = longer
        self.directories[directory] = (used, names)

    def _place(self, used: int, length: int) -> int:
        """Nothing crosses the end of a sector."""
        if used + length <= SECTOR:
            return used + length
        self.sectors += 1
        return length


def _base_sectors(udf: bool) -> int:
    sectors = 4 + 1 + _EXTENSIONS + PADDING
    return sectors + (_HEAD_UDF + 2 + 1 if udf else _HEAD)


def _records_of(size: int) -> int:
    return max(1, -(-size // MAX_EXTENT))


def _table_sectors(size: int) -> int:
    return 4 * -(-size // _PATH_TABLE)


def _udf_record_length(name: str) -> int:
    return _UDF_RECORD + len(udf_name(name)) + 3 & ~3


def _record_lengths(name: int, identifier: int) -> tuple[int, int]:
    """Give the bytes of a directory record, and of what goes on elsewhere since a record has at most 254."""
    fixed = _RECORD + identifier
    fixed += fixed % 2 + _RR
    whole = fixed + _NM + name + _PX + _TF
    if whole <= _MAX_RECORD:
        return whole + whole % 2, 0
    used = fixed + _CE + _NM
    here = min(name, _MAX_RECORD - used)
    used += here
    rest = _NM + name - here if here < name else 0
    for entry in (_PX, _TF):
        if used + entry <= _MAX_RECORD:
            used += entry
        else:
            rest += entry
    return used + used % 2, rest
