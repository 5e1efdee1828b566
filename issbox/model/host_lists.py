"""Long lists of hosts and certificates: what is asked for, and what a line of them tells."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from issbox.model.consumers import Consumer, IssuedKind


class HostOrder(StrEnum):
    """By what hosts are listed."""

    NAME = "name"
    SEEN = "seen"
    """When they were seen last; those that never were come before all others."""


@dataclass(frozen=True, slots=True)
class HostFilter:
    """Which hosts of an organization are wanted, and in which order."""

    organization: str
    environment: str | None = None
    """Label of one; empty text for hosts in none, None for all hosts."""
    waiting: bool = False
    """Only hosts with a certificate that is stale or was never issued."""
    search: str = ""
    """Words, each of which occurs in name or activation key, or begins the UUID."""
    order: HostOrder = HostOrder.NAME
    descending: bool = False


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
    """Which certificates of an organization's hosts are wanted, in use and ending within a time, and in which order."""

    organization: str
    after: datetime | None = None
    """They end then or later."""
    before: datetime | None = None
    """They end before it."""
    search: str = ""
    """Words, each of which occurs in the name of the host, or begins its UUID."""
    descending: bool = False
    """Whether those come first that end last."""


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
