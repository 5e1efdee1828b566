"""What a repository of a Pulp archive consists of: packages, and the files around them, put together from the rows.

A kickstart tree may have repositories inside it; the archive has their rows in the same files and tells in
`content_mapping.json` which row belongs to which.
"""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from issbox.bundle.decoding import decode
from issbox.bundle.katello.pulp_archive import PulpArchive
from issbox.bundle.katello.rows import read_rows, whole
from issbox.errors import BadManifestError, UnsafePathError
from issbox.names import check_relative_path, is_sha256

_DIRECTORY: Final = re.compile(r"repository-(?P<name>.+)_(?P<number>[0-9]+)", re.DOTALL)
_TYPE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TREEINFO: Final = frozenset({".treeinfo", "treeinfo"})
_MAX_TIME: Final = (1 << 32) - 1


class _Version(msgspec.Struct):
    component: str
    version: str


class _PackageRow(msgspec.Struct):
    upstream_id: str
    name: str
    version: str
    release: str
    arch: str
    pkgId: str  # noqa: N815  # as Pulp calls it
    checksum_type: str
    epoch: str = "0"
    size_package: str = "0"
    time_file: str = "0"


class _LinkRow(msgspec.Struct):
    """Ties a row of content to an artifact."""

    content: str
    relative_path: str
    artifact: str | None = None


class _MetadataFileRow(msgspec.Struct):
    upstream_id: str
    data_type: str


class _ModuleRow(msgspec.Struct):
    upstream_id: str
    snippet: str | None = None


class _TreeRow(msgspec.Struct):
    upstream_id: str


class _AddonRow(msgspec.Struct):
    addon_id: str
    repository: str | None = None


class _VariantRow(msgspec.Struct):
    variant_id: str
    repository: str | None = None


@dataclass(frozen=True, slots=True)
class PulpFile:
    """A file of a repository."""

    path: str
    """Relative to the repository; of a package only its name."""
    sha256: str


@dataclass(frozen=True, slots=True)
class PulpPackage:
    """A package as its row describes it."""

    filename: str
    sha256: str
    size: int
    """Bytes of the RPM."""
    nevra: tuple[str, str, str, str, str]
    """Name, epoch, version, release, architecture."""
    changed_at: int
    """Seconds since 1970, as the repository it came from had it."""


@dataclass(frozen=True, slots=True)
class PulpPart:
    """One yum repository: the main one, or one inside a kickstart tree."""

    prefix: str
    """Its place in the main one, with a slash at the end; empty for the main one itself."""
    ids: Container[str] | None
    """The rows that belong to it; None for all."""
    packages: tuple[PulpPackage, ...]
    extras: tuple[tuple[str, PulpFile], ...]
    """More metadata, `productid` for example, by type."""
    modules: tuple[str | PulpFile, ...]
    """Module documents: their text, or the file that has it in exports of old Pulps."""


@dataclass(frozen=True, slots=True)
class PulpContent:
    """Everything of one repository version."""

    directory: str
    """Where its rows lie in the archive."""
    parts: tuple[PulpPart, ...]
    """The main repository first."""
    tree: tuple[PulpFile, ...]
    """Files of the kickstart tree, .treeinfo among them."""

    @property
    def treeinfo(self) -> PulpFile | None:
        """The file that describes the kickstart tree."""
        return next((file for file in self.tree if file.path in _TREEINFO), None)

    def files(self) -> Iterator[tuple[str, str]]:
        """Give path and digest of every file that must be there."""
        for part in self.parts:
            for package in part.packages:
                yield f"{part.prefix}{package.filename}", package.sha256
            for _, file in part.extras:
                yield file.path, file.sha256
            for module in part.modules:
                if isinstance(module, PulpFile):
                    yield module.path, module.sha256
        for file in self.tree:
            yield file.path, file.sha256


def check_versions(archive: PulpArchive) -> None:
    """Look into `versions.json`; raises BadManifestError when it is none, or names no plugin for yum repositories.

    Which versions they are makes no difference here: the rows are read by their fields.
    """
    name = "versions.json"
    found = decode(msgspec.json.Decoder(list[_Version]), archive.document(name) or b"", name)
    if not {"rpm", "pulp_rpm"} & {each.component for each in found}:
        raise BadManifestError(f"{name}: the archive was not made by a Pulp that keeps yum repositories")


def repository_directories(archive: PulpArchive) -> dict[str, str]:
    """Give the directory of each repository of the archive by the name that Pulp has for the repository."""
    found: dict[str, str] = {}
    for directory in sorted(archive.directories()):
        match = _DIRECTORY.fullmatch(directory)
        if match is None:
            raise BadManifestError(f"the archive has a directory {directory[:200]!r} that is no repository version")
        if match["name"] in found:
            raise BadManifestError(f"the archive has two versions of the repository {match['name'][:200]!r}")
        found[match["name"]] = directory
    return found


def read_content(archive: PulpArchive, name: str, directory: str) -> PulpContent:
    """Put together one repository. Raises BadManifestError and UnsafePathError naming the row that is wrong."""
    links = _links(archive, directory)
    mapping = _mapping(archive, directory)
    inner = _inner_repositories(archive, directory)
    rows = _Rows(archive, directory, links)
    elsewhere = frozenset[str]().union(*(mapping.get(repository, ()) for repository in inner.values()))
    parts = [rows.part("", _AllBut(elsewhere - mapping.get(name, frozenset())) if inner else None)]
    for place, repository in sorted(inner.items()):
        if repository not in mapping:
            raise BadManifestError(f"{directory}: the rows of the inner repository {place} are not told apart")
        parts.append(rows.part(f"{place}/", mapping[repository]))
    return PulpContent(directory, tuple(parts), rows.tree())


