"""What happened: the audit log, and bundles that came in and went out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from issbox.model.box import Actor
from issbox.model.catalog import ImportMark, RepositoryKey


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


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The end of the audit log as it was when the box signed it."""

    number: int
    """Number of the last entry."""
    digest: str
    """Digest of that entry, which stands for all before it."""
    signed_at: datetime
    key_id: str
    signature: str
    """Ed25519, in hexadecimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which audit entries are meant; None means any."""

    user: str | None = None
    """Who did it: the whole name of the actor."""
    action: str | None = None
    """A whole action such as `repository.create`, or a noun such as `repository`."""
    organizations: tuple[str | None, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Up to, but not including."""


class AuditOrder(StrEnum):
    """By what audit entries are listed."""

    NUMBER = "number"
    ACTOR = "actor"
    ACTION = "action"


@dataclass(frozen=True, slots=True)
class AuditSearch:
    """Which audit entries somebody looks through, and in which order."""

    organizations: tuple[str, ...] | None = None
    """Of which ones; None for the whole log."""
    words: str = ""
    """Each of them occurs somewhere in the entry."""
    order: AuditOrder = AuditOrder.NUMBER
    descending: bool = True


class BundleForm(StrEnum):
    """How a bundle lies on its medium."""

    DIRECTORY = "dir"
    TAR = "tar"
    TGZ = "tgz"
    ISO = "iso"


@dataclass(frozen=True, slots=True)
class ExportedVersion:
    """A repository version that a bundle describes."""

    repository: RepositoryKey
    number: int
    repomd_sha256: str


@dataclass(frozen=True, slots=True)
class VersionChange:
    """What Library held of a repository before an import, and what it holds since."""

    repository: RepositoryKey
    before: int | None
    """None when it did not have the repository."""
    after: int
    mark_before: ImportMark | None = None
    """What had been imported of it last before that."""


class WaitsFor(StrEnum):
    """What a bundle in state waiting waits for."""

    VOLUMES = "volumes"
    BASE = "base"
    APPROVAL = "approval"


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
    ROLLED_BACK = "rolled-back"


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
    form: BundleForm | None = None
    incremental: bool | None = None
    volume: int | None = None
    """Which volume, or chunk of an archive, this is; None for a bundle that is one piece."""
    volumes: int | None = None
    """How many volumes or chunks there are, as far as it is known."""
    waits_for: WaitsFor | None = None
    taken: bool = False
    """Whether the content of this volume is in the store already, invisible until the other volumes are there."""
    made_by: str = ""
    """Who exported the bundle, as its manifest says."""
    approvals: tuple[str, ...] = ()
    """Names of those who approved the import."""
    changes: tuple[VersionChange, ...] = ()
    """What the import changed in Library."""
    copied_files: int = 0
    """Files that this import, or this volume, copied into the store."""
    copied_size: int = 0
    """Their bytes."""
    view_version: str | None = None
    """The content view version that the import brought, for example `servers 3.0`; None when it was here, or none."""

    with_environments: bool = False
    """Whether somebody asked for the lifecycle environments that the bundle may carry."""

    @property
    def is_given_up(self) -> bool:
        """Whether an import by hand ended for a reason that was not the bundle's, and waits for a person."""
        return self.state is ImportState.SETTLED and not self.inbox and self.error_code is not None


class ExportState(StrEnum):
    """Whether the bundle has its final name yet, and whether it is still there."""

    WRITING = "writing"
    WRITTEN = "written"
    STREAMED = "streamed"
    """It went down a pipe and lies nowhere here."""
    PRUNED = "pruned"
    """Deleted by retention; the record stays."""


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
    """Files carried."""
    size: int
    """Bytes of the files carried."""
    state: ExportState = ExportState.WRITTEN
    form: BundleForm = BundleForm.DIRECTORY
    incremental: bool = False
    scope: str = ""
    """In words, for example `library` or `content view base 3.0`."""
    versions: tuple[ExportedVersion, ...] = ()
    """All repository versions that the bundle describes, carried or not."""
    base: Mapping[str, object] | None = None
    """What an incremental bundle starts from, as its manifest says."""
    volumes: tuple[int, ...] = ()
    """Bytes of each volume or chunk."""
    seconds: float = 0.0
    """How long writing took."""
    made_by: str = ""
