"""What happened: the audit log, and bundles that came in and went out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from issbox.model.box import Actor


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
