"""Repository versions and the files in them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from issbox.model.catalog import RepositoryKey


class VersionOrigin(StrEnum):
    """How a repository version came into this box."""

    SYNCHRONIZE = "synchronize"
    IMPORT = "import"
    PUBLISH = "publish"


@dataclass(frozen=True, slots=True)
class RepositoryVersion:
    """An immutable snapshot of a repository."""

    repository: RepositoryKey
    number: int
    created_at: datetime
    repomd_sha256: str
    packages: int
    files: int
    size: int
    origin: VersionOrigin
    source: str
    """The URL it was synchronized from, the id of the bundle it was imported from, or what it was filtered from."""


class FileKind(StrEnum):
    """What a file of a repository version is."""

    PACKAGE = "package"
    METADATA = "metadata"
    KICKSTART = "kickstart"


@dataclass(frozen=True, slots=True, order=True)
class Nevra:
    """Name, epoch, version, release and architecture of a package."""

    name: str
    epoch: int
    version: str
    release: str
    arch: str

    def __str__(self) -> str:
        epoch = f"{self.epoch}:" if self.epoch else ""
        return f"{self.name}-{epoch}{self.version}-{self.release}.{self.arch}"


@dataclass(frozen=True, slots=True)
class Package:
    """An RPM as the repository's metadata describes it."""

    name: str
    epoch: int
    version: str
    release: str
    arch: str
    checksum_type: str
    """As the metadata has it: sha256, sha512, sha1, md5, ..."""
    checksum: str

    @property
    def nevra(self) -> str:
        """Name-epoch:version-release.arch, without the epoch when it is 0."""
        return str(self.identity)

    @property
    def identity(self) -> Nevra:
        """What advisories know it by."""
        return Nevra(self.name, self.epoch, self.version, self.release, self.arch)


@dataclass(frozen=True, slots=True)
class RepositoryFile:
    """A file of a repository version."""

    path: str
    """Relative to the repository."""
    size: int
    sha256: str
    kind: FileKind
    package: Package | None = None


class PackageOrder(StrEnum):
    """By what the packages of a version are listed."""

    PATH = "path"
    NAME = "name"
    ARCH = "arch"
    SIZE = "size"


@dataclass(frozen=True, slots=True)
class PackageSearch:
    """Which packages of a version somebody looks through, and in which order."""

    text: str = ""
    """It occurs in the path."""
    order: PackageOrder = PackageOrder.PATH
    descending: bool = False
