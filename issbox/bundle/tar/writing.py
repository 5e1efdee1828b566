"""Writes members as one tar stream, plain or as a gzip, into chunks or a pipe.

The same members, sources and time give the same bytes, so that single chunks can be made once more.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from issbox.bundle.members import Member, copy_member
from issbox.bundle.tar.headers import BLOCK_SIZE, encode_header, header_size, padding
from issbox.bundle.tar.stored_gzip import StoredGzip
from issbox.bundle.tar.toc_checks import Compression
from issbox.files import BLOCK, Fillable, Writable

END_SIZE: Final = 2 * BLOCK_SIZE
"""Bytes of zeros behind the last member."""
_ZEROS: Final = memoryview(bytes(END_SIZE))


def member_size(path: str, size: int) -> int:
    """Give the bytes that a file takes in the tar stream, with its header and what fills it up."""
    return header_size(path, size) + size + padding(size)


@contextmanager
def tar_stream(out: Writable, compression: Compression, modified: datetime) -> Iterator["TarStream"]:
    """Give a tar stream into `out`, a ChunkWriter or a pipe, and end it properly when the context is left in order.

    `modified` is the time that every file gets. `out` stays open, and raises what it raises.
    """
    whole = out if isinstance(out, Fillable) else _Gathered(out)
    packed = StoredGzip(whole) if compression is Compression.GZIP else None
    tar = TarStream(packed or whole, modified)
    yield tar
    tar.finish()
    if packed is not None:
        packed.finish()
    if isinstance(whole, _Gathered):
        whole.flush()


class TarStream:
    """Writes one member after the other to `out`: pax interchange format, owner 0, mode 0644.

    GNU tar, bsdtar and Python read it. Whether a path comes twice is for the caller to know.
    """

    def __init__(self, out: Writable, modified: datetime) -> None:
        """Take the time that every file gets, to the second."""
        self._out = out
        self._modified = int(modified.timestamp())
        self.size = 0
        """Bytes of finished members so far."""

    def add(self, member: Member, *, advance: Callable[[int], None] | None = None) -> None:
        """Write a member; raises what `members.copy_member` raises, after which the stream is good for nothing."""
        size = member.digest.size
        header = encode_header(member.path, size, self._modified)
        self._out.write(memoryview(header))
        copy_member(member, self._out, advance=advance)
        fill = padding(size)
        self._out.write(_ZEROS[:fill])
        self.size += len(header) + size + fill

    def finish(self) -> None:
        """Write the end of the archive; `out` stays open."""
        self._out.write(_ZEROS)
        self.size += END_SIZE


class _Gathered(Fillable):
    """Lends memory to a pipe, which has none to be filled, so that small files do not cost it a call for each piece."""

    def __init__(self, out: Writable) -> None:
        self._out = out
        self._memory = memoryview(bytearray(BLOCK))
        self._filled = 0

    def room(self) -> memoryview:
        return self._memory[self._filled :]

    def fill(self, count: int, /) -> None:
        self._filled += count
        if self._filled == len(self._memory):
            self.flush()

    def flush(self) -> None:
        self._out.write(self._memory[: self._filled])
        self._filled = 0
