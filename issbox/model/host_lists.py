"""Long lists of hosts and certificates: what is asked for, and what a line of them tells."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from issbox.model.consumers import Consumer, IssuedKind


@dataclass(frozen=True, slots=True)
class HostFilter:
    """Which hosts of an organization are wanted."""

    organization: str
    environment: str | None = None
    """Label of one; empty text for hosts in none, None for all hosts."""
    waiting: bool = False
    """Only hosts with a certificate that is stale or was never issued."""
    search: str = ""
    """Words, each of which occurs in name or activation key, or begins the UUID."""


@dataclass(frozen=True, slots=True)
class HostState:
    """A host, and how its entitlement certificates are."""

    consumer: Consumer
    entitlements: int
    stale: int
    """Certificates that say something else than ones issued now would."""
    missing: int
    """Entitlements without a certificate."""
    ends: datetime | None
    """When the first of the certificates does."""


@dataclass(frozen=True, slots=True)
class HostSummary:
    """How many hosts an organization has, and where."""

    environments: Mapping[str, int]
    """Number of hosts in each environment; a host may be in several."""
    outside: int
    """Hosts in no environment."""
    total: int
    stale: int
    """Certificates that are stale."""


@dataclass(frozen=True, slots=True)
class EndingFilter:
    """Which certificates of an organization's hosts are wanted: those that are in use and end within a time."""

    organization: str
    after: datetime | None = None
    """They end then or later."""
    before: datetime | None = None
    """They end before it."""
    search: str = ""
    """Words, each of which occurs in the name of the host, or begins its UUID."""


@dataclass(frozen=True, slots=True)
class EndingCertificate:
    """A certificate of a host, and when it ends."""

    serial: int
    kind: IssuedKind
    consumer: str
    """UUID."""
    name: str
    """Of the host."""
    ends: datetime
