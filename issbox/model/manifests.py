"""Subscription manifests: what an organization may have of Red Hat, as a distributor's export says it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from issbox.model.box import Actor
from issbox.model.catalog import Content
from issbox.model.entitlement import Validity


@dataclass(frozen=True, slots=True)
class OfferedContent:
    """A content that a manifest gives to one of its products."""

    content: Content
    vendor: str = ""
    gpg_url: str = ""
    """Where hosts find the key of the packages, usually a file that their system brings along; may be empty."""


@dataclass(frozen=True, slots=True)
class OfferedProduct:
    """A product of a manifest that has contents."""

    number: str
    """Red Hat's engineering product number."""
    name: str
    contents: tuple[OfferedContent, ...] = ()


@dataclass(frozen=True, slots=True)
class Distributor:
    """Whom the manifest was made for, as Red Hat knows it: in the portal it is called the manifest itself."""

    uuid: str
    name: str
    api_url: str = ""
    """Where a newer manifest can be had; empty when it does not say."""
    web_url: str = ""


@dataclass(frozen=True, slots=True)
class ManifestSubscription:
    """One subscription of a manifest."""

    sku: str
    name: str
    quantity: int
    start: datetime | None
    end: datetime | None
    contract: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class SignedExport:
    """The signed part of a manifest and what came with it to check it by."""

    data: bytes = field(repr=False)
    signature: bytes
    """Empty when there is none."""
    certificate: bytes | None = None
    """That of the signer in DER, when the manifest brings it along."""
    algorithm: str = ""
    """As the manifest calls it; empty when it does not say."""


@dataclass(frozen=True, slots=True)
class SubscriptionManifest:
    """What a manifest says, without its certificates and keys."""

    created: datetime
    """When it was exported, to the second."""
    version: str
    """Of the server that made it."""
    cdn_label: str
    """Name of the content delivery network that it is for; may be empty."""
    distributor: Distributor
    products: tuple[OfferedProduct, ...]
    """By number."""
    subscriptions: tuple[ManifestSubscription, ...]
    cdn_url: str = ""
    """Where its content is, when it says so: not at Red Hat's."""
    skipped: int = 0
    """Contents without a path that could be used; they are left out."""


@dataclass(frozen=True, slots=True)
class EntitlementFile:
    """An entitlement certificate of a manifest; certificate and key lie in files of their own."""

    serial: str
    """Decimal digits; may be larger than what JSON readers keep exactly."""
    subject: str
    valid: Validity
    paths: int
    """How many content paths it opens."""


@dataclass(frozen=True, slots=True)
class ManifestRecord:
    """The manifest that an organization has."""

    organization: str
    id: str
    """Names the directory with its certificates and keys."""
    sha256: str
    """Of the file."""
    size: int
    signed_by: str
    """Subject of the authority; empty when the signature was not accepted and the settings let it pass."""
    imported_at: datetime
    imported_by: str
    created: datetime
    version: str
    cdn_label: str
    distributor: Distributor
    subscriptions: tuple[ManifestSubscription, ...]
    certificates: tuple[EntitlementFile, ...]
    identity: bool = False
    """Whether it brought the identity that a newer manifest can be asked for with."""


class ManifestAction(StrEnum):
    """What happened to the manifest of an organization."""

    IMPORT = "import"
    REFRESH = "refresh"
    DELETE = "delete"


class ManifestConflict(StrEnum):
    """What speaks against a manifest and can be overridden by who knows better."""

    OLDER = "older"
    """It was made before the present one."""
    SAME = "same"
    """It was made in the same second as the present one and is another file."""
    DISTRIBUTOR = "distributor"
    """The present one is that of another distributor."""


@dataclass(frozen=True, slots=True)
class ManifestEvent:
    """One entry of the history of an organization's manifests."""

    organization: str
    at: datetime
    actor: Actor
    action: ManifestAction
    distributor: str
    """Its name."""
    distributor_uuid: str
    created: datetime
    sha256: str
    signed_by: str
    products: int
    """Products with contents, after it."""
    contents_in: int
    contents_changed: int
    contents_out: int
    forced: tuple[ManifestConflict, ...] = ()
    notes: tuple[str, ...] = ()
    id: int = field(default=0, compare=False)
