"""Writes the descriptors of an image, as pycdlib makes them: those of an empty image, told how full it really is."""

from dataclasses import dataclass
from typing import BinaryIO, cast

import pycdlib

from issbox.bundle.iso.clock import frozen
from issbox.bundle.iso.label import IsoLabel
from issbox.bundle.iso.pages import SECTOR, SectorMap


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where the parts of an image lie, in sectors."""

    path_table: int
    """Bytes of the path table, in each byte order."""
    path_tables: tuple[int, int]
    """Where it begins in each byte order, little-endian first."""
    root: range
    """The records of the first directory."""
    data: range
    """The bytes of the files."""
    size: int
    """The whole image."""
    files: int
    directories: int
    next_unique: int
    """A number that no file or directory has in UDF."""


class Descriptors:
    """The descriptors of an image (ECMA-119 8, ECMA-167 3, OSTA UDF 2.60 2.2), and the extensions its names need."""

    def __init__(self, label: IsoLabel, *, udf: bool) -> None:
        self._created = label.created_at.timestamp()
        self._udf = udf
        self._iso = pycdlib.PyCdlib()
        with frozen(self._created):
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
            self._iso.force_consistency()
        if udf:
            for descriptors in (self._iso.udf_main_descs, self._iso.udf_reserve_descs):
                descriptors.pvds[0].vol_set_ident = _dstring(label.unique_id, 128)
        root = self._iso.pvd.root_directory_record().children[0].rock_ridge
        assert root is not None
        self.extensions: bytes = root.record_ce_entries()
        """The entry of the root that says which version of Rock Ridge this is, and where to read about it."""

    @property
    def partition(self) -> int:
        """The sector from which UDF counts; 0 without UDF."""
        return int(self._iso.udf_main_descs.partitions[0].part_start_location) if self._udf else 0

    def write(self, placement: Placement) -> SectorMap:
        """Give all sectors that are descriptors; whatever else is in the map is of no use."""
        for descriptor in (self._iso.pvd, self._iso.enhanced_vd):
            assert descriptor is not None, "level 4 has both"
            descriptor.space_size = placement.size
            descriptor.path_tbl_size = placement.path_table
            descriptor.path_table_location_le, descriptor.path_table_location_be = placement.path_tables
            root = descriptor.root_directory_record()
            root.set_data_location(placement.root.start, 0)
            root.data_length = len(placement.root) * SECTOR
        if self._udf:
            self._fill_udf(placement)
        sectors = SectorMap()
        with frozen(self._created):
            self._iso.write_fp(cast("BinaryIO", sectors))
        self._iso.close()
        return sectors

    def _fill_udf(self, placement: Placement) -> None:
        """Tell UDF where its partition ends and what is in it, and put its second anchor into the last sector."""
        length = placement.data.stop - self.partition
        for descriptors in (self._iso.udf_main_descs, self._iso.udf_reserve_descs):
            descriptors.partitions[0].part_length = length
        integrity = self._iso.udf_logical_volume_integrity
        assert integrity is not None, "UDF has one"
        integrity.size_tables[0] = length
        integrity.logical_volume_contents_use.unique_id = placement.next_unique
        integrity.logical_volume_impl_use.num_files = placement.files
        integrity.logical_volume_impl_use.num_dirs = placement.directories
        main, reserve = self._iso.udf_main_descs.pvds[0], self._iso.udf_reserve_descs.pvds[0]
        self._iso.udf_anchors[-1].set_extent_location(
            placement.size - 1, main.extent_location(), reserve.extent_location()
        )


def _dstring(text: str, size: int) -> bytes:
    """Write ASCII text into a field of this many bytes (OSTA UDF 2.60, 2.1.3)."""
    return b"\x08" + text.encode("ascii").ljust(size - 2, b"\0") + bytes([len(text) + 1])
