"""What a bundle says about itself: the manifest and the lines of its file table, as frozen dataclasses.

`docs/bundle-format.md` describes the same fields byte by byte. Fields that a later format adds are ignored by this
reader and stay in the manifest's bytes, which are kept as they came.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from issbox.model import LIBRARY, Content, CredentialKind, ProductKind

FORMAT = "issbox-bundle"
FORMAT_VERSION = 1
"""The newest format this issbox writes and reads; every older one is read too."""

MANIFEST_NAME = "issbox-bundle.json"
SIGNATURE_NAME = "issbox-bundle.json.sig"
TABLE_NAME = "issbox-files.jsonl"
VOLUME_NAME = "issbox-volume.json"
"""Says which volume of its bundle this is; only in bundles of several volumes, and signed by nothing."""
PARTS_DIRECTORY = "issbox-parts"
"""Where the parts of files lie that are larger than a volume."""
MAX_VOLUMES = 9999


class BundleKind(StrEnum):
    """Whether a bundle carries all files of its repository versions, or only what its base lacks."""

    COMPLETE = "complete"
    INCREMENTAL = "incremental"


class ScopeKind(StrEnum):
    """What was asked for when the bundle was exported."""

    REPOSITORY = "repository"
    PRODUCT = "product"
    LIBRARY = "library"
    LIFECYCLE_ENVIRONMENT = "lifecycle-environment"
    CONTENT_VIEW_VERSION = "content-view-version"


class EntryKind(StrEnum):
    """What a file of a bundle is."""

    PACKAGE = "package"
    METADATA = "metadata"
    KICKSTART = "kickstart"
    LISTING = "listing"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleIdentity:
    """Which bundle this is."""

    id: str
    kind: BundleKind
    created_at: datetime
    destination: str
    """Name of the box or network it is meant for; may be empty."""
    sequence: int
    """1, 2, 3, ... per source box, organization and destination."""
    base: Mapping[str, object] | None = None
    """What an incremental bundle starts from; None for a complete one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What was asked for when the bundle was exported; the repositories say what that came to."""

    kind: ScopeKind
    products: tuple[str, ...] = ()
    """Labels of the products named; empty unless products were."""
    lifecycle_environment: str = LIBRARY
    """Label of the environment whose versions of the repositories these are; empty for a content view version."""
    content_view: str = ""
    """Label; empty unless the scope is a content view version."""
    content_view_name: str = ""
    content_view_version: str = ""
    """For example `3.0`."""
    description: str = ""
    """Of the content view version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleSource:
    """The box that made the bundle."""

    box_id: str
    box_name: str
    key_id: str
    software: str
    made_by: str = ""
    """Name of the user who exported it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestOrganization:
    """The organization the content comes from."""

    label: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestCredential:
    """A GPG key or CA certificate that products and repositories refer to; client certificates are never carried."""

    label: str
    name: str
    kind: CredentialKind
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestProduct:
    """A product of the bundle."""

    label: str
    name: str
    kind: ProductKind
    description: str = ""
    gpg_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestVersion:
    """The repository version carried."""

    number: int
    """Its number in the source box, where it only grows."""
    created_at: datetime
    repomd_sha256: str
    packages: int
    lineage: str = ""
    """Label of the content view whose filters made the version; numbers grow only within one lineage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestRepository:
    """A repository of the bundle."""

    product: str
    label: str
    name: str
    content: Content
    path: str
    """Where its tree lies in the bundle, relative."""
    version: ManifestVersion
    files: int
    size: int
    """Bytes of all files of the version, carried or not."""
    variables: Mapping[str, str] = field(default_factory=dict)
    gpg_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestPromotion:
    """What a lifecycle environment of the source box holds at one path: a repository version, known by its digest."""

    content_label: str
    path: str
    """Of the repository, relative to the environment."""
    repomd_sha256: str
    enabled: bool | None = None
    """Whether hosts there have it enabled, against the default of the content; None leaves that."""
    content_view: str = ""
    """Label of the content view whose version brought it there; empty for a repository promoted by itself."""
    content_view_version: str = ""
    """For example `3.0`; empty with `content_view`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestEnvironment:
    """A lifecycle environment of the source box. Nothing follows from it unless the importing side asks."""

    label: str
    name: str
    prior: str
    """Label of the environment before it: Library, or one that comes earlier in the manifest."""
    description: str = ""
    type: str = ""
    content_prefix: str = ""
    promotions: tuple[ManifestPromotion, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How much the file table lists, and how much of it the bundle carries."""

    count: int
    size: int
    carried_count: int
    carried_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TableReference:
    """The file table, tied to the manifest by its digest."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """One medium or directory of the bundle."""

    number: int
    size: int
    """Bytes of the carried files and parts in it."""
    count: int = 0
    """How many of these it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The signed head of a bundle."""

    format: str
    format_version: int
    bundle: BundleIdentity
    source: BundleSource
    organization: ManifestOrganization
    content_credentials: tuple[ManifestCredential, ...]
    products: tuple[ManifestProduct, ...]
    repositories: tuple[ManifestRepository, ...]
    files: Totals
    table: TableReference
    volumes: tuple[Volume, ...]
    scope: Scope | None = None
    lifecycle_environments: tuple[ManifestEnvironment, ...] = ()
    """All but Library with what they hold, when that was asked for at the export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePart:
    """A piece of a file that is larger than a volume; the pieces of a file follow each other in its bytes."""

    volume: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One line of the file table."""

    path: str
    """Relative to the bundle."""
    size: int
    sha256: str
    kind: EntryKind
    repository: int | None = None
    """Index into the manifest's repositories; None for listing files and documents."""
    volume: int | None = None
    """Number of the volume that carries it whole; None when it is not carried, or in parts."""
    parts: tuple[FilePart, ...] = ()
    """At least two when it is carried in parts."""

    @property
    def carried(self) -> bool:
        """Whether the bundle carries it, whole or in parts."""
        return self.volume is not None or bool(self.parts)


def part_path(path: str, number: int) -> str:
    """Give where part `number` (from 1) of the file at this path lies in its volume: all in one directory."""
    return f"{PARTS_DIRECTORY}/{sha256(path.encode()).hexdigest()}.{number:04d}"
