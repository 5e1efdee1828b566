"""What an entitlement certificate says, whoever signed it, and how long."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum


class CertificateType(StrEnum):
    """How far an entitlement certificate reaches; the values stand in the certificate."""

    BASIC = "Basic"
    """Every content path is named."""
    ORG_LEVEL = "OrgLevel"
    """Everything below the organization or its environments; hosts fetch the list of contents apart from it."""


@dataclass(frozen=True, slots=True)
class Validity:
    """From when until when a certificate is valid, both included, in whole seconds of UTC."""

    not_before: datetime
    not_after: datetime

    def __post_init__(self) -> None:
        for name in ("not_before", "not_after"):
            time: datetime = getattr(self, name)
            object.__setattr__(self, name, time.astimezone(UTC).replace(microsecond=0))
        if self.not_after <= self.not_before:
            raise ValueError(f"a validity must end after it begins: {self.not_before} to {self.not_after}")

    def holds(self, at: datetime) -> bool:
        """Tell whether the time lies within the validity."""
        return self.not_before <= at <= self.not_after

    def within(self, other: "Validity") -> "Validity":
        """Give the part of this validity that lies in the other one; ValueError when there is none."""
        return replace(
            self, not_before=max(self.not_before, other.not_before), not_after=min(self.not_after, other.not_after)
        )


@dataclass(frozen=True, slots=True)
class CertifiedContent:
    """A content as a certificate lists it."""

    id: str
    label: str
    name: str
    path: str
    """Full path such as `/Acme/dev/custom/tools`, from `rules.paths.content_path`, or a whole address."""
    type: str = "yum"
    vendor: str = ""
    gpg_url: str = ""
    """Path or address of the GPG key; clients check no signatures when it is empty."""
    enabled: bool = True
    metadata_expire: int | None = None
    """Seconds."""
    required_tags: tuple[str, ...] = ()
    """Only hosts whose installed products provide all of these tags see the content."""
    arches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CertifiedProduct:
    """A product as a certificate lists it, with the contents that the host may read."""

    id: str
    """Red Hat's engineering product number, or one made here."""
    name: str
    version: str = ""
    architectures: tuple[str, ...] = ()
    brand_type: str = ""
    brand_name: str = ""
    content: tuple[CertifiedContent, ...] = ()


@dataclass(frozen=True, slots=True)
class Subscription:
    """What was bought, as clients show it and as system purpose uses it."""

    name: str
    sku: str = ""
    warning: int = 0
    """Days before the end from which clients warn."""
    sockets: int | None = None
    ram: int | None = None
    """GiB."""
    cores: int | None = None
    management: bool = False
    stacking_id: str = ""
    virt_only: bool = False
    service_level: str = ""
    service_type: str = ""
    usage: str = ""
    roles: tuple[str, ...] = ()
    addons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """The order behind a subscription."""

    number: str = ""
    quantity: int | None = None
    start: datetime | None = None
    end: datetime | None = None
    contract: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class EntitlementPayload:
    """Everything an entitlement certificate tells a client besides who signed it and how long it is valid."""

    subscription: Subscription
    order: Order
    products: tuple[CertifiedProduct, ...] = ()
    consumer: str | None = None
    """UUID of the host. No client needs it; without it, hosts with equal content share payload and signature."""
    quantity: int | None = 1
    pool: str | None = None

    @property
    def content(self) -> tuple[CertifiedContent, ...]:
        """The contents of all products in order, each content id once."""
        return tuple({each.id: each for product in self.products for each in product.content}.values())
