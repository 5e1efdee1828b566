"""What primary metadata says otherwise than an older one, without reading again what both say in the same words.

Most packages of a new version of a repository are described by the same bytes as before. Both files are cut at the end
tags of packages, and only pieces that the other file lacks are read as XML. What both have is an element that the older
file, which was read as a whole once, has proved to be good. A cut is an end tag for sure in a file of the plain form
that all tools write: one without comments, CDATA, processing instructions and DOCTYPE, in which each piece has a single
start tag of a package, at its beginning. Files of any other form are not compared, nor are two with different roots.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from issbox.errors import BadMetadataError
from issbox.files import error_from_os
from issbox.yum.expand import expand
from issbox.yum.primary import PackageEntry, read_packages

_START: Final = b"<package"
_LIKE_START: Final = b"<packager"
"""Begins like a start tag of a package, but is none."""
_END: Final = b"</package>"
_SIGNS: Final = (b"!", b"?")
"""What follows a `<` that begins no tag. One byte is looked for much faster than two."""
_USUAL: Final = b"<package "
_FIRST: Final = re.compile(rb"<package[\s>]")
_HEAD: Final = re.compile(rb'(<\?xml version="1\.0" encoding="utf-8" ?\?>)?\s*<metadata\s[^<>&]*>\s*', re.IGNORECASE)
_COUNT: Final = re.compile(rb'\spackages="\d{1,12}"')
_TAIL: Final = re.compile(rb"\s*</metadata>\s*")
_LONGEST_HEAD: Final = 1 << 16
_LONGEST: Final = 16 << 20
"""Bytes of a piece, as of an element that is read."""
_MOST_BYTES: Final = 32 << 20
"""Bytes of all pieces that differ, which are kept in memory."""


@dataclass(frozen=True, slots=True)
class PrimaryChanges:
    """What differs between two files; a package described otherwise than before is in both lists."""

    removed: list[PackageEntry]
    """What only the older one says."""
    added: list[PackageEntry]
    """What only the newer one says."""
    older: int
    """How many packages the older one lists."""


class _NotComparableError(Exception):
    """A file is not of the plain form, or too much of it has changed."""


def compare_primary(
    older: Path, newer: Path, max_size: int, *, name: str, scratch: Path, most: int = 5_000
) -> PrimaryChanges | None:
    """Give what differs between two files of primary metadata, of which the older one is known to be good.

    None when it cannot be told this way, as in files that are damaged or of an unusual form, or when more than `most`
    packages differ: the newer file has to be read as a whole then, which also says what is wrong with it. `name`,
    `max_size` and `scratch` are those of `read_packages`, and so are the errors that come from the disk.
    """
    try:
        before, after = _Pieces(older, max_size), _Pieces(newer, max_size)
        if before.root != after.root:
            return None
        gone = {sha256(piece).digest() for pieces in before for piece in pieces}
        if len(gone) != before.count:
            return None  # a package that is there twice
        added, removed = _Picked(most), _Picked(most)
        for pieces in after:
            for piece in pieces:
                digest = sha256(piece).digest()
                if digest in gone:
                    gone.remove(digest)
                else:
                    added.add(piece)
        _require(len(gone) <= most)
        for pieces in _Pieces(older, max_size) if gone else ():
            for piece in pieces:
                if sha256(piece).digest() in gone:
                    removed.add(piece)
        return PrimaryChanges(
            _read(before, removed.pieces, max_size, name, scratch),
            _read(after, added.pieces, max_size, name, scratch),
            before.count,
        )
    except (_NotComparableError, BadMetadataError):
        return None


def _require(true: bool) -> None:
    if not true:
        raise _NotComparableError


class _Picked:
    """Pieces to be read, no more than memory has room for."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self.pieces: list[bytes] = []

    def add(self, piece: bytes) -> None:
        self.pieces.append(piece)
        self._size += len(piece)
        _require(len(self.pieces) <= self._most and self._size <= _MOST_BYTES)


class _Pieces:
    """The packages of a file as they stand there, each without its end tag.

    For one iteration, which gives those of a block at a time.
    """

    def __init__(self, path: Path, max_size: int) -> None:
        self._blocks = expand(path, name=path.name, limit=max_size)
        data = b""
        while (first := _FIRST.search(data)) is None:
            block = next(self._blocks, b"")
            _require(bool(block) and len(data) < _LONGEST_HEAD)
            data += block
        self.head = data[: first.start()]
        """What comes before the first package."""
        self._rest = data[first.start() :]
        _require(_HEAD.fullmatch(self.head) is not None)
        self.count = 0
        """How many there were so far."""

    @property
    def root(self) -> bytes:
        """The head without the number of packages."""
        return _COUNT.sub(b"", self.head, count=1)

    def __iter__(self) -> Iterator[list[bytes]]:
        data, self._rest = self._rest, b""
        while True:
            _require(not any(sign in data and b"<" + sign in data for sign in _SIGNS))
            pieces = data.split(_END)
            rest = pieces.pop()
            end = len(data) - len(rest)
            _require(data.count(_START, 0, end) - data.count(_LIKE_START, 0, end) == len(pieces))
            pieces = [each.lstrip() for each in pieces]
            _require(all(each.startswith(_USUAL) or _FIRST.match(each) for each in pieces))
            _require(len(rest) <= _LONGEST)
            self.count += len(pieces)
            yield pieces
            block = next(self._blocks, b"")
            if not block:
                break
            data = rest + block
        _require(_TAIL.fullmatch(rest) is not None)


def _read(of: _Pieces, pieces: list[bytes], max_size: int, name: str, scratch: Path) -> list[PackageEntry]:
    """Read pieces as a file of their own, with everything that is checked in one."""
    if not pieces:
        return []
    try:
        with NamedTemporaryFile(prefix="primary-", suffix=".xml", dir=scratch) as file:
            file.writelines([of.head, *(piece + _END for piece in pieces), b"</metadata>"])
            file.flush()
            found = list(read_packages(Path(file.name), max_size, name=name, scratch=scratch))
    except OSError as error:
        error.filename = error.filename or str(scratch)
        raise error_from_os(error) from error
    _require(len(found) == len(pieces))
    return found
