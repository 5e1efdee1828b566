"""Reads a tar stream member by member, believing nothing that it says about itself."""

from collections.abc import Iterator
from typing import Final

from issbox.bundle.tar.headers import (
    BLOCK_SIZE,
    MAX_EXTENSION,
    MAX_TRAILING_ZEROS,
    Extension,
    Header,
    Kind,
    decode_header,
    decode_path,
    decode_pax,
    padding,
)
from issbox.errors import BundleDamagedError, BundleIncompleteError, NothingCameError, OversizedError
from issbox.files import BLOCK, Readable
from issbox.names import format_size

_END: Final = bytes(BLOCK_SIZE)
_MOST_HEADERS: Final = 10_000
"""How many headers may come before that of a file: directories, long names and the like, which pack down to nothing."""
_AGAIN: Final = "Copy the archive again, or send the stream again, to its end."


class TarMember:
    """A regular file of the stream; it can be read until the next one is asked for."""

    __slots__ = ("_left", "_reader", "path", "size")

    def __init__(self, reader: "TarReader", path: str, size: int) -> None:
        self.path = path
        """Safe by `names.path_problem`; whether it came before is for the caller to know."""
        self.size = size
        self._reader = reader
        self._left = size

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill the buffer and give the number of bytes, 0 at the end of the file.

        Raises BundleIncompleteError when the stream ends in it, and what the stream raises.
        """
        if not self._left or not len(buffer):
            return 0
        count = self._reader.take(buffer[: self._left])
        if not count:
            raise BundleIncompleteError(
                f"the tar stream ends in {self.path!r}, {self._left} bytes too early", hint=_AGAIN
            )
        self._left -= count
        return count

    def skip(self) -> None:
        """Read what is left of the file."""
        scratch = memoryview(bytearray(min(BLOCK, self._left)))
        while self.readinto(scratch):
            pass


class TarReader:
    """Gives the regular files of a tar stream in their order; directories are passed over.

    Works on pipes and in constant memory. Iterating over it to the end reads the stream to its end. Raises

    - UnsafeFileError for a link, a device, a sparse file or anything else that is neither file nor directory
    - UnsafePathError for an absolute path, one with `..`, and every other that no bundle may have
    - OversizedError when the stream, or what a header announces, is longer than `limit`, or headers come without end
    - BundleIncompleteError when the stream ends before the end of the archive
    - BundleDamagedError for everything that is no tar, also behind its end
    """

    def __init__(self, stream: Readable, limit: int | None) -> None:
        """Take the unpacked stream, and the bytes that it may have at most, or None."""
        self._stream = stream
        self._limit = limit
        self._position = 0

    def __iter__(self) -> Iterator[TarMember]:
        while (found := self._next_file()) is not None:
            path, size = found
            member = TarMember(self, path, size)
            yield member
            member.skip()
            self._skip_padding(size)
        self._read_to_end()

    def take(self, buffer: memoryview) -> int:
        """Read bytes from the stream, at most what the limit leaves and one more."""
        if self._limit is not None:
            buffer = buffer[: self._limit - self._position + 1]
        count = self._stream.readinto(buffer) or 0
        self._position += count
        self._check_limit(0)
        return count

    def _next_file(self) -> tuple[str, int] | None:
        """Read headers until one is that of a file, and give its path and size; None at the end of the archive."""
        name: bytes | None = None
        pax: Extension | None = None
        for _ in range(_MOST_HEADERS):
            where = f"at byte {self._position}"
            block = self._exactly(BLOCK_SIZE)
            if block == _END:
                if name is not None or pax is not None:
                    raise BundleDamagedError(f"the tar stream ends {where} after a header that announced a file")
                return None
            header = decode_header(block, where)
            if header.kind is Kind.LONG_NAME and name is None:
                name = self._extension(header, where).rstrip(b"\0")
            elif header.kind is Kind.PAX and pax is None:
                pax = decode_pax(self._extension(header, where), where)
            elif header.kind is Kind.GLOBAL_PAX:
                if decode_pax(self._extension(header, where), where) != Extension():
                    raise BundleDamagedError(f"the pax header {where} gives one path or size to several files")
            elif header.kind in {Kind.LONG_NAME, Kind.PAX}:
                raise BundleDamagedError(f"the tar header {where} repeats the one before it")
            else:
                found = self._entry(header, name, pax or Extension(), where)
                if found is not None:
                    return found
                name = pax = None
        raise OversizedError(
            f"the tar stream has more than {_MOST_HEADERS} headers without a file before byte {self._position}",
            hint="No issbox writes such an archive: find out where it comes from.",
        )

    def _entry(self, header: Header, name: bytes | None, pax: Extension, where: str) -> tuple[str, int] | None:
        """Give path and size of a file, None for a directory."""
        directory = header.kind is Kind.DIRECTORY
        size = header.size if pax.size is None else pax.size
        named = next(each for each in (pax.path, name, header.name) if each is not None)
        path = decode_path(named, directory=directory)
        if not directory:
            self._check_limit(size)
            return path, size
        if size:
            raise BundleDamagedError(f"the directory {path!r} {where} has contents")
        return None

    def _extension(self, header: Header, where: str) -> bytes:
        if header.size > MAX_EXTENSION:
            raise OversizedError(f"the tar header {where} has {header.size} bytes, at most {MAX_EXTENSION} are read")
        data = self._exactly(header.size)
        self._skip_padding(header.size)
        return data

    def _exactly(self, size: int) -> bytes:
        found = memoryview(bytearray(size))
        filled = 0
        while filled < size:
            count = self.take(found[filled:])
            if not count and not self._position:
                raise NothingCameError("nothing came: the tar stream ends before its first byte")
            if not count:
                raise BundleIncompleteError(
                    f"the tar stream ends after {self._position} bytes, before the end of the archive",
                    hint=_AGAIN,
                )
            filled += count
        return bytes(found)

    def _skip_padding(self, size: int) -> None:
        self._exactly(padding(size))

    def _read_to_end(self) -> None:
        """Read the second block of zeros and what fills up a tape's last block."""
        ended = self._position - BLOCK_SIZE
        if self._exactly(BLOCK_SIZE) != _END:
            raise BundleDamagedError(f"there is something behind the end of the tar stream at byte {ended}")
        buffer = memoryview(bytearray(BLOCK))
        while count := self.take(buffer):
            if bytes(buffer[:count]).strip(b"\0"):
                raise BundleDamagedError(f"there is something behind the end of the tar stream at byte {ended}")
            if self._position - ended > MAX_TRAILING_ZEROS:
                raise OversizedError(f"the tar stream does not end after its end at byte {ended}")

    def _check_limit(self, announced: int) -> None:
        if self._limit is not None and self._position + announced > self._limit:
            raise OversizedError(
                f"the tar stream is longer than the {format_size(self._limit)} allowed",
                hint="Raise [inbox] max_bundle_size if it is meant to be so.",
            )
