"""Which volume of a bundle carries which file: first fit, with files larger than a volume cut into parts.

Pure and streaming: files are told one after the other, and only the room left in the volumes is remembered.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from issbox.errors import VolumeSizeError
from issbox.manifest import MAX_VOLUMES, part_path
from issbox.model import BundleForm
from issbox.names import parse_size

_LOOKED_AT: Final = 32
"""How many of the newest volumes are tried for a file that may still fit there."""
_BLOCK: Final = 4096
"""Bytes that the usual file systems give out at once."""
_CUT_FROM: Final = 2
"""Bytes of the smallest file that can be cut in two."""

FAT32_FILE: Final = (4 << 30) - 1
"""Bytes of the largest file that FAT32 holds."""

PRESETS: Final = {
    "cd": 700 << 20,
    "dvd": 4_700_372_992,
    "dvd-dl": 8_543_666_176,
    "bd": 25_025_314_816,
    "fat32": FAT32_FILE,
}
"""Bytes of what people burn: 80-minute CD-R, single- and double-layer DVD (DVD-R, DVD+R DL), single-layer BD-R; and
the largest file of FAT32, which suits archives and images, while directories there have no limit but that of a file."""


class Meter(Protocol):
    """How full one volume is, by the rules of its form."""

    def fits(self, path: str, size: int) -> bool:
        """Tell whether the file may be added."""

    def room(self, path: str) -> int:
        """Give the bytes that a file at this path may have at most; 0 when there is no room."""

    def add(self, path: str, size: int) -> None:
        """Take the file in."""


class DirectoryMeter:
    """A directory on a file system that gives out blocks of 4 KiB, also for each directory."""

    def __init__(self, capacity: int) -> None:
        self._left = capacity - _BLOCK
        self._directories: set[str] = {""}

    def fits(self, path: str, size: int) -> bool:
        """Tell whether the file may be added."""
        return self._cost(path, size) <= self._left

    def room(self, path: str) -> int:
        """Give the bytes that a file at this path may have at most."""
        return max(0, (self._left - self._cost(path, 0)) // _BLOCK * _BLOCK)

    def add(self, path: str, size: int) -> None:
        """Take the file in."""
        self._left -= self._cost(path, size)
        self._directories.update(_ancestors(path))

    def _cost(self, path: str, size: int) -> int:
        directories = sum(ancestor not in self._directories for ancestor in _ancestors(path))
        return -(-size // _BLOCK) * _BLOCK + directories * _BLOCK


class Boundless:
    """A volume without a limit."""

    def fits(self, path: str, size: int) -> bool:  # noqa: ARG002 - the protocol's signature
        """Take everything."""
        return True

    def room(self, path: str) -> int:  # noqa: ARG002 - the protocol's signature
        """Give more than any file has."""
        return 1 << 62

    def add(self, path: str, size: int) -> None:
        """Remember nothing."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A file, or a part of one, in a volume."""

    volume: int
    size: int


class VolumePlanner:
    """Gives every file its place. Numbers of volumes start at 1."""

    def __init__(self, new_meter: Callable[[], Meter], *, largest_file: int | None = None) -> None:
        """Take what measures an empty volume, in which the files that every volume carries are counted already."""
        self._new_meter = new_meter
        self._largest_file = largest_file
        self._meters: list[Meter] = []
        self._first = 1
        """Number of the volume that the first remembered meter measures."""

    @property
    def count(self) -> int:
        """Give the number of volumes so far, at least one."""
        return max(1, self._first + len(self._meters) - 1)

    def place(self, path: str, size: int) -> tuple[Piece, ...]:
        """Give the pieces of the file in the order of its bytes; one piece when it stays whole.

        Raises VolumeSizeError when not even a part of it fits into an empty volume, or more than 9999 volumes would
        be needed.
        """
        if self._largest_file is None or size <= self._largest_file:
            number = self._find(path, size)
            if number is not None:
                return (Piece(number, size),)
        if size < _CUT_FROM:
            raise _no_room()
        return self._split(path, size)

    def _split(self, path: str, size: int) -> tuple[Piece, ...]:
        pieces: list[Piece] = []
        left = size
        while left:
            part = part_path(path, len(pieces) + 1)
            length = min(left, self._largest_file or left, size - 1)
            number = self._find(part, length)
            if number is None:
                length = min(length, self._new_meter().room(part))
                number = self._find(part, length) if length > 0 else None
            if number is None:
                raise _no_room()
            pieces.append(Piece(number, length))
            left -= length
        return tuple(pieces)

    def _find(self, path: str, size: int) -> int | None:
        """Give the first volume that takes the file, a new one if need be; None when an empty one does not."""
        for number, meter in enumerate(self._meters, start=self._first):
            if meter.fits(path, size):
                meter.add(path, size)
                return number
        meter = self._new_meter()
        if not meter.fits(path, size):
            return None
        self._meters.append(meter)
        if len(self._meters) > _LOOKED_AT:
            del self._meters[0]
            self._first += 1
        if self.count > MAX_VOLUMES:
            raise VolumeSizeError(f"more than {MAX_VOLUMES} volumes would be needed")
        meter.add(path, size)
        return self.count


def _no_room() -> VolumeSizeError:
    return VolumeSizeError(
        "the volume size leaves no room for content beside the manifest and the file table, which every volume carries"
    )


def volume_limits(text: str | None, form: BundleForm) -> tuple[int | None, int | None]:
    """Give the bytes of a volume and of its largest file that a `--volume-size` means; None for no limit.

    FAT32 limits the size of a file, not that of a directory. Raises InvalidValueError.
    """
    if text is None:
        return None, None
    if text == "fat32" and form is BundleForm.DIRECTORY:
        return None, FAT32_FILE
    size = PRESETS[text] if text in PRESETS else parse_size(text)
    if size <= 0:
        raise VolumeSizeError("a volume has at least one byte")
    return size, None


def _ancestors(path: str) -> list[str]:
    segments = path.split("/")[:-1]
    return ["/".join(segments[:count]) for count in range(1, len(segments) + 1)]
