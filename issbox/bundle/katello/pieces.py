"""The pieces of a Pulp archive as one stream, read where they lie: once at any place, once from end to end, checked."""

import hashlib
import zlib
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from typing import Final

from issbox.bundle.katello.toc import Piece, Toc
from issbox.bundle.tree import Opener, translated
from issbox.errors import BundleDamagedError, BundleIncompleteError
from issbox.files import BLOCK

_MOST: Final = 8 << 20
"""Most bytes given at once, whatever is asked for: a hostile header may ask for terabytes."""


class PieceStream:
    """Reads at any place; for the headers of the archive and the rows in it. Keeps one file open."""

    def __init__(self, root: Path, toc: Toc) -> None:
        """Take the pieces beside a table of contents."""
        self._root = root
        self._opener = Opener(root)
        self._pieces = toc.pieces
        self._starts = [0]
        for piece in toc.pieces[:-1]:
            self._starts.append(self._starts[-1] + piece.size)
        self.size: Final = toc.size
        self._position = 0
        self._index = -1
        self._file: FileIO | None = None

    def tell(self) -> int:
        """Give the place of the next byte."""
        return self._position

    def seek(self, position: int, whence: int = 0) -> int:
        """Go to a place counted from the start, or with `whence` 1 from here and 2 from the end."""
        self._position = max(0, position + (0, self._position, self.size)[whence])
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Give that many bytes, fewer only at the end. More than eight MiB are refused as damage."""
        if size < 0 or size > _MOST:
            raise BundleDamagedError(f"the archive wants {size} bytes to be read at once, as no real one does")
        parts = []
        while size and self._position < self.size:
            part = self._read_some(size)
            parts.append(part)
            size -= len(part)
            self._position += len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Close the open piece."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._index = -1

    def _read_some(self, size: int) -> bytes:
        index = self._find(self._position)
        piece, offset = self._pieces[index], self._position - self._starts[index]
        with translated(self._root, piece.name):
            if index != self._index:
                self.close()
                self._file = self._opener.open(piece.name)
                self._index = index
            assert self._file is not None
            self._file.seek(offset)
            part = self._file.read(min(size, piece.size - offset))
        if not part:
            raise BundleIncompleteError(f"{piece.name} has become shorter while it was read")
        return part

    def _find(self, position: int) -> int:
        low, high = 0, len(self._starts) - 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._starts[middle] <= position else (low, middle - 1)
        return low


class CheckedStream:
    """Reads from the first byte to the last and compares every piece with its checksum when it has gone by."""

    def __init__(self, root: Path, toc: Toc, advance: Callable[[int], None] = lambda _: None) -> None:
        """Take the pieces beside a table of contents; `advance` hears of the bytes read."""
        self._root = root
        self._opener = Opener(root)
        self._toc = toc
        self._advance = advance
        self._index = 0
        self._file: FileIO | None = None
        self._sum = _Sum(toc.pieces[0])
        self._left = toc.pieces[0].size
        self.position = 0

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill the buffer with the next bytes; 0 at the end. Raises BundleDamagedError naming every wrong piece."""
        while self._index < len(self._toc.pieces):
            if self._left:
                count = self._fill(buffer[: self._left])
                self._left -= count
                self.position += count
                self._advance(count)
                return count
            self._finish_piece()
        return 0

    def skip_to(self, position: int) -> None:
        """Read on to a place further on, checking what lies between."""
        buffer = memoryview(bytearray(BLOCK))
        while self.position < position and self.readinto(buffer[: position - self.position]):
            pass

    def finish(self) -> None:
        """Read to the end, so that every piece has been checked."""
        self.skip_to(self._toc.size)
        if self._index < len(self._toc.pieces):
            self._finish_piece()

    def close(self) -> None:
        """Close the open piece."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _fill(self, buffer: memoryview) -> int:
        piece = self._toc.pieces[self._index]
        with translated(self._root, piece.name):
            if self._file is None:
                self._file = self._opener.open(piece.name)
            count = self._file.readinto(buffer) or 0
        if not count:
            raise BundleIncompleteError(f"{piece.name} has become shorter while it was read")
        self._sum.add(buffer[:count])
        return count

    def _finish_piece(self) -> None:
        piece = self._toc.pieces[self._index]
        self.close()
        if not self._sum.fits():
            wrong = [piece.name, *damaged_pieces(self._root, self._toc.pieces[self._index + 1 :])]
            raise damaged(wrong, self._toc.name)
        self._index += 1
        if self._index < len(self._toc.pieces):
            self._sum = _Sum(self._toc.pieces[self._index])
            self._left = self._toc.pieces[self._index].size


class _Sum:
    """The checksum of one piece, in the making."""

    def __init__(self, piece: Piece) -> None:
        self._expected = piece.checksum
        self._sha256 = hashlib.sha256() if piece.uses_sha256 else None
        self._crc = 0

    def add(self, data: memoryview) -> None:
        if self._sha256 is not None:
            self._sha256.update(data)
        else:
            self._crc = zlib.crc32(data, self._crc)

    def fits(self) -> bool:
        if self._sha256 is not None:
            return self._sha256.hexdigest() == self._expected
        return self._crc == int(self._expected, 16)


def damaged_pieces(root: Path, pieces: tuple[Piece, ...]) -> list[str]:
    """Read pieces whole and give the names of those that have another checksum or lack bytes."""
    opener = Opener(root)
    buffer = memoryview(bytearray(BLOCK))
    wrong = []
    for piece in pieces:
        total = _Sum(piece)
        with translated(root, piece.name), opener.open(piece.name) as source:
            while count := source.readinto(buffer):
                total.add(buffer[:count])
        if not total.fits():
            wrong.append(piece.name)
    return wrong


def damaged(names: list[str], toc: str) -> BundleDamagedError:
    """Give the error that names damaged pieces."""
    return BundleDamagedError(
        f"{', '.join(names)} {'has' if len(names) == 1 else 'have'} another checksum than {toc} says"
    )
