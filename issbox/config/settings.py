"""What the rest of issbox sees of the configuration: frozen settings, every path absolute."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from issbox.rules.serving import Site


class AfterImport(StrEnum):
    """What happens to a bundle of the inbox once it has been imported."""

    ARCHIVE = "archive"
    DELETE = "delete"
    KEEP = "keep"


class UnsignedKatello(StrEnum):
    """What happens to exports of a Katello, which cannot be signed."""

    REFUSE = "refuse"
    APPROVE = "approve"
    """A person has to say that one may be imported."""
    ACCEPT = "accept"
    """Whoever can put one into the inbox is trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxSettings:
    """Where bundles arrive and what happens to them."""

    path: Path
    polling: bool
    """Look at the directory again and again instead of waiting for the kernel's events, as NFS and SMB need it."""
    poll_interval_seconds: float
    quiet_for_seconds: float
    """How long a bundle must not change before it counts as copied."""
    incomplete_after_seconds: float
    """How long an incomplete bundle may stay quiet before it is refused."""
    rescan_seconds: float
    after_import: AfterImport
    archive_path: Path
    quarantine_path: Path
    max_bundle_size: int
    """Bytes; 0 means no limit."""
    max_files: int
    approvals: int
    """How many different people have to approve a bundle before it is imported."""
    scan_command: tuple[str, ...]
    """A program with its arguments that looks at what a bundle brings; empty for none."""
    scan_timeout_seconds: float
    forget_after_days: int
    """How long a bundle waits for its other volumes, for its base or for an approval before it is refused."""
    accept_unsigned_katello: UnsignedKatello
    with_lifecycle_environments: bool
    """Whether the lifecycle environments that bundles carry are taken over with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSettings:
    """Where bundles are written, and how long they are kept there."""

    path: Path
    layout: str
    """Template of the directories below the path, for example `{organization}/{destination}`; empty for none."""
    keep: int
    """How many bundles are kept for each destination of an organization; 0 for no such rule."""
    keep_days: int
    """How many days bundles are kept; 0 for no such rule."""
    keep_until_acknowledged: bool
    """Whether nothing is deleted that no receipt has acknowledged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SynchronizeSettings:
    """How upstream repositories are read."""

    downloads: int
    """Files fetched at once from one repository."""
    retries: int
    timeout_seconds: float
    proxy: str | None
    """For repositories without a proxy of their own."""
    max_metadata_size: int
    """Bytes that one uncompressed metadata file may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """How hosts are served."""

    listen: tuple[tuple[str, int], ...]
    """Addresses and ports of the server; none means that there is no server."""
    names: tuple[str, ...]
    """What hosts call this box; none means what the system calls itself."""
    certificate: Path | None
    """The site's own certificate of the server, with the chain; None means one of the box's authority."""
    certificate_key: Path | None
    verify_depth: int
    """Authorities between a host's certificate and a trusted one."""
    sites: tuple[Site, ...]
    socket: Path | None
    """Where a web server in front of this one asks; None means nowhere."""
    socket_group: str
    processes: int
    """How many processes serve hosts."""
    max_connections: int
    """Of all of them together."""
    idle_seconds: float
    """How long a connection may wait for its next request, and for its first."""
    send_seconds: float
    """How long a client may take for one block of what it asked for."""
    metrics_from: tuple[IPv4Network | IPv6Network, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionSettings:
    """How much history repositories keep."""

    keep: int
    """Newest versions kept of each repository, besides those in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettings:
    """How long what is known of jobs is kept."""

    keep_days: int
    """After their end; the newest job stays for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSettings:
    """What counts as trouble."""

    low_space: int
    """Bytes free for the store below which it has little space."""
    waiting_days: int
    certificate_days: int
    """How long before its end a certificate is told of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookSettings:
    """Who is told of events."""

    command: tuple[str, ...]
    """A program and its arguments; empty means none."""
    mail_to: str
    events: tuple[str, ...]
    timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateSettings:
    """How the box's authority and the certificates of hosts are made."""

    passphrase_file: Path
    """Holds the passphrase of the authority's key."""
    authority_key: str
    """Kind of the authority's key, as `certs.keys` names kinds."""
    host_key: str
    """Kind of the keys of hosts."""
    authority_days: int
    identity_days: int
    entitlement_days: int
    renew_days: int
    """A host's certificate is replaced when fewer days are left of it."""
    revocation_list_days: int
    """For how long a revocation list is good."""
    content_url: str
    """Where hosts without subscription-manager find content paths; empty when nobody has said."""


class UnsignedManifest(StrEnum):
    """What happens to subscription manifests that no known authority signed."""

    REFUSE = "refuse"
    ACCEPT = "accept"
    """They are taken with a warning: whoever may import one is trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestSettings:
    """How subscription manifests are checked, and where newer ones come from."""

    unsigned: UnsignedManifest
    ca_file: Path | None
    """Certificates of the authorities that sign manifests."""
    portal_ca_file: Path | None
    """Certificates of the authorities that the portal's server is known by; None means those of the system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """What the service writes into its log."""

    level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be configured."""

    state_dir: Path
    database_url: str | None
    """PostgreSQL URL; None means SQLite in the state directory."""
    inbox: InboxSettings
    export: ExportSettings
    synchronize: SynchronizeSettings
    web: WebSettings
    versions: VersionSettings
    jobs: JobSettings
    health: HealthSettings
    hooks: HookSettings
    certificates: CertificateSettings
    manifests: ManifestSettings
    log: LogSettings
    source: Path | None
    """The file that was read; None when there is none."""
