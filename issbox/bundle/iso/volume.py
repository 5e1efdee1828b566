"""Reads what an image says about itself: its primary volume descriptor (ECMA-119 8.4)."""

from dataclasses import dataclass

from issbox.bundle.iso.medium import Medium
from issbox.bundle.iso.pages import SECTOR
from issbox.bundle.iso.records import Record, both_ends, read_record
from issbox.errors import BundleDamagedError, BundleIncompleteError, NotABundleError

_FIRST, _MOST = 16, 32
"""The sector of the first volume descriptor, and how many are looked at."""
_PRIMARY, _TERMINATOR = 1, 255


@dataclass(frozen=True, slots=True)
class IsoVolume:
    """The facts in front of an image; nobody signed them."""

    volume_id: str
    set_id: str
    number: int
    """Which volume of its set this is, as it says itself."""
    count: int
    size: int
    """Bytes that the image should have; fewer on the medium mean that it was cut."""
    root: Record


def read_volume(medium: Medium) -> IsoVolume:
    """Read the descriptor; raises NotABundleError when this is no ISO 9660 image, and BundleDamagedError."""
    for number in range(_FIRST, _FIRST + _MOST):
        try:
            data = medium.read(number * SECTOR, SECTOR, "the volume descriptor")
        except BundleIncompleteError:
            if number == _FIRST:
                raise NotABundleError(f"{medium.path} is too short for an ISO 9660 image") from None
            raise
        if data[1:6] != b"CD001":
            raise NotABundleError(f"{medium.path} is no ISO 9660 image")
        if data[0] == _PRIMARY:
            return _read_primary(data, f"the volume descriptor of {medium.path}")
        if data[0] == _TERMINATOR:
            break
    raise BundleDamagedError(f"{medium.path} has no primary volume descriptor")


def _read_primary(data: bytes, what: str) -> IsoVolume:
    block = both_ends(data, 128, what, width=2)
    if block != SECTOR or data[156] != 34:
        raise BundleDamagedError(f"{what}: blocks of {block} bytes, or a root directory that is none")
    return IsoVolume(
        volume_id=_text(data[40:72]),
        set_id=_text(data[190:318]),
        number=both_ends(data, 124, what, width=2),
        count=both_ends(data, 120, what, width=2),
        size=both_ends(data, 80, what) * SECTOR,
        root=read_record(data[156:190], what),
    )


def _text(field: bytes) -> str:
    """Give the printable ASCII of a padded field."""
    return "".join(chr(byte) if 32 <= byte < 127 else "?" for byte in field.rstrip(b" \0"))
