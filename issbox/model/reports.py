"""Verification reports: what was checked of a bundle when it was imported, and what came of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

REPORT_FORMAT = "issbox-import-report"
REPORT_FORMAT_VERSION = 1


class ReportCheck(StrEnum):
    """What was checked; an import that fails one of these has no report."""

    SIGNATURE = "signature"
    """The manifest is signed by a key that this box trusts."""
    CHUNKS = "chunks"
    """Each chunk of the archive has the size and SHA-256 of the signed table of contents."""
    FILE_TABLE = "file-table"
    """The file table has the size and SHA-256 of the signed manifest, and every line of it keeps every rule."""
    FILES = "files"
    """Every file has the size and SHA-256 of the file table: those copied now, and those that were here already."""
    REPODATA = "repodata"
    """repomd.xml is the one that the manifest names, and the repodata lists exactly the packages that are there."""
    OWN_CHECKSUMS = "own-checksums"
    """Every file of a Katello export has the checksum that the export itself gives; nobody has signed these."""
    SCAN = "scan"
    """The scanner of the site was shown every file that was copied now, and refused none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportBox:
    """The box that imported, and signs the report."""

    id: str
    name: str
    key_id: str
    software: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSource:
    """Where the bundle comes from, as it says itself."""

    box_id: str
    box_name: str
    key_id: str
    """Of the key that signed it; empty when nobody did."""
    trusted_as: str
    """Name of that key among the trusted keys."""
    software: str
    made_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportVolume:
    """A volume as it came in; a bundle in one piece, or in chunks, is one volume."""

    number: int
    import_id: int
    path: str
    """Where it lay."""
    first_seen: datetime
    copied_files: int
    copied_size: int
    """Bytes copied into the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFiles:
    """Files and bytes: of all repositories, of what the bundle carries, and of what was copied."""

    listed: int
    listed_size: int
    carried: int
    carried_size: int
    copied: int
    copied_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRepository:
    """A repository of the bundle, as Library holds it since."""

    product: str
    label: str
    path: str
    before: int | None
    """Number of the version that Library held before; None when it held none."""
    after: int
    packages: int
    files: int
    size: int
    repomd_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPromotion:
    """What became of what an environment of the other side holds."""

    path: str
    """Of the repository."""
    content_label: str
    repomd_sha256: str
    """Of the repository version."""
    change: str
    """`in`, `replaced`, `kept`, or `missing` when that version is not here."""
    version: int | None
    """Its number here; None when it is not here."""
    content_view_version: str
    """Content view and number that it was promoted as a part of; empty when by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportEnvironment:
    """A lifecycle environment that was taken over from the bundle."""

    label: str
    change: str
    """`new`, `changed` or `kept`."""
    promotions: tuple[ReportPromotion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """The whole report. It is kept as JSON, byte for byte as it was written with the import."""

    format: str
    format_version: int
    import_id: int
    imported_at: datetime
    imported_by: str
    imported_from: str
    """The client's address, `local`, or `serve` for the service."""
    approved_by: tuple[str, ...]
    box: ReportBox
    organization: str
    bundle_id: str
    kind: str
    form: str
    """`dir`, `tar`, `tgz`, `iso`, or `katello`."""
    created_at: datetime
    destination: str
    sequence: int
    source: ReportSource
    manifest_sha256: str
    """Of the manifest's bytes; empty for an export of a Katello."""
    checks: tuple[ReportCheck, ...]
    volumes: tuple[ReportVolume, ...]
    files: ReportFiles
    repositories: tuple[ReportRepository, ...]
    lifecycle_environments: tuple[ReportEnvironment, ...] = ()
    """Those that were taken over with it; empty when nobody asked for them."""
    note: str
