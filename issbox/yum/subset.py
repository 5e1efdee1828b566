"""Making the metadata of a part of a repository from that of the whole.

Entries of packages and advisories stay byte for byte as upstream wrote them; groups, modules, product ids and whatever
else there is are carried as they are. What speaks of the whole only goes: databases, zchunk copies, delta packages and
the signature of repomd.xml. The same input gives the same bytes.
"""

import gzip
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, cast

import createrepo_c
import zstandard

from issbox.errors import BadMetadataError
from issbox.files import Digest, error_from_os
from issbox.model import Nevra
from issbox.yum.expand import expand
from issbox.yum.primary import read_packages
from issbox.yum.repomd import REPOMD_PATH, Repomd, RepomdRecord, parse_repomd
from issbox.yum.slicing import slice_xml
from issbox.yum.updateinfo import read_updateinfo

_ROOTS: Final = {
    "primary": "metadata",
    "filelists": "filelists",
    "filelists_ext": "filelists-ext",
    "other": "otherdata",
    "updateinfo": "updates",
}
"""What is cut, by its type in repomd.xml, and the root element of each."""
_DROPPED: Final = frozenset(
    {"prestodelta", "deltainfo", *(f"{type_}{form}" for type_ in _ROOTS for form in ("_db", "_zck"))}
)
_SIGNATURES: Final = (f"{REPOMD_PATH}.asc", f"{REPOMD_PATH}.key")
_GZIP_LEVEL: Final = 5
_ZSTD_LEVEL: Final = 5
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True, slots=True)
class NewFile:
    """A metadata file that was made, in the scratch directory."""

    path: str
    """Relative to the repository."""
    place: Path
    digest: Digest


@dataclass(slots=True)
class Subset:
    """What stays of a repository."""

    packages: set[str] = field(default_factory=set)
    """Paths of the packages that stay, relative to the repository."""
    dropped: int = 0
    """Number of entries that go; 0 means that nothing was made and everything stays as it is."""
    files: list[NewFile] = field(default_factory=list)
    replaced: set[str] = field(default_factory=set)
    """Paths of metadata files of the whole that go."""


def make_subset(
    locate: Callable[[str], Path | None], keep: Callable[[Nevra], bool], *, scratch: Path, max_size: int, name: str
) -> Subset:
    """Make the metadata of the packages that `keep` says yes to, in files of the scratch directory.

    `locate` gives the place of a metadata file of the whole by its path in the repository. `max_size` bounds each once
    decompressed, `name` begins the names of files in messages. Raises BadMetadataError, UnsafePathError, and what the
    disk says.
    """
    try:
        return _Maker(locate, keep, scratch, max_size, name).make()
    except createrepo_c.CreaterepoCError as error:
        raise BadMetadataError(f"{name}{REPOMD_PATH} cannot be read: {error}") from None
    except OSError as error:
        error.filename = error.filename or str(scratch)  # a write does not say where
        raise error_from_os(error) from error


