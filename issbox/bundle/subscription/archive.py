"""The two ZIPs of a subscription manifest, read within bounds: nothing is unpacked to a disk.

Refused are: more entries, larger entries or more bytes in all than any manifest has, paths that leave the archive,
names that are there twice or differ by case alone, links and devices, encrypted entries, ways of compressing that no
distributor uses, and archives of more than 4 GiB (ZIP64).
"""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from issbox.errors import NotASubscriptionManifestError
from issbox.names import clash_key, format_size, path_problem

LARGEST_ARCHIVE: Final = 64 << 20
"""Bytes of a manifest, and of the archive in it; large ones have ten million."""
LARGEST_ENTRY: Final = 32 << 20
LARGEST_SUM: Final = 256 << 20
"""Bytes of all entries, uncompressed."""
MOST_ENTRIES: Final = 50_000

_END: Final = b"PK\5\6"
_END_64: Final = b"PK\6\7"
_END_SIZE: Final = 22
_LARGEST_DIRECTORY: Final = 8 << 20
"""Bytes of the list of entries, which zipfile reads whole into memory."""
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED: Final = 0x1 | 0x40 | 0x2000
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    ValueError,
    EOFError,
    OSError,
    OverflowError,
)
"""What zipfile raises for bytes that are no archive, or a broken one."""


class Archive:
    """One ZIP in memory, whose names were checked; entries are decompressed when they are asked for."""

    def __init__(self, data: bytes, name: str) -> None:
        """Look through the directory of an archive; `name` stands for it in messages.

        Raises NotASubscriptionManifestError saying what is wrong with it.
        """
        self.name: Final = name
        _check_directory(data, name)
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _BROKEN as error:
            raise NotASubscriptionManifestError(f"{name} is no ZIP archive: {str(error)[:200]}") from None
        self._files = self._checked()

    @property
    def files(self) -> Mapping[str, int]:
        """Size of every file by its path."""
        return MappingProxyType({path: info.file_size for path, info in self._files.items()})

    def below(self, directory: str, ending: str = "") -> list[str]:
        """Give the paths of the files that lie directly in a directory and end like this, sorted."""
        prefix = f"{directory}/"
        return sorted(
            path
            for path in self._files
            if path.startswith(prefix) and "/" not in path.removeprefix(prefix) and path.endswith(ending)
        )

    def read(self, path: str) -> bytes:
        """Give the bytes of a file; raises NotASubscriptionManifestError when it is missing or damaged."""
        info = self._files.get(path)
        if info is None:
            raise self._flaw(f"there is no {path} in it")
        try:
            with self._zip.open(info) as source:
                data = source.read(info.file_size + 1)
        except _BROKEN as error:
            raise self._flaw(f"{path} cannot be read: {str(error)[:200]}") from None
        if len(data) != info.file_size:
            raise self._flaw(f"{path} does not have the size that the archive says")
        return data

    def _checked(self) -> dict[str, zipfile.ZipInfo]:
        infos = self._zip.infolist()
        if len(infos) > MOST_ENTRIES:
            raise self._flaw(f"it has {len(infos)} entries, more than the {MOST_ENTRIES} that any manifest has")
        if sum(info.file_size for info in infos) > LARGEST_SUM:
            raise self._flaw(f"unpacked it would have more than {format_size(LARGEST_SUM)}")
        found: dict[str, zipfile.ZipInfo] = {}
        seen: set[str] = set()
        for info in infos:
            path = info.filename.removesuffix("/")
            problem = _problem(info, path)
            if problem is not None:
                raise self._flaw(f"the entry {info.orig_filename[:200]!r} is not allowed: {problem}")
            key = clash_key(path)
            if key in seen:
                raise self._flaw(f"the entry {path[:200]!r} is there twice")
            seen.add(key)
            if not info.is_dir():
                found[path] = info
        return found

    def _flaw(self, what: str) -> NotASubscriptionManifestError:
        return NotASubscriptionManifestError(f"{self.name}: {what}")


def _problem(info: zipfile.ZipInfo, path: str) -> str | None:
    mode = info.external_attr >> 16
    reason = path_problem(path)
    if reason is None and info.orig_filename != info.filename:
        reason = "its name has a NUL character or a foreign separator"
    if reason is None and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        reason = "it is a link or a device"
    if reason is None and info.flag_bits & _ENCRYPTED:
        reason = "it is encrypted"
    if reason is None and info.compress_type not in _METHODS:
        reason = f"it is compressed in a way that no manifest uses (method {info.compress_type})"
    if reason is None and info.file_size > LARGEST_ENTRY:
        reason = f"it has more than {format_size(LARGEST_ENTRY)}"
    return reason


def _check_directory(data: bytes, name: str) -> None:
    """Bound the directory of entries before zipfile reads it: each of them costs memory."""
    if len(data) > LARGEST_ARCHIVE:
        raise NotASubscriptionManifestError(f"{name} has more than {format_size(LARGEST_ARCHIVE)}")
    end = data.rfind(_END, max(0, len(data) - _END_SIZE - 0xFFFF))
    if end < 0 or len(data) - end < _END_SIZE:
        raise NotASubscriptionManifestError(f"{name} is no ZIP archive, or its end is missing")
    if data[max(0, end - 20) : end].startswith(_END_64):
        raise NotASubscriptionManifestError(f"{name} is a ZIP archive of a kind that no manifest is (ZIP64)")
    (size,) = struct.unpack("<L", data[end + 12 : end + 16])
    if size > _LARGEST_DIRECTORY:
        raise NotASubscriptionManifestError(f"{name} lists more entries than any manifest has")
