"""Entitlements of hosts: giving them, showing them, and taking them away."""

from collections.abc import Sequence
from uuid import uuid4

from issbox.model import Entitlement
from issbox.workflows.context import Context, Permission
from issbox.workflows.hosts.consumers import get_consumer


def entitle(ctx: Context, uuid: str, product: str | None) -> Entitlement:
    """Entitle a host to a product, or to all of them; one that it has already stays. Raises NotFoundError.

    Its certificate is issued when the host asks for it.
    """
    consumer = get_consumer(ctx, uuid)
    ctx.require(Permission.CONSUMER_MANAGE, consumer.organization)
    with ctx.store.session(), ctx.store.transaction():
        made = ctx.store.entitlements.create(uuid4().hex, uuid, product, consumer.organization)
        details: dict[str, object] = {"product": product, "host": consumer.name}
        ctx.audit("entitlement.create", uuid, organization=consumer.organization, details=details)
        return made


def list_entitlements(ctx: Context, uuid: str) -> Sequence[Entitlement]:
    """Give the entitlements of a host; raises NotFoundError, ConsumerDeletedError."""
    get_consumer(ctx, uuid)
    with ctx.store.session():
        return ctx.store.entitlements.of(uuid)


def disentitle(ctx: Context, entitlement: str) -> Entitlement:
    """Take an entitlement away, revoke its certificate, and give what it was; raises NotFoundError."""
    ctx.require_anywhere(Permission.CONSUMER_MANAGE)
    with ctx.store.session(), ctx.store.transaction():
        present = ctx.store.entitlements.get(entitlement)
        consumer = get_consumer(ctx, present.consumer)
        ctx.require(Permission.CONSUMER_MANAGE, consumer.organization)
        if present.serial is not None:
            ctx.store.certificates.revoke([present.serial], ctx.clock())
        ctx.store.entitlements.delete(entitlement)
        details: dict[str, object] = {"product": present.product, "host": consumer.name}
        ctx.audit("entitlement.delete", present.consumer, organization=consumer.organization, details=details)
        return present
