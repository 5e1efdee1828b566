"""Writes an ISO 9660 image from its first byte to its last: a pipe takes it as well as a file."""

import hashlib
from collections.abc import Callable, Iterable, Iterator

from issbox.bundle.iso.label import IsoLabel
from issbox.bundle.iso.pages import SECTOR
from issbox.bundle.iso.skeleton import make_skeleton
from issbox.bundle.members import Member, copy_member
from issbox.bundle.stages import WriteBehind
from issbox.errors import BugError
from issbox.files import Fillable, Writable
from issbox.names import check_relative_path

_PADDING = memoryview(bytes(SECTOR))


def write_iso(
    members: Iterable[Member],
    out: Writable,
    *,
    label: IsoLabel,
    udf: bool = False,
    advance: Callable[[int], None] | None = None,
) -> int:
    """Write an image of the members and give its size in bytes, which `IsoMeter` knew before.

    `members` is gone through twice, once for paths and sizes and once for bytes, so a generator will not do. The
    files lie in the image in this order. Names are carried by Rock Ridge, and with `udf` by UDF too, for Windows;
    there is no Joliet, since its names end after 64 characters. Every member is digested while it is copied, and
    `advance` is told the bytes; a second thread writes what the first has digested. Nothing is written before all
    names are known to fit.

    Takes memory for each file, not for its bytes: about 20 bytes and its name. Raises DigestMismatchError naming the
    member whose bytes are not those announced, UnsafePathError, InvalidValueError for a label or for what UDF cannot
    hold, and what reading and writing raise; what was written before is of no use then. For an image that is durable,
    `out` is a `DurableFile`.
    """
    label.check()
    order = _Order()
    skeleton = make_skeleton(((member.path, member.digest.size) for member in order.first(members)), label, udf=udf)
    with WriteBehind(out) as behind:
        image = _Image(behind)
        image.write_all(skeleton.front())
        for member in order.again(members):
            copy_member(member, image, advance=advance)
            image.fill_sector()
        if image.size != skeleton.data.stop * SECTOR or not order.same:
            raise BugError("the members of an image were not the same when they were gone through for the second time")
        image.write_all(skeleton.back())
    return image.size


class _Order:
    """Notices when the second look at the members is not like the first, in no memory."""

    def __init__(self) -> None:
        self._seen = [hashlib.sha256(), hashlib.sha256()]

    def first(self, members: Iterable[Member]) -> Iterator[Member]:
        for member in members:
            check_relative_path(member.path)
            self._seen[0].update(f"{member.digest.size} {member.path}\0".encode())
            yield member

    def again(self, members: Iterable[Member]) -> Iterator[Member]:
        for member in members:
            self._seen[1].update(f"{member.digest.size} {member.path}\0".encode())
            yield member

    @property
    def same(self) -> bool:
        return self._seen[0].digest() == self._seen[1].digest()


class _Image(Fillable):
    """Counts what goes out, and fills up the last sector of each file."""

    def __init__(self, out: Fillable) -> None:
        self._out = out
        self.size = 0

    def room(self) -> memoryview:
        return self._out.room()

    def fill(self, count: int, /) -> None:
        self._out.fill(count)
        self.size += count

    def write_all(self, pieces: Iterable[bytes | bytearray]) -> None:
        for piece in pieces:
            self.write(memoryview(piece))

    def fill_sector(self) -> None:
        if self.size % SECTOR:
            self.write(_PADDING[self.size % SECTOR :])