class _Maker:
    def __init__(
        self,
        locate: Callable[[str], Path | None],
        keep: Callable[[Nevra], bool],
        scratch: Path,
        max_size: int,
        name: str,
    ) -> None:
        self._find = locate
        self._keep = keep
        self._scratch = scratch
        self._max_size = max_size
        self._name = name
        self._subset = Subset()
        self._decisions = bytearray()
        """By the number of the entry in primary: whether it stays."""
        self._ids: set[str] = set()
        """Checksums of packages that stay, as filelists and other call them."""
        self._stays: set[Nevra] = set()

    def make(self) -> Subset:
        place = self._locate(REPOMD_PATH)
        repomd = parse_repomd(place.read_bytes())
        primary = repomd.find("primary")
        if primary is None:
            raise BadMetadataError(f"{self._name}{REPOMD_PATH} names no primary metadata that can be read")
        self._decide(primary)
        if self._subset.dropped:
            self._write_repomd(repomd, createrepo_c.Repomd(str(place)))
            self._subset.replaced.update((REPOMD_PATH, *_SIGNATURES))
        return self._subset

    def _locate(self, path: str) -> Path:
        place = self._find(path)
        if place is None:
            raise BadMetadataError(f"{self._name}{path} is named but not there")
        return place

    def _decide(self, primary: RepomdRecord) -> None:
        entries = read_packages(
            self._locate(primary.href),
            self._max_size,
            name=self._name + primary.href,
            open_size=primary.open_size,
            scratch=self._scratch,
        )
        for entry in entries:
            stays = self._keep(entry.package.identity)
            self._decisions.append(stays)
            if stays:
                self._subset.packages.add(entry.path)
                self._ids.add(entry.package.checksum)
                self._stays.add(entry.package.identity)
        self._subset.dropped = self._decisions.count(0)

    def _write_repomd(self, repomd: Repomd, old: Any) -> None:
        """Cut every file that has to be, and write a repomd.xml that names them beside what is carried."""
        new = createrepo_c.Repomd()
        new.set_revision(old.revision)
        for add, tags in ((new.add_repo_tag, old.repo_tags), (new.add_content_tag, old.content_tags)):
            for tag in tags:
                add(tag)
        for cpeid, tag in old.distro_tags:
            new.add_distro_tag(tag, cpeid)
        checked = {record.href: record for record in repomd.records}
        written = set()
        for record in old.records:
            href = record.location_href
            if href in written:
                continue
            written.add(href)
            if record.type in _ROOTS:
                new.set_record(self._cut(checked[href], int(record.timestamp)))
            elif record.type not in _DROPPED:
                new.set_record(record)
                continue
            self._subset.replaced.add(href)
        place = self._scratch / "repomd.xml"
        data = new.xml_dump().encode()
        place.write_bytes(data)
        self._subset.files.append(NewFile(REPOMD_PATH, place, Digest(len(data), sha256(data).hexdigest())))

    def _cut(self, record: RepomdRecord, timestamp: int) -> Any:
        """Write one file without what goes, compressed as it was, and give its record."""
        name = self._name + record.href
        place = self._locate(record.href)
        advisories = record.type == "updateinfo"
        stays = self._advisory_stays(place, record) if advisories else self._entry_stays(record.type)
        with _Writer(self._scratch / f"{record.type}.xml", zstd=_is_zstd(place)) as out:
            found = slice_xml(
                expand(place, name=name, limit=self._max_size, open_size=record.open_size),
                out.write,
                name=name,
                root=_ROOTS[record.type],
                element="update" if advisories else "package",
                keep=stays,
                count=None if advisories else self._decisions.count(1),
            )
        if record.type == "primary" and found != len(self._decisions):
            raise BadMetadataError(f"{name} lists something that is no package")
        made = createrepo_c.RepomdRecord(record.type)
        made.location_href = f"repodata/{out.packed.sha256}-{record.type}.xml.{out.ending}"
        made.checksum_type = made.checksum_open_type = "sha256"
        made.checksum, made.checksum_open = out.packed.sha256, out.opened.sha256
        made.size, made.size_open, made.timestamp = out.packed.size, out.opened.size, timestamp
        self._subset.files.append(NewFile(made.location_href, out.place, out.packed))
        return made

    def _entry_stays(self, type_: str) -> Callable[[int, dict[str, str]], bool]:
        if type_ == "primary":
            return lambda number, _: number < len(self._decisions) and bool(self._decisions[number])
        return lambda _, attributes: attributes.get("pkgid", "").strip().lower() in self._ids

    def _advisory_stays(self, place: Path, record: RepomdRecord) -> Callable[[int, dict[str, str]], bool]:
        name = self._name + record.href
        advisories = read_updateinfo(place, self._max_size, name=name, open_size=record.open_size)
        stays = bytes(any(each in self._stays for each in advisory.packages) for advisory in advisories)
        return lambda number, _: bool(stays[number])


class _Writer:
    """Compresses while it digests what goes in and what comes out."""

    def __init__(self, place: Path, *, zstd: bool) -> None:
        self.ending = "zst" if zstd else "gz"
        self.place = place.with_name(f"{place.name}.{self.ending}")
        self._zstd = zstd
        self._size = 0
        self._sha256 = sha256()

    def __enter__(self) -> "_Writer":
        self._file = _Digesting(self.place.open("wb"))
        # Nothing of the clock or of a file name goes in, so that the same bytes come out again.
        self._out: Any = (
            zstandard.ZstdCompressor(level=_ZSTD_LEVEL).stream_writer(cast("IO[bytes]", self._file), closefd=False)
            if self._zstd
            else gzip.GzipFile("", "wb", _GZIP_LEVEL, self._file, mtime=0)
        )
        return self

    def write(self, data: bytes) -> None:
        self._size += len(data)
        self._sha256.update(data)
        self._out.write(data)

    def __exit__(self, *_: object) -> None:
        try:
            self._out.close()
        finally:
            self._file.close()

    @property
    def opened(self) -> Digest:
        """Size and digest before compression."""
        return Digest(self._size, self._sha256.hexdigest())

    @property
    def packed(self) -> Digest:
        """Size and digest of the file."""
        return self._file.digest


class _Digesting:
    """A file that is digested while it is written."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._size = 0
        self._sha256 = sha256()

    def write(self, data: bytes) -> int:
        self._size += len(data)
        self._sha256.update(data)
        return self._out.write(data)

    def flush(self) -> None:
        self._out.flush()

    def close(self) -> None:
        self._out.close()

    @property
    def digest(self) -> Digest:
        return Digest(self._size, self._sha256.hexdigest())


def _is_zstd(place: Path) -> bool:
    with place.open("rb") as file:
        return file.read(4) == _ZSTD_MAGIC
