"""Writing the repodata of a repository anew, from its packages and whatever else belongs to it.

For repositories that arrive without repodata. The checksums are SHA-256, the compression is gzip, which every yum
reads, and equal contents give equal files but for the time in repomd.xml.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import createrepo_c

from issbox.errors import BadMetadataError
from issbox.files import error_from_os
from issbox.model import Package
from issbox.yum.primary import read_packages
from issbox.yum.repomd import REPOMD_PATH
from issbox.yum.rpmhead import describe_package

_OWN: Final = frozenset({"primary", "filelists", "other"})


@dataclass(frozen=True, slots=True)
class BuildPackage:
    """A package that the repository is to list."""

    href: str
    """Its path in the repository."""
    sha256: str
    size: int
    """Bytes."""
    nevra: tuple[str, str, str, str, str] | None = None
    """Name, epoch, version, release and architecture that its header must have; None when nothing was promised."""
    changed_at: int = 0
    """Seconds since 1970 that are given as its file's time."""


@dataclass(frozen=True, slots=True)
class BuildExtra:
    """One more file of metadata."""

    type: str
    """Its type in repomd.xml, `updateinfo` for example."""
    name: str
    """Of the file, without its checksum."""
    parts: Iterable[bytes]
    """Its bytes; when there are none, there is no file."""
    compressed: bool = True


@dataclass(frozen=True, slots=True)
class Built:
    """The repodata that was written."""

    paths: tuple[str, ...]
    """Files below the root, repomd.xml last."""
    packages: dict[str, Package]
    """What primary says of each package, by its href."""


def build_repodata(
    root: Path,
    packages: Sequence[BuildPackage],
    extras: Iterable[BuildExtra],
    *,
    locate: Callable[[str], Path],
    at: int,
    advance: Callable[[], None] = lambda: None,
) -> Built:
    """Write `repodata/` into an empty directory and say what is in it.

    `locate` gives the file of a package by its digest, whose bytes have been checked; `at` is the time that repomd.xml
    names, in seconds since 1970; `advance` is called after each package. Raises BadMetadataError naming the package
    that is no RPM or another one than promised, and what the disk says.
    """
    try:
        writer = createrepo_c.RepositoryWriter(
            str(root), num_packages=len(packages), compression=createrepo_c.GZ_COMPRESSION
        )
        for package in sorted(packages, key=lambda each: each.href):
            writer.add_pkg(_describe(package, locate(package.sha256)))
            advance()
        for extra in extras:
            _add_extra(writer, root, extra)
        writer.finish()
        _write_repomd(root, writer.repomd, at)
    except OSError as error:
        raise error_from_os(error) from error
    except createrepo_c.CreaterepoCError as error:
        raise BadMetadataError(f"the repodata cannot be written: {str(error).replace(str(root), '.')}") from None
    return _read_back(root, writer.repomd)


def _describe(package: BuildPackage, place: Path) -> createrepo_c.Package:
    found = describe_package(place, package.href)
    nevra = (found.name, found.epoch or "0", found.version, found.release, found.arch)
    if package.nevra is not None and nevra != package.nevra:
        raise BadMetadataError(
            f"{package.href} is {'-'.join(map(str, nevra))}, but {'-'.join(package.nevra)} was promised"
        )
    found.pkgId, found.size_package, found.time_file = package.sha256, package.size, package.changed_at
    return found


def _add_extra(writer: createrepo_c.RepositoryWriter, root: Path, extra: BuildExtra) -> None:
    if extra.type in _OWN or extra.type in writer.additional_metadata_files:
        raise BadMetadataError(f"the metadata {extra.type} would be there twice")
    path = root / "extras" / extra.name
    path.parent.mkdir(exist_ok=True)
    with path.open("xb") as out:
        for part in extra.parts:
            out.write(part)
    if path.stat().st_size:
        writer.add_repomd_metadata(extra.type, str(path), use_compression=extra.compressed)
    path.unlink()


def _write_repomd(root: Path, built: createrepo_c.Repomd, at: int) -> None:
    repomd = createrepo_c.Repomd()
    repomd.set_revision(str(at))
    for record in built.records:
        record.timestamp = at
        repomd.set_record(record)
    (root / REPOMD_PATH).write_text(repomd.xml_dump())


def _read_back(root: Path, repomd: createrepo_c.Repomd) -> Built:
    """Read primary as any other: what it says of the packages goes into the database."""
    hrefs = {record.type: record.location_href for record in repomd.records}
    primary = root / hrefs["primary"]
    entries = read_packages(primary, 1 << 40, name="primary.xml", scratch=root)
    packages = {entry.path: entry.package for entry in entries}
    return Built((*sorted(hrefs.values()), REPOMD_PATH), packages)
