"""What pycdlib makes of the files of an image, to compare with what issbox writes: all but the bytes of the files."""

from collections.abc import Iterable
from io import BytesIO
from typing import Any, BinaryIO, cast

import pycdlib

from issbox.bundle.clashes import with_ancestors
from issbox.bundle.iso.clock import frozen
from issbox.bundle.iso.label import IsoLabel
from issbox.bundle.iso.layout import sectors_of, udf_name
from issbox.bundle.iso.pages import SectorMap

PARTITION = 257


class PycdlibImage:
    """An image of files that are added in their order."""

    def __init__(self, label: IsoLabel, *, udf: bool) -> None:
        self._label = label
        self._udf = udf
        self._paths = {"": ""}
        self._entries: dict[str, Any] = {}
        self._continuations: list[Any] = []
        self._iso = pycdlib.PyCdlib()
        with frozen(label.created_at.timestamp()):
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
            self._entries[""] = self._iso.udf_root
            identifier = label.unique_id.encode()
            for descriptors in (self._iso.udf_main_descs, self._iso.udf_reserve_descs):
                descriptors.pvds[0].vol_set_ident = (
                    b"\x08" + identifier.ljust(126, b"\0") + bytes([len(identifier) + 1])
                )

    def add(self, files: Iterable[tuple[str, int]]) -> None:
        """Add files and the directories above them, under synthetic names that keep their order."""
        absent, count = BytesIO(), 0
        with frozen(self._label.created_at.timestamp()):
            for path, size in files:
                for step in reversed([*with_ancestors(path)]):
                    if step in self._paths:
                        continue
                    count += 1
                    parent, _, name = step.rpartition("/")
                    iso_path = f"{self._paths[parent]}/{count:08d}"
                    udf_path = f"/{step}" if self._udf else None
                    if step == path:
                        iso_path += ".;1"
                        self._iso.add_fp(
                            absent, size, iso_path=iso_path, rr_name=name, file_mode=0o100444, udf_path=udf_path
                        )
                    else:
                        self._paths[step] = iso_path
                        self._iso.add_directory(iso_path=iso_path, rr_name=name, file_mode=0o040555, udf_path=udf_path)
                        if self._udf:
                            self._entries[step] = self._entries[parent].fi_descs[udf_name(name)].file_entry
                    self._set_aside_continuations(keep=1)

    def write(self, padding: int) -> tuple[bytes, range, bytes]:
        """Give what is before the files, the sectors of the files, and what is behind them."""
        with frozen(self._label.created_at.timestamp()):
            self._set_aside_continuations(keep=0)
            self._iso.force_consistency()
            position = self._place_continuations()
            data = self._place_files(position)
            self._end(data.stop + padding + (1 if self._udf else 0))
            self._correct()
            self._iso.inodes.clear()  # or it would look for their bytes
            sectors = SectorMap()
            self._iso.write_fp(cast("BinaryIO", sectors))
        front = b"".join(sectors.take(0, data.start))
        return front, data, b"".join(sectors.take(data.stop, self._iso.pvd.space_size))

    def _set_aside_continuations(self, *, keep: int) -> None:
        """Let it look for room in the last block only."""
        known = self._iso.pvd.rr_ce_blocks
        count = max(0, len(known) - keep)
        self._continuations += known[:count]
        del known[:count]

    def _place_continuations(self) -> int:
        """Put the blocks behind all directories."""
        extensions: Any = self._iso.pvd.root_directory_record().children[0].rock_ridge
        position = int(extensions.dr_entries.ce_record.bl_cont_area) + 1
        for block in self._continuations:
            block.set_extent_location(position)
            position += 1
        self._iso.force_consistency()
        return position

    def _place_files(self, position: int) -> range:
        """Put the files behind one another in the order in which they were added."""
        first, start = position, PARTITION if self._udf else 0
        for inode in self._iso.inodes:
            if inode.get_data_length() == 0:
                continue
            inode.set_extent_location(position)
            for record, _ in inode.linked_records:
                extent = position + getattr(record, "data_extent_offset", 0)
                record.set_data_location(extent, extent - start)
            position += sectors_of(inode.get_data_length())
        return range(first, position)

    def _end(self, size: int) -> None:
        for descriptor in (self._iso.pvd, self._iso.enhanced_vd):
            assert descriptor is not None
            descriptor.space_size = size
        if self._udf:
            main, reserve = self._iso.udf_main_descs.pvds[0], self._iso.udf_reserve_descs.pvds[0]
            self._iso.udf_anchors[-1].set_extent_location(size - 1, main.extent_location(), reserve.extent_location())

    def _correct(self) -> None:
        """Put right what it leaves as it was: sizes of directories that grew, and the parents of UDF's directories."""
        directories: list[Any] = [self._iso.pvd.root_directory_record()]
        enhanced: Any = self._iso.enhanced_vd
        enhanced.root_directory_record().data_length = directories[0].data_length
        for directory in directories:
            directory.children[1].data_length = (directory.parent or directory).data_length
            directories.extend(child for child in directory.children[2:] if child.is_dir())
        for path, entry in self._entries.items():
            parent = self._entries[path.rpartition("/")[0]]
            entry.fi_descs[b""].icb.log_block_num = parent.extent_location() - PARTITION
