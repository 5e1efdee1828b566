"""Reading primary metadata: the packages of a repository, one at a time."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import createrepo_c

from issbox.errors import BadMetadataError, UnsafePathError
from issbox.files import error_from_os
from issbox.model import Package
from issbox.names import check_relative_path
from issbox.yum.checksums import Checksum, read_checksum
from issbox.yum.expand import expand
from issbox.yum.xmlgate import XmlGate

_MAX_PACKAGES: Final = 1_000_000
_MAX_WORD: Final = 512
"""Characters of a name, version, release or architecture."""
_MAX_PACKAGE_SIZE: Final = 1 << 44


@dataclass(frozen=True, slots=True)
class PackageEntry:
    """A package as primary metadata lists it."""

    path: str
    """Relative to the repository."""
    size: int
    """Bytes of the RPM."""
    package: Package

    @property
    def checksum(self) -> Checksum:
        """The checksum of the RPM under the name hashlib knows."""
        return read_checksum(self.package.checksum_type, self.package.checksum, self.path)


def read_packages(
    path: Path,
    max_size: int,
    *,
    name: str = "primary.xml",
    open_size: int | None = None,
    scratch: Path | None = None,
) -> Iterator[PackageEntry]:
    """Give the packages of a primary.xml, compressed or not, in its order and in little memory.

    `max_size` and `open_size` bound the decompressed bytes, which go to a file in `scratch` (the system's temporary
    directory by default) that is gone afterwards. Raises BadMetadataError naming the metadata, UnsafePathError for a
    package path that is not safe below the repository, and what the disk says. A package at another place (`xml:base`)
    is refused: the repodata is kept byte for byte, so hosts behind the gap would look for it where they cannot reach.
    """
    try:
        with tempfile.NamedTemporaryFile(prefix="primary-", suffix=".xml", dir=scratch) as plain:
            gate = XmlGate(name, "metadata")
            for block in expand(path, name=name, limit=max_size, open_size=open_size):
                gate.feed(block)
                plain.write(block)
            gate.finish()
            plain.flush()
            yield from _iterate(Path(plain.name), name)
    except OSError as error:
        error.filename = error.filename or str(scratch or tempfile.gettempdir())  # a write does not say where
        raise error_from_os(error) from error


def _iterate(plain: Path, name: str) -> Iterator[PackageEntry]:
    try:
        for count, found in enumerate(createrepo_c.PackageIterator(str(plain), None, None)):
            if count == _MAX_PACKAGES:
                raise BadMetadataError(f"{name} lists more than {_MAX_PACKAGES} packages")
            yield _read_entry(found, f"{name}, package {count + 1}")
    except createrepo_c.CreaterepoCError as error:
        raise BadMetadataError(f"{name} cannot be read: {str(error).replace(str(plain), name)}") from None
    except UnicodeError as error:
        raise BadMetadataError(f"{name} has text that is not UTF-8: {error}") from None


def _read_entry(found: createrepo_c.Package, where: str) -> PackageEntry:
    if not found.name or not found.location_href:
        raise BadMetadataError(f"{where} has no {'name' if not found.name else 'location'}")
    where = f"{where} ({found.name[:80]!a})"
    words = [_word(value, where) for value in (found.name, found.version, found.release, found.arch)]
    if found.location_base:
        raise BadMetadataError(
            f"{where} lies at another place (xml:base {found.location_base[:200]!r}), where hosts cannot reach it",
            hint="Have upstream create the repository without a base URL (createrepo_c without --baseurl).",
        )
    try:
        href = check_relative_path(found.location_href)
    except UnsafePathError as error:
        raise UnsafePathError(f"{where}: {error}") from None
    if not 0 < found.size_package < _MAX_PACKAGE_SIZE:
        raise BadMetadataError(f"{where}: {found.size_package} is not the size of a package")
    checksum = read_checksum(found.checksum_type or "", found.pkgId or "", where)
    package = Package(
        name=words[0],
        epoch=_epoch(found.epoch, where),
        version=words[1],
        release=words[2],
        arch=words[3],
        checksum_type=found.checksum_type.strip().lower(),
        checksum=checksum.value,
    )
    return PackageEntry(href, found.size_package, package)


def _word(value: str | None, where: str) -> str:
    if not value or len(value) > _MAX_WORD or not value.isprintable():
        raise BadMetadataError(f"{where} has no name, version, release or architecture that could be one")
    return value


def _epoch(value: str | None, where: str) -> int:
    if value in {None, ""}:
        return 0
    if not (value.isascii() and value.isdigit() and int(value[:11]) < 1 << 31 and len(value) <= 10):
        raise BadMetadataError(f"{where}: {value[:40]!r} is not an epoch")
    return int(value)
