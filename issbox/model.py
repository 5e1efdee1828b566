"""The words of issbox as frozen dataclasses: what the store holds and what a bundle says.

Labels carry identity; row ids stay in the store. Times are aware UTC, sizes are bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

LIBRARY = "Library"
"""Label of the first lifecycle environment of every organization."""


@dataclass(frozen=True, slots=True)
class Box:
    """This appliance, as other boxes know it."""

    id: str
    """A UUID made by `issbox init`."""
    name: str
    key_id: str
    """SHA-256 of the DER public key that signs its bundles, in hexadecimal."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """The public key of a box whose bundles are accepted."""

    name: str
    key_id: str
    public_key: str
    """PEM, SubjectPublicKeyInfo."""
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, for the audit log."""

    name: str
    origin: str
    """From where: `local`, an SSH client's address, or the name of a service."""


@dataclass(frozen=True, slots=True)
class Organization:
    """Owner of everything below it."""

    label: str
    name: str


@dataclass(frozen=True, slots=True)
class LifecycleEnvironment:
    """A stage that content is promoted through."""

    organization: str
    label: str
    name: str
    prior: str | None
    """Label of the environment before this one; None for Library."""


class ProductKind(StrEnum):
    """Where a product comes from."""

    CUSTOM = "custom"
    REDHAT = "redhat"


@dataclass(frozen=True, slots=True)
class Product:
    """A set of contents."""

    organization: str
    label: str
    name: str
    kind: ProductKind = ProductKind.CUSTOM
    description: str = ""
    gpg_key: str | None = None
    """Label of a content credential, used by repositories without a key of their own."""


class CredentialKind(StrEnum):
    """What a content credential holds."""

    GPG_KEY = "gpg-key"
    CA_CERTIFICATE = "ca-certificate"
    CLIENT_CERTIFICATE = "client-certificate"


@dataclass(frozen=True, slots=True)
class ContentCredential:
    """A GPG key or certificate kept by label. A client certificate's private key lies in a file of its own."""

    organization: str
    label: str
    name: str
    kind: CredentialKind
    content: str
    """Armored GPG key, or PEM."""


@dataclass(frozen=True, slots=True)
class Content:
    """A content set."""

    id: str
    """Red Hat's content id, or a UUID made here for custom content."""
    label: str
    name: str
    path: str
    """Content path template, for example `/content/dist/rhel9/$releasever/$basearch/os`."""
    type: str = "yum"
    arches: tuple[str, ...] = ()
    enabled: bool = True
    """Whether hosts have it enabled by default."""


@dataclass(frozen=True, slots=True, order=True)
class RepositoryKey:
    """What names a repository in this box."""

    organization: str
    product: str
    label: str

    def __str__(self) -> str:
        return f"{self.organization}/{self.product}/{self.label}"


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where a repository is synchronized from, and how."""

    url: str | None = None
    """http, https or file; None when the repository is only filled by imports."""
    ca: str | None = None
    """Label of a content credential of kind ca-certificate; None means the system's."""
    client_certificate: str | None = None
    """Label of a content credential of kind client-certificate."""
    proxy: str | None = None
    check_metadata: bool = True
    """The signature of repomd.xml must be there and right when the repository has a GPG key.

    Many vendors sign only their packages.
    """
    check_packages: bool = False
    """Check the GPG signature of every package."""


@dataclass(frozen=True, slots=True)
class ImportMark:
    """Which version of the sending box was imported last, so that an older bundle is noticed."""

    box_id: str
    number: int


@dataclass(frozen=True, slots=True)
class Repository:
    """One concrete instance of a content."""

    key: RepositoryKey
    name: str
    content: Content
    path: str
    """Content path with its variables filled in, relative, for example `custom/tools/base`."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Values of `releasever`, `basearch` and the like."""
    gpg_key: str | None = None
    """Label of a content credential."""
    upstream: Upstream = field(default_factory=Upstream)
    latest: int | None = None
    """Number of the newest repository version."""
    imported: ImportMark | None = None


class VersionOrigin(StrEnum):
    """How a repository version came into this box."""

    SYNCHRONIZE = "synchronize"
    IMPORT = "import"


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
    """The URL it was synchronized from, or the id of the bundle it was imported from."""


class FileKind(StrEnum):
    """What a file of a repository version is."""

    PACKAGE = "package"
    METADATA = "metadata"
    KICKSTART = "kickstart"


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
        epoch = f"{self.epoch}:" if self.epoch else ""
        return f"{self.name}-{epoch}{self.version}-{self.release}.{self.arch}"


@dataclass(frozen=True, slots=True)
class RepositoryFile:
    """A file of a repository version."""

    path: str
    """Relative to the repository."""
    size: int
    sha256: str
    kind: FileKind
    package: Package | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change, chained to the entry before it."""

    number: int
    at: datetime
    actor: Actor
    action: str
    """Noun and verb, for example `repository.create`."""
    subject: str
    organization: str | None
    details: Mapping[str, object]
    digest: str
    """SHA-256 over the previous digest and this entry."""


class ImportState(StrEnum):
    """Where a bundle stands on its way in."""

    ARRIVING = "arriving"
    SETTLED = "settled"
    CHECKING = "checking"
    WAITING = "waiting"
    IMPORTING = "importing"
    IMPORTED = "imported"
    REFUSED = "refused"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class ContentImport:
    """One bundle on its way in, or that came in: the inbox and the import history are the same rows."""

    id: int
    path: str
    """Where the bundle lies now; empty once it has been deleted."""
    state: ImportState
    first_seen: datetime
    updated_at: datetime
    inbox: bool
    """Whether it came through the inbox, so that it is archived or quarantined afterwards."""
    organization: str | None = None
    """The organization it goes into, when chosen by folder or command."""
    bundle_id: str | None = None
    source_box: str | None = None
    key_id: str | None = None
    destination: str | None = None
    sequence: int | None = None
    size: int = 0
    files: int = 0
    error_code: str | None = None
    reason: str = ""
    """In words: why it was refused, what it waits for, or that it had been imported before."""
    allow_older: bool = False
    fingerprint: str = ""
    """What the inbox scan last saw of its files (names, sizes, times), so that a restart knows it again."""


class ExportState(StrEnum):
    """Whether the bundle has its final name yet."""

    WRITING = "writing"
    WRITTEN = "written"


@dataclass(frozen=True, slots=True)
class ContentExport:
    """One bundle made here, or being made."""

    id: int
    bundle_id: str
    organization: str
    repositories: tuple[str, ...]
    """`product/repository` labels."""
    destination: str
    sequence: int
    path: str
    created_at: datetime
    files: int
    size: int
    state: ExportState = ExportState.WRITTEN
