"""Headers of a tar stream: POSIX.1-2017 pax interchange format, and what GNU tar writes instead for long names.

Only regular files, directories, and what names them are known. Everything a header says is checked, since a tar is the
easiest way to have something written where it does not belong.
"""

import re
import tarfile
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

from issbox.errors import BundleDamagedError, UnsafeFileError, UnsafePathError
from issbox.names import path_problem

BLOCK_SIZE: Final = 512
"""Bytes of a header, and the multiple that every file is filled up to."""
MAX_EXTENSION: Final = 64 << 10
"""Bytes of a pax header or long name that are read; what a path needs is at most a few thousand."""
MAX_TRAILING_ZEROS: Final = 16 << 20
"""Bytes of zeros that may follow the end of a tar or gzip: tapes are written in blocks of up to a few MiB, and bsdtar
fills its output up even when it is a file."""
_MODE: Final = 0o644
_LONGEST_NAME: Final = 100
_LARGE: Final = 8 << 30
"""What needs a pax header: a longer path, and a file of so many bytes."""
_OCTAL: Final = re.compile(rb" *([0-7]+)[ \0]*")
_MAGICS: Final = {b"ustar\x0000", b"ustar  \x00"}
"""POSIX, and GNU."""
_SIZE: Final = slice(124, 136)
_CHECKSUM: Final = slice(148, 156)


class Kind(Enum):
    """What follows a header."""

    FILE = b"0"
    OLD_FILE = b"\0"
    DIRECTORY = b"5"
    PAX = b"x"
    GLOBAL_PAX = b"g"
    LONG_NAME = b"L"


_KINDS: Final = {kind.value: kind for kind in Kind}
_REFUSED: Final = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a character device",
    b"4": "a block device",
    b"6": "a named pipe",
    b"S": "a sparse file",
}


@dataclass(frozen=True, slots=True)
class Header:
    """One header block."""

    kind: Kind
    name: bytes
    """As it stands in the header; a pax header or long name before it may say another."""
    size: int
    """Bytes that follow, before they are filled up."""


@dataclass(frozen=True, slots=True)
class Extension:
    """What a pax header says about the file behind it."""

    path: bytes | None = None
    size: int | None = None


def encode_header(path: str, size: int, modified: int) -> bytes:
    """Give the blocks before a file: owner root, mode 0644, a time in seconds since 1970.

    A pax header comes first for a path that is longer than 100 bytes or not ASCII, and for a file of 8 GiB or more.
    """
    template, total = _template(modified)
    if len(template) != BLOCK_SIZE or not _is_plain(path, size):
        return _encode(path, size, modified)
    name, digits = path.encode(), b"%011o\0" % size
    checksum = b"%06o\0 " % (total + sum(name) + sum(digits))
    middle = template[_SIZE.stop : _CHECKSUM.start]
    return b"".join((name, template[len(name) : _SIZE.start], digits, middle, checksum, template[_CHECKSUM.stop :]))


def header_size(path: str, size: int) -> int:
    """Give the bytes of `encode_header` for a path and the bytes of its file, mostly without making it."""
    return BLOCK_SIZE if _is_plain(path, size) else len(_encode(path, size, 0))


def _is_plain(path: str, size: int) -> bool:
    return path.isascii() and len(path) <= _LONGEST_NAME and size < _LARGE


def _encode(path: str, size: int, modified: int) -> bytes:
    info = tarfile.TarInfo(path)
    info.size, info.mtime, info.mode = size, modified, _MODE
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


@lru_cache(maxsize=1)
def _template(modified: int) -> tuple[bytes, int]:
    """Give the header of a file without a name and bytes, and the sum of all its bytes but the digits of the size.

    Each file has the same header but for these: making one anew takes longer than reading a small file.
    """
    block = _encode("", 0, modified)
    return block, sum(block) - sum(block[_SIZE]) - sum(block[_CHECKSUM]) + 8 * 0x20


def padding(size: int) -> int:
    """Give the bytes that fill a file of this size up."""
    return -size % BLOCK_SIZE


def decode_header(block: bytes, where: str) -> Header:
    """Read a header block that is not all zeros.

    Raises UnsafeFileError for a link, a device and the like, and BundleDamagedError for anything that is no header;
    `where` says which it is.
    """
    if _number(block[_CHECKSUM], where) != sum(block) - sum(block[_CHECKSUM]) + 8 * 0x20:
        raise BundleDamagedError(f"the tar header {where} does not have its checksum")
    if block[257:265] not in _MAGICS:
        raise BundleDamagedError(f"the tar header {where} is neither one of POSIX nor one of GNU")
    name = block[:100].partition(b"\0")[0]
    prefix = block[345:500].partition(b"\0")[0]
    if block[257:265] == b"ustar\x0000" and prefix:
        name = prefix + b"/" + name
    kind = _KINDS.get(block[156:157])
    if kind is None:
        what = _REFUSED.get(block[156:157], f"of the unknown type {block[156:157]!r}")
        raise UnsafeFileError(f"{_shown(name)} {where} is {what}; a bundle holds only files and directories")
    return Header(kind, name, _number(block[_SIZE], where))


def decode_pax(data: bytes, where: str) -> Extension:
    """Read the records of a pax header, `LENGTH KEY=VALUE` and a newline each; what is not needed is passed over.

    Raises UnsafeFileError for a sparse file and BundleDamagedError for anything that is no such header.
    """
    path: bytes | None = None
    size: int | None = None
    while data:
        key, value, data = _next_record(data, where)
        if key.startswith(b"GNU.sparse."):
            raise UnsafeFileError(f"the file {where} is a sparse file; a bundle holds only plain ones")
        if key == b"path":
            path = value
        elif key == b"size":
            if not value.isdigit() or len(value) > 19:
                raise _bad_pax(where)
            size = int(value)
    return Extension(path, size)


def decode_path(name: bytes, *, directory: bool) -> str:
    """Give the path of a file or directory, without the `./` that `tar -C DIR .` puts before it.

    Raises UnsafePathError when it is not allowed in a bundle; a directory may also be `.` itself, which gives "".
    """
    try:
        path = name.decode()
    except UnicodeDecodeError:
        raise UnsafePathError(f"the path {_shown(name)} is not allowed: it is not valid UTF-8") from None
    path = path.removeprefix("./")
    if directory:
        path = path.removesuffix("/")
        if path in {"", "."} and not name.startswith(b"/"):
            return ""
    problem = path_problem(path)
    if problem is not None:
        raise UnsafePathError(f"the path {_shown(name)} is not allowed: {problem}")
    return path


def _next_record(data: bytes, where: str) -> tuple[bytes, bytes, bytes]:
    """Give key and value of the first record, and what comes after it."""
    digits, space, _ = data[:20].partition(b" ")
    if not space or not digits.isdigit():
        raise _bad_pax(where)
    length = int(digits)
    key, equals, value = data[len(digits) + 1 : length].partition(b"=")
    if not equals or not key or length > len(data) or not value.endswith(b"\n"):
        raise _bad_pax(where)
    return key, value[:-1], data[length:]


def _bad_pax(where: str) -> BundleDamagedError:
    return BundleDamagedError(f"the pax header {where} is not one of POSIX")


def _number(field: bytes, where: str) -> int:
    """Read an octal number, or a base-256 one as GNU tar writes it for what has no room in octal."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    match = _OCTAL.fullmatch(field)
    if match is None:
        raise BundleDamagedError(f"the tar header {where} has no number where one belongs")
    return int(match[1], 8)


def _shown(name: bytes) -> str:
    return repr(name[:200].decode(errors="replace"))
