"""Compliance and entitlements as a server with simple content access answers: no host lacks a subscription."""

from typing import Any, Final

import msgspec

from issbox.model import Entitlement
from issbox.web.api import shapes
from issbox.web.api.answers import Stamp, stamp
from issbox.web.api.routes import CONSUMER, Call, NoQuery, Routes, Shape, Who
from issbox.workflows.certificates import certificates
from issbox.workflows.hosts import consumers

ROUTES: Final = Routes("entitlements")
_DISABLED: Final = "disabled"


class Compliance(Shape):
    """Whether a host lacks a subscription."""

    status: str
    date: Stamp
    compliant: bool
    reasons: list[str] = msgspec.field(default_factory=list)
    compliant_products: dict[str, Any] = msgspec.field(default_factory=dict)
    non_compliant_products: list[str] = msgspec.field(default_factory=list)
    partially_compliant_products: dict[str, Any] = msgspec.field(default_factory=dict)


class PurposeCompliance(Shape):
    """Whether what a host is for fits its subscriptions."""

    status: str
    date: Stamp
    compliant: bool
    reasons: list[str] = msgspec.field(default_factory=list)


class Pool(Shape):
    """What an entitlement is to."""

    id: str
    product_id: str | None
    """Label of a product; null for all of them."""


class EntitlementAnswer(Shape):
    """A right to the content of a product."""

    id: str
    quantity: int
    pool: Pool
    certificates: list[shapes.Serial]
    """Serial numbers only; the certificates are below the host."""


@ROUTES.add("GET", "/consumers/{consumer_uuid}/compliance", who=Who.USER_OR_HOST, answer=Compliance)
def get_compliance(call: Call[None, NoQuery]) -> Compliance:
    """Say that a host lacks nothing: with simple content access there is nothing to comply with."""
    consumers.get_consumer(call.ctx, call.path[CONSUMER])
    return Compliance(status=_DISABLED, date=stamp(call.ctx.clock()), compliant=True)


@ROUTES.add("GET", "/consumers/{consumer_uuid}/purpose_compliance", who=Who.USER_OR_HOST, answer=PurposeCompliance)
def get_purpose_compliance(call: Call[None, NoQuery]) -> PurposeCompliance:
    """Say that the purpose of a host fits: with simple content access there is nothing to comply with."""
    consumers.get_consumer(call.ctx, call.path[CONSUMER])
    return PurposeCompliance(status=_DISABLED, date=stamp(call.ctx.clock()), compliant=True)


@ROUTES.add("GET", "/consumers/{consumer_uuid}/entitlements", who=Who.USER_OR_HOST, answer=list[EntitlementAnswer])
def list_entitlements(call: Call[None, NoQuery]) -> list[EntitlementAnswer]:
    """List the entitlements of a host that have a certificate, as it should be now."""
    found = certificates.certificates_of(call.ctx, call.path[CONSUMER])
    return [_entitlement(each.entitlement, shapes.serial(each.certificate)) for each in found]


def _entitlement(found: Entitlement, serial: shapes.Serial) -> EntitlementAnswer:
    pool = Pool(id=found.product or "all", product_id=found.product)
    return EntitlementAnswer(id=found.id, quantity=1, pool=pool, certificates=[serial])
