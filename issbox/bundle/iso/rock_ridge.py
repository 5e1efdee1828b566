"""Reads what Rock Ridge adds to directory records: names, kinds and moved directories (SUSP 1.12 and RRIP 1.12)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from issbox.bundle.iso.records import Record, both_ends
from issbox.errors import BundleDamagedError, NotABundleError

_MAX_AREAS = 16
"""Areas that the entries of one record may go on in; a name of 255 bytes needs one or two."""
_MAX_AREA = 2048
_MAX_NAME = 1024
_NM_CONTINUES, _NM_CURRENT_OR_PARENT = 0x01, 0x06


@dataclass(slots=True)
class RockRidge:
    """What the entries of one record say."""

    name: bytes = b""
    """Empty when there is none, as for `.` and `..`."""
    mode: int | None = None
    """Type and permissions, as stat(2) has them."""
    is_link: bool = False
    is_encoded: bool = False
    """Whether the bytes are not the file's own: compressed (ZF) or sparse (SF)."""
    child: int | None = None
    """The block of the directory that belongs here and was moved (CL)."""
    is_moved: bool = False
    """Whether this directory belongs elsewhere (RE)."""
    name_continues: bool = False
    following: tuple[int, int, int] | None = None
    """Block, offset and size of the area in which the entries go on (CE)."""


class Fetch(Protocol):
    """Gives the bytes of an area."""

    def __call__(self, block: int, offset: int, size: int, /) -> bytes:
        """Give them, all of them."""


def entries_skip(record: Record, what: str) -> int:
    """Give how many bytes come before the entries in every record, which the root's `.` tells (SUSP 5.3).

    Raises NotABundleError when it does not, since such an image has no Rock Ridge.
    """
    start = record.system_use[:7]
    if len(start) < 7 or start[:6] != b"SP\x07\x01\xbe\xef":
        raise NotABundleError(f"{what} has no Rock Ridge names", hint="Make the image again with Rock Ridge (-R).")
    return start[6]


def read_rock_ridge(record: Record, skip: int, fetch: Fetch, what: str) -> RockRidge:
    """Read the entries of a record, wherever they go on.

    Raises BundleDamagedError naming `what`, and what `fetch` raises.
    """
    found = RockRidge()
    _read_area(record.system_use[skip:], found, what)
    areas = 0
    while found.following is not None:
        block, offset, size = found.following
        areas += 1
        if areas > _MAX_AREAS or offset >= _MAX_AREA or size > _MAX_AREA:
            raise BundleDamagedError(f"{what}: a directory record goes on in an impossible place")
        found.following = None
        _read_area(fetch(block, offset, size), found, what)
    if found.name_continues:
        raise BundleDamagedError(f"{what}: the end of a name is missing")
    return found


def _read_area(area: bytes, found: RockRidge, what: str) -> None:
    offset = 0
    while offset + 4 <= len(area):
        signature, length = area[offset : offset + 2], area[offset + 2]
        if signature == b"ST" or length == 0:
            break
        if length < 4 or offset + length > len(area):
            raise BundleDamagedError(f"{what}: a Rock Ridge entry has an impossible length")
        read = _READERS.get(signature)
        if read is not None:
            read(area[offset + 4 : offset + length], found, what)
        offset += length


def _read_name(body: bytes, found: RockRidge, what: str) -> None:
    flags = body[0] if body else _NM_CURRENT_OR_PARENT
    if flags & _NM_CURRENT_OR_PARENT or (found.name and not found.name_continues) or len(found.name) > _MAX_NAME:
        raise BundleDamagedError(f"{what}: a name is not one")
    found.name += body[1:]
    found.name_continues = bool(flags & _NM_CONTINUES)


def _read_mode(body: bytes, found: RockRidge, what: str) -> None:
    found.mode = both_ends(body, 0, what)


def _read_child(body: bytes, found: RockRidge, what: str) -> None:
    found.child = both_ends(body, 0, what)


def _read_continuation(body: bytes, found: RockRidge, what: str) -> None:
    found.following = (both_ends(body, 0, what), both_ends(body, 8, what), both_ends(body, 16, what))


def _read_link(_: bytes, found: RockRidge, __: str) -> None:
    found.is_link = True


def _read_encoding(_: bytes, found: RockRidge, __: str) -> None:
    found.is_encoded = True


def _read_moved(_: bytes, found: RockRidge, __: str) -> None:
    found.is_moved = True


_READERS: dict[bytes, Callable[[bytes, RockRidge, str], None]] = {
    b"NM": _read_name,
    b"PX": _read_mode,
    b"CL": _read_child,
    b"CE": _read_continuation,
    b"SL": _read_link,
    b"ZF": _read_encoding,
    b"SF": _read_encoding,
    b"RE": _read_moved,
}
