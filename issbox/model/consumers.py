"""Hosts: who they are, what they are entitled to, and what was issued to them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from issbox.model.entitlement import Validity
from issbox.model.snapshots import HostProfile


@dataclass(frozen=True, slots=True)
class InstalledProduct:
    """A product that a host says is installed on it."""

    id: str
    name: str = ""
    version: str = ""
    arch: str = ""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a host is for (system purpose). Nothing follows from it here."""

    service_level: str = ""
    role: str = ""
    usage: str = ""
    add_ons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeChange:
    """What becomes of a host's system purpose; None leaves a part as it is."""

    service_level: str | None = None
    role: str | None = None
    usage: str | None = None
    add_ons: tuple[str, ...] | None = None

    def of(self, present: Purpose) -> Purpose:
        """Give the purpose after the change."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return replace(present, **given)


@dataclass(frozen=True, slots=True)
class Consumer:
    """A registered host."""

    organization: str
    uuid: str
    name: str
    type: str
    """`system`, `hypervisor` and the like, as the host says."""
    facts: Mapping[str, str]
    profile: HostProfile
    """What follows from facts and environments for its certificates."""
    created_at: datetime
    public_key: str
    """In PEM; the private key lies in a file of its own."""
    seen_at: datetime | None = None
    """When it asked for something last."""
    activation_key: str | None = None
    """Label of the key it registered with."""
    release: str = ""
    """The release that it is set to, which stands for `$releasever` in its paths; empty when it is set to none."""
    purpose: Purpose = Purpose()
    installed: tuple[InstalledProduct, ...] = ()
    updated_at: datetime | None = field(default=None, compare=False)
    """When what is said here was changed last; None when it never was."""

    @property
    def environments(self) -> tuple[str, ...]:
        """Labels of its environments, the most important first."""
        return self.profile.environments


@dataclass(frozen=True, slots=True)
class Entitlement:
    """A host's right to the content of a product, or of all products of its organization."""

    id: str
    """32 hexadecimal digits; the common name of its certificates."""
    consumer: str
    """UUID."""
    product: str | None
    """Label of the product; None means all products, also those to come."""
    stale: bool
    """Whether its certificate says something else than one issued now would."""
    serial: int | None
    """Of its certificate; None before the first one is issued."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An entitlement with all of its host that its certificate depends on."""

    entitlement: Entitlement
    organization: str
    """Label of the host's organization."""
    profile: HostProfile
    public_key: str
    """Of the host, in PEM."""

    @classmethod
    def of(cls, consumer: Consumer, entitlement: Entitlement) -> "Claim":
        """Give what a host claims by an entitlement of it."""
        return cls(entitlement, consumer.organization, consumer.profile, consumer.public_key)


class IssuedKind(StrEnum):
    """What a certificate issued here is for."""

    IDENTITY = "identity"
    ENTITLEMENT = "entitlement"


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """A certificate issued here. Its serial number is never used again."""

    serial: int
    kind: IssuedKind
    consumer: str
    """UUID; the host may be no more."""
    pem: str
    """All its parts."""
    valid: Validity
    digest: str
    """Of what it says; two with the same one differ only in whose they are, and from when until when."""
    entitlement: str | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, order=True)
class ContentOverride:
    """A value that hosts use for a content in place of the one in its certificate."""

    label: str
    """Label of the content, exactly."""
    name: str
    """Key of the repository file, such as `enabled`; upper and lower case are the same."""
    value: str


class OverrideKind(StrEnum):
    """What can have content overrides."""

    CONSUMER = "consumer"
    ENVIRONMENT = "environment"
    ACTIVATION_KEY = "activation-key"


@dataclass(frozen=True, slots=True)
class OverrideHolder:
    """Who has content overrides: a host, or a lifecycle environment or activation key of an organization."""

    kind: OverrideKind
    name: str
    """UUID of a host, label of the others."""
    organization: str = ""
    """Empty for a host, whose UUID says enough."""


@dataclass(frozen=True, slots=True)
class ActivationKey:
    """What hosts may register with in place of a user's password, and what they get then."""

    organization: str
    label: str
    description: str = ""
    environments: tuple[str, ...] = ()
    """The most important first."""
    products: tuple[str, ...] = ()
    """Labels; empty means all products, also those to come."""
    max_hosts: int | None = None
    """How many hosts may be registered with it at the same time; None for any number."""
    created_at: datetime | None = field(default=None, compare=False)
    """Hosts that came before, by another key of this label, do not count; None when nobody knows."""


class RegenerationState(StrEnum):
    """How far a regeneration is."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class RegenerationScope:
    """Whose certificates are to be issued anew: those of all of an organization, unless one of these is named."""

    organization: str
    consumer: str | None = None
    """UUID."""
    environment: str | None = None
    product: str | None = None
    unchanged: bool = False
    """Also those whose content is the same: all get new serial numbers."""

    def __str__(self) -> str:
        words = ((word, getattr(self, word)) for word in ("consumer", "environment", "product"))
        named = " ".join(f"{word} {value}" for word, value in words if value is not None)
        return f"{named or 'all'} of {self.organization}"


@dataclass(frozen=True, slots=True)
class Regeneration:
    """A job that issues certificates anew, host after host."""

    id: int
    scope: RegenerationScope
    state: RegenerationState
    total: int
    """Entitlements to look at, counted at the beginning."""
    done: int = 0
    """Looked at, with those that kept their certificate and those that failed."""
    kept: int = 0
    failed: int = 0
    created_at: datetime | None = None
    last_error: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in {RegenerationState.DONE, RegenerationState.CANCELLED}


@dataclass(frozen=True, slots=True)
class HostCount:
    """How many hosts something is about, and the first of them by name."""

    number: int = 0
    names: tuple[str, ...] = field(default=())
