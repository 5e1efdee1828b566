"""Hosts as JSON: what clients send of them, and what they are told."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from issbox.model import Consumer, InstalledProduct, Purpose, PurposeChange
from issbox.web.api import shapes
from issbox.web.api.answers import Stamp, stamp
from issbox.web.api.routes import Shape
from issbox.workflows.content import catalog
from issbox.workflows.context import Context
from issbox.workflows.environments import environments
from issbox.workflows.hosts import consumers
from issbox.workflows.hosts.registering import Told

Line = Annotated[str, msgspec.Meta(max_length=255)]
Fact = str | int | float | bool | None
"""Clients send text; what else JSON has is taken as text, too."""


class EnvironmentName(Shape):
    """Which environment, by id or by name."""

    id: Line | None = None
    name: Line | None = None


class TypeName(Shape):
    """What kind of host."""

    label: Line


class ReleaseVersion(Shape):
    """The release that a host is set to."""

    release_ver: str | None = None


class Installed(Shape):
    """A product that is installed on a host."""

    product_id: Line
    product_name: Line | None = None
    version: Line | None = None
    arch: Line | None = None


class ConsumerBody(Shape):
    """What a client says of a host. In updates, what is missing or null stays as it is."""

    name: Line | None = None
    type: Line | TypeName | None = None
    facts: dict[str, Fact] | None = None
    environments: list[EnvironmentName] | None = None
    installed_products: list[Installed] | None = None
    release_ver: Line | ReleaseVersion | None = None
    service_level: Line | None = None
    role: Line | None = None
    usage: Line | None = None
    add_ons: list[Line] | None = None


class ConsumerType(Shape):
    """What kind of host."""

    id: str
    label: str
    manifest: bool = False


class ConsumerEntry(Shape):
    """A host, in a list."""

    id: str
    uuid: str
    name: str
    type: ConsumerType
    owner: shapes.OwnerReference
    environment: shapes.EnvironmentReference | None
    """The first of its environments."""
    environments: list[shapes.EnvironmentReference] | None
    """The most important first; null when it is in none."""
    release_ver: ReleaseVersion
    service_level: str
    role: str
    usage: str
    add_ons: list[str]
    entitlement_count: int
    entitlement_status: str
    href: str
    created: Stamp
    updated: Stamp
    last_checkin: Stamp | None
    activation_key: str | None
    """Label of the activation key that it registered with."""
    autoheal: bool
    can_activate: bool


class ConsumerAnswer(ConsumerEntry):
    """A host."""

    facts: dict[str, str]
    installed_products: list[Installed]
    id_cert: shapes.Certificate
    content_tags: list[str] = msgspec.field(default_factory=list)
    capabilities: list[str] = msgspec.field(default_factory=list)
    guest_ids: list[str] = msgspec.field(default_factory=list)


def facts_of(body: ConsumerBody) -> dict[str, str] | None:
    """Give facts as text."""
    if body.facts is None:
        return None
    return {name: _fact(value) for name, value in body.facts.items()}


def told(body: ConsumerBody) -> Told:
    """Give what a host tells when it registers."""
    release = release_of(body)
    return Told(release or "", purpose_of(body).of(Purpose()), tuple(installed_of(body) or ()))


def release_of(body: ConsumerBody) -> str | None:
    """Give the release that the body sets, empty for none; None when it says nothing of it."""
    found = body.release_ver
    if isinstance(found, ReleaseVersion):
        return found.release_ver or ""
    return found


def purpose_of(body: ConsumerBody) -> PurposeChange:
    """Give what the body says of the system purpose, which may be nothing."""
    return PurposeChange(
        service_level=body.service_level,
        role=body.role,
        usage=body.usage,
        add_ons=None if body.add_ons is None else tuple(body.add_ons),
    )


def installed_of(body: ConsumerBody) -> Sequence[InstalledProduct] | None:
    """Give installed products; None when the body says nothing of them."""
    if body.installed_products is None:
        return None
    return [
        InstalledProduct(each.product_id, each.product_name or "", each.version or "", each.arch or "")
        for each in body.installed_products
    ]


def entries(ctx: Context, organization: str, found: Sequence[Consumer]) -> list[ConsumerEntry]:
    """Describe hosts of an organization for a list."""
    owner = shapes.owner_reference(catalog.get_organization(ctx, organization))
    places = _places(ctx, organization)
    return [ConsumerEntry(**_common(each, owner, places)) for each in found]


def answer(ctx: Context, consumer: Consumer) -> ConsumerAnswer:
    """Describe a host with its identity certificate, which is a new one when it was due."""
    owner = shapes.owner_reference(catalog.get_organization(ctx, consumer.organization))
    identity = consumers.identity_of(ctx, consumer.uuid)
    return ConsumerAnswer(
        **_common(consumer, owner, _places(ctx, consumer.organization)),
        facts=dict(consumer.facts),
        installed_products=[
            Installed(product_id=each.id, product_name=each.name, version=each.version, arch=each.arch)
            for each in consumer.installed
        ],
        id_cert=shapes.certificate(identity, consumers.read_key(ctx, consumer.uuid)),
    )


def _places(ctx: Context, organization: str) -> dict[str, shapes.EnvironmentReference]:
    known = environments.list_environments(ctx, organization)
    return {each.label: shapes.environment_reference(each) for each in known}


def _common(
    consumer: Consumer,
    owner: shapes.OwnerReference,
    places: dict[str, shapes.EnvironmentReference],
) -> dict[str, Any]:
    inside = [places[label] for label in consumer.environments if label in places]
    created = stamp(consumer.created_at)
    return {
        "id": consumer.uuid,
        "uuid": consumer.uuid,
        "name": consumer.name,
        "type": ConsumerType(id=consumer.type, label=consumer.type),
        "owner": owner,
        "environment": inside[0] if inside else None,
        "environments": inside or None,
        "release_ver": ReleaseVersion(release_ver=consumer.release or None),
        "service_level": consumer.purpose.service_level,
        "role": consumer.purpose.role,
        "usage": consumer.purpose.usage,
        "add_ons": list(consumer.purpose.add_ons),
        "entitlement_count": 0,
        "entitlement_status": "disabled",
        "href": f"/consumers/{consumer.uuid}",
        "created": created,
        "updated": stamp(consumer.updated_at or consumer.created_at),
        "last_checkin": shapes.stamp_or_none(consumer.seen_at),
        "activation_key": consumer.activation_key,
        "autoheal": False,
        "can_activate": False,
    }


def _fact(value: Fact) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
