"""An image without the bytes of its files.

pycdlib makes descriptors, directories and tables; the files lie in the order in which they were added.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO, cast

import pycdlib

from issbox.bundle.clashes import with_ancestors
from issbox.bundle.iso.clock import frozen
from issbox.bundle.iso.label import IsoLabel
from issbox.bundle.iso.layout import PADDING, sectors_of, udf_name, udf_name_problem
from issbox.bundle.iso.pages import SectorMap
from issbox.errors import InvalidValueError, NameClashError

_FILE_MODE = 0o100444
_DIRECTORY_MODE = 0o040555
_WITHOUT_UDF = "Export it without UDF, or have the file renamed in the repository it comes from."


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Everything of an image but the bytes of its files."""

    sectors: SectorMap
    """What lies before and behind the files."""
    data: range
    """The sectors of the files, which follow one another in the order of the members, each at a new sector."""
    end: int
    """Sectors of the whole image."""


def make_skeleton(files: Iterable[tuple[str, int]], label: IsoLabel, *, udf: bool) -> Skeleton:
    """Lay out an image of these (path, size); the paths are safe and differ.

    Raises InvalidValueError for a name that UDF cannot hold, and NameClashError for two that are one in it.
    """
    with frozen(label.created_at.timestamp()):
        builder = _Builder(label, udf=udf)
        for path, size in files:
            builder.add(path, size)
        return builder.finish()


class _Builder:
    """Adds files under synthetic ISO 9660 names, numbered as they come so that directories keep that order."""

    def __init__(self, label: IsoLabel, *, udf: bool) -> None:
        self._udf = udf
        self._directories = {"": ""}
        self._count = 0
        self._absent = BytesIO()
        """Stands for the bytes of every file: pycdlib finds none, and leaves room for them."""
        self._udf_directories: dict[str, Any] = {}
        self._continuations: list[Any] = []
        self._iso = pycdlib.PyCdlib()
        # Level 4 is level 3 with directories of any depth (ISO 9660:1999): at level 3, everything below the seventh
        # level would move to /rr_moved, where programs that know only half of Rock Ridge show it.
        self._iso.new(
            interchange_level=4,
            vol_ident=label.volume_id,
            vol_set_ident=label.set_id,
            set_size=label.count,
            seqnum=label.number,
            app_ident_str="ISSBOX",
            rock_ridge="1.09",
            udf="2.60" if udf else None,
        )
        if udf:
            for descriptors in (self._iso.udf_main_descs, self._iso.udf_reserve_descs):
                descriptors.pvds[0].vol_set_ident = _dstring(label.unique_id, 128)
            self._udf_directories[""] = self._iso.udf_root

    def add(self, path: str, size: int) -> None:
        """Add a file, and the directories above it."""
        directory, _, name = path.rpartition("/")
        if directory not in self._directories:
            for ancestor in reversed([*with_ancestors(directory)]):
                self._add_directory(ancestor)
        self._iso.add_fp(
            self._absent,
            size,
            iso_path=f"{self._next(path)}.;1",
            rr_name=name,
            file_mode=_FILE_MODE,
            udf_path=f"/{path}" if self._udf else None,
        )
        self._set_aside_continuations(keep=1)

    def finish(self) -> Skeleton:
        """Give everything its place and write all but the files."""
        iso = self._iso
        self._set_aside_continuations()
        iso.force_consistency()
        position = self._place_continuations()
        data = self._place_files(position)
        self._end(data.stop)
        iso.inodes.clear()  # or pycdlib would look for the bytes of each file
        sectors = SectorMap()
        iso.write_fp(cast("BinaryIO", sectors))
        skeleton = Skeleton(sectors, data, iso.pvd.space_size)
        iso.close()
        return skeleton

    def _add_directory(self, path: str) -> None:
        if path in self._directories:
            return
        iso_path = self._next(path)
        self._iso.add_directory(
            iso_path=iso_path,
            rr_name=path.rpartition("/")[2],
            file_mode=_DIRECTORY_MODE,
            udf_path=f"/{path}" if self._udf else None,
        )
        self._directories[path] = iso_path
        if self._udf:
            parent, _, name = path.rpartition("/")
            self._udf_directories[path] = self._udf_directories[parent].fi_descs[udf_name(name)].file_entry
        self._set_aside_continuations(keep=1)

    def _next(self, path: str) -> str:
        """Give the synthetic path of the next file or directory."""
        parent, _, name = path.rpartition("/")
        if self._udf:
            self._require_udf_name(parent, name)
        self._count += 1
        return f"{self._directories[parent]}/{self._count:08d}"

    def _require_udf_name(self, parent: str, name: str) -> None:
        problem = udf_name_problem(name)
        if problem is not None:
            raise InvalidValueError(f"UDF cannot hold the name {name!r}: {problem}", hint=_WITHOUT_UDF)
        # pycdlib keeps one of two names when a name in Latin-1 and another in UTF-16 are the same bytes.
        if udf_name(name) in self._udf_directories[parent].fi_descs:
            raise NameClashError(f"the name {name!r} in {parent or '/'!r} is taken already in UDF", hint=_WITHOUT_UDF)

    def _set_aside_continuations(self, keep: int = 0) -> None:
        """Take the blocks of what does not fit into directory records from pycdlib, but for the last ones.

        It looks for room in every block it knows, which takes hours with many long names, and scatters them between
        the directories, where libarchive refuses those that lie before a directory that needs them.
        """
        known = self._iso.pvd.rr_ce_blocks
        count = max(0, len(known) - keep)
        self._continuations += known[:count]
        del known[:count]

    def _place_continuations(self) -> int:
        """Put the blocks behind all directories and give the sector behind them."""
        extensions: Any = self._iso.pvd.root_directory_record().children[0].rock_ridge
        position = int(extensions.dr_entries.ce_record.bl_cont_area) + 1
        for block in self._continuations:
            block.set_extent_location(position)
            position += 1
        if self._continuations:
            self._iso.force_consistency()  # tells the records where their blocks are
        return position

    def _place_files(self, position: int) -> range:
        """Let files lie in the order in which they were added; pycdlib has them in the order of a walk."""
        first = position
        start = self._iso.udf_main_descs.partitions[0].part_start_location if self._udf else 0
        for inode in self._iso.inodes:
            if inode.get_data_length() == 0:
                continue
            inode.set_extent_location(position)
            for record, _ in inode.linked_records:
                extent = position + getattr(record, "data_extent_offset", 0)
                record.set_data_location(extent, extent - start)
            position += sectors_of(inode.get_data_length())
        return range(first, position)

    def _end(self, position: int) -> None:
        """Put empty sectors behind the files, since some drives cannot read the last ones, and UDF's second anchor."""
        size = position + PADDING + (1 if self._udf else 0)
        for descriptor in (self._iso.pvd, self._iso.enhanced_vd):
            assert descriptor is not None, "level 4 has both"
            descriptor.space_size = size
        if self._udf:
            main, reserve = self._iso.udf_main_descs.pvds[0], self._iso.udf_reserve_descs.pvds[0]
            self._iso.udf_anchors[-1].set_extent_location(size - 1, main.extent_location(), reserve.extent_location())


def _dstring(text: str, size: int) -> bytes:
    """Write ASCII text into a field of this many bytes (OSTA UDF 2.60, 2.1.3)."""
    return b"\x08" + text.encode("ascii").ljust(size - 2, b"\0") + bytes([len(text) + 1])