def _links(archive: PulpArchive, directory: str) -> dict[str, list[PulpFile]]:
    links: dict[str, list[PulpFile]] = {}
    for row in read_rows(archive, directory, "ContentArtifactResource", _LinkRow):
        path = _safe(row.relative_path, directory)
        if not is_sha256(row.artifact or ""):
            raise BadManifestError(f"{directory}: {path} has no artifact: it was never downloaded where it comes from")
        links.setdefault(row.content, []).append(PulpFile(path, str(row.artifact)))
    return links


def _mapping(archive: PulpArchive, directory: str) -> dict[str, frozenset[str]]:
    name = f"{directory}/content_mapping.json"
    data = archive.document(name)
    if data is None:
        return {}
    found = decode(msgspec.json.Decoder(dict[str, list[str]]), data, name)
    return {repository: frozenset(ids) for repository, ids in found.items()}


def _inner_repositories(archive: PulpArchive, directory: str) -> dict[str, str]:
    """Give Pulp's names of the repositories inside a kickstart tree by the directories they are published in."""
    inner: dict[str, str] = {}
    for addon in read_rows(archive, directory, "AddonResource", _AddonRow):
        if addon.repository:
            inner[_safe(addon.addon_id, directory)] = addon.repository
    for variant in read_rows(archive, directory, "VariantResource", _VariantRow):
        if variant.repository:
            inner[_safe(variant.variant_id, directory)] = variant.repository
    if any("/" in place or place in {"repodata", "Packages"} for place in inner):
        raise BadManifestError(f"{directory}: a repository inside the kickstart tree would lie in the way of others")
    return inner


class _AllBut(Container[str]):
    """Everything but these: what no inner repository claims belongs to the main one, so that nothing gets lost."""

    def __init__(self, excluded: frozenset[str]) -> None:
        self._excluded = excluded

    def __contains__(self, item: object) -> bool:
        return item not in self._excluded


class _Rows:
    """The rows of one repository version."""

    def __init__(self, archive: PulpArchive, directory: str, links: dict[str, list[PulpFile]]) -> None:
        self._archive = archive
        self._directory = directory
        self._links = links

    def part(self, prefix: str, ids: Container[str] | None) -> PulpPart:
        """Give the part of the rows with these ids, all of them for None."""
        return PulpPart(
            prefix, ids, tuple(self._packages(ids)), tuple(self._extras(prefix, ids)), tuple(self._modules(ids))
        )

    def tree(self) -> tuple[PulpFile, ...]:
        """Give the files of the kickstart tree."""
        rows = read_rows(self._archive, self._directory, "DistributionTreeResource", _TreeRow)
        return tuple(file for row in rows for file in self._links.get(row.upstream_id, ()))

    def _packages(self, ids: Container[str] | None) -> Iterator[PulpPackage]:
        for row in read_rows(self._archive, self._directory, "PackageResource", _PackageRow):
            if ids is None or row.upstream_id in ids:
                yield self._package(row)

    def _package(self, row: _PackageRow) -> PulpPackage:
        where = f"{self._directory}, package {row.name[:60]}-{row.version[:60]}"
        file = self._only(row.upstream_id, where)
        if row.checksum_type == "sha256" and row.pkgId != file.sha256:
            raise BadManifestError(f"{where}: its checksum is {row.pkgId[:80]}, its artifact is {file.sha256}")
        return PulpPackage(
            filename=file.path.rpartition("/")[2],
            sha256=file.sha256,
            size=whole(row.size_package, where),
            nevra=(row.name, row.epoch or "0", row.version, row.release, row.arch),
            changed_at=min(whole(row.time_file, where), _MAX_TIME),
        )

    def _extras(self, prefix: str, ids: Container[str] | None) -> Iterator[tuple[str, PulpFile]]:
        for row in read_rows(self._archive, self._directory, "RepoMetadataFileResource", _MetadataFileRow):
            if ids is None or row.upstream_id in ids:
                where = f"{self._directory}, metadata {row.data_type[:60]}"
                file = self._only(row.upstream_id, where)
                if _TYPE.fullmatch(row.data_type) is None:
                    raise BadManifestError(f"{where}: this is no type of metadata")
                yield row.data_type, PulpFile(prefix + file.path, file.sha256)

    def _modules(self, ids: Container[str] | None) -> Iterator[str | PulpFile]:
        for resource in ("ModulemdResource", "ModulemdDefaultsResource", "ModulemdObsoleteResource"):
            for row in read_rows(self._archive, self._directory, resource, _ModuleRow):
                if ids is None or row.upstream_id in ids:
                    yield row.snippet or self._only(row.upstream_id, f"{self._directory}, a module")

    def _only(self, content: str, where: str) -> PulpFile:
        files = self._links.get(content, [])
        if len(files) != 1:
            raise BadManifestError(f"{where}: it has {len(files)} artifacts instead of one")
        return files[0]


def _safe(path: str, where: str) -> str:
    try:
        return check_relative_path(path)
    except UnsafePathError as error:
        raise UnsafePathError(f"{where}: {error}") from None
