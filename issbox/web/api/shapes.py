"""JSON objects that several resources answer with, and how they are made of the words of issbox."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from issbox.model import IssuedCertificate, LifecycleEnvironment, Organization, Promotion
from issbox.web.api.answers import Stamp, stamp
from issbox.web.api.routes import Shape

ACCESS_MODE = "org_environment"
"""Simple content access: clients need no subscriptions. What a host may read is decided by its environments."""


class OwnerReference(Shape):
    """The organization that something belongs to."""

    id: str
    key: str
    display_name: str
    href: str
    content_access_mode: str
    anonymous: bool


class Owner(OwnerReference):
    """An organization."""

    content_prefix: str
    content_access_mode_list: str = ACCESS_MODE
    autobind_disabled: bool = True
    default_service_level: str = ""
    log_level: None = None
    parent_owner: None = None
    upstream_consumer: None = None


class EnvironmentContent(Shape):
    """A content that is promoted to an environment."""

    content_id: str
    enabled: bool | None
    """Override of the content's default; null leaves it."""


class Environment(Shape):
    """A lifecycle environment."""

    id: str
    name: str
    label: str
    """What stands in paths; never changes."""
    prior: str | None
    """Label of the environment before it; null for Library."""
    type: str | None
    description: str
    content_prefix: str
    owner: OwnerReference
    environment_content: list[EnvironmentContent]
    created: Stamp | None
    """Null for one that is older than what the box remembers."""
    updated: Stamp | None
    """When what is said here was changed last; promotions do not count."""


class EnvironmentReference(Shape):
    """A lifecycle environment that a host is in."""

    id: str
    name: str
    label: str
    type: str | None


class Serial(Shape):
    """Serial number of a certificate; it may be larger than 2 to the power of 53."""

    id: int
    serial: int
    expiration: Stamp
    created: Stamp
    updated: Stamp
    revoked: bool = False
    collected: bool = False


class Certificate(Shape):
    """A certificate with its key, in PEM."""

    id: str
    key: str
    cert: str
    serial: Serial
    created: Stamp
    updated: Stamp


def owner_reference(organization: Organization) -> OwnerReference:
    """Name an organization."""
    label = organization.label
    return OwnerReference(
        id=label,
        key=label,
        display_name=organization.name,
        href=f"/owners/{label}",
        content_access_mode=ACCESS_MODE,
        anonymous=False,
    )


def owner(organization: Organization) -> Owner:
    """Describe an organization."""
    return Owner(**msgspec.structs.asdict(owner_reference(organization)), content_prefix=organization.content_prefix)


def environment(
    organization: Organization, found: LifecycleEnvironment, content: Sequence[Promotion] = ()
) -> Environment:
    """Describe an environment with what is promoted to it."""
    return Environment(
        **msgspec.structs.asdict(environment_reference(found)),
        prior=found.prior,
        description=found.description,
        content_prefix=found.content_prefix,
        owner=owner_reference(organization),
        environment_content=promoted(content),
        created=stamp_or_none(found.created_at),
        updated=stamp_or_none(found.updated_at),
    )


def environment_reference(found: LifecycleEnvironment) -> EnvironmentReference:
    """Name an environment."""
    return EnvironmentReference(id=found.id, name=found.name, label=found.label, type=found.type or None)


def promoted(content: Sequence[Promotion]) -> list[EnvironmentContent]:
    """Describe what is promoted to an environment: each content once, however many repositories are of it."""
    found = {each.repository.content.id: each.enabled for each in content}
    return [EnvironmentContent(content_id=id_, enabled=enabled) for id_, enabled in sorted(found.items())]


def certificate(issued: IssuedCertificate, key: str) -> Certificate:
    """Describe a certificate."""
    made = stamp(issued.valid.not_before)
    return Certificate(
        id=str(issued.serial), key=key, cert=issued.pem, serial=serial(issued), created=made, updated=made
    )


def serial(issued: IssuedCertificate) -> Serial:
    """Describe a serial number."""
    made = stamp(issued.valid.not_before)
    return Serial(
        id=issued.serial,
        serial=issued.serial,
        expiration=stamp(issued.valid.not_after),
        created=made,
        updated=made,
        revoked=issued.revoked_at is not None,
    )


def stamp_or_none(at: datetime | None) -> Stamp | None:
    """Give a time as Candlepin writes it, or None."""
    return None if at is None else stamp(at)
