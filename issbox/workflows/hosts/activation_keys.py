"""Activation keys: making, showing, changing and deleting them. In updates, None leaves a value as it is."""

from collections.abc import Sequence
from dataclasses import replace

from issbox.errors import InvalidValueError
from issbox.model import ActivationKey
from issbox.names import check_description
from issbox.rules.entitlements.consumers import check_environments
from issbox.workflows.context import Context, Permission


def create_activation_key(ctx: Context, key: ActivationKey) -> ActivationKey:
    """Make an activation key; raises AlreadyExistsError, NotFoundError, InvalidValueError."""
    ctx.require(Permission.CONSUMER_MANAGE, key.organization)
    key = replace(_checked(key), created_at=ctx.clock())
    with ctx.store.session(), ctx.store.transaction():
        made = ctx.store.activation_keys.create(key)
        ctx.audit("activation-key.create", key.label, organization=key.organization, details=_details(key))
        return made


def list_activation_keys(ctx: Context, organization: str) -> list[ActivationKey]:
    """Give the activation keys of an organization by label."""
    ctx.require(Permission.CONSUMER_MANAGE, organization)
    with ctx.store.session():
        return ctx.store.activation_keys.list(organization)


def get_activation_key(ctx: Context, organization: str, label: str) -> ActivationKey:
    """Give one activation key; raises NotFoundError."""
    ctx.require(Permission.CONSUMER_MANAGE, organization)
    with ctx.store.session():
        return ctx.store.activation_keys.get(organization, label)


def update_activation_key(
    ctx: Context,
    organization: str,
    label: str,
    *,
    description: str | None = None,
    environments: Sequence[str] | None = None,
    products: Sequence[str] | None = None,
    max_hosts: int | None = None,
) -> ActivationKey:
    """Change an activation key; hosts that came by it stay as they are. 0 hosts means any number of them."""
    ctx.require(Permission.CONSUMER_MANAGE, organization)
    with ctx.store.session(), ctx.store.transaction():
        present = ctx.store.activation_keys.get(organization, label)
        wanted = replace(
            present,
            description=present.description if description is None else description,
            environments=present.environments if environments is None else tuple(environments),
            products=present.products if products is None else tuple(products),
            max_hosts=present.max_hosts if max_hosts is None else max_hosts or None,
        )
        wanted = _checked(wanted)
        made = ctx.store.activation_keys.update(wanted)
        ctx.audit("activation-key.update", label, organization=organization, details=_details(wanted))
        return made


def delete_activation_key(ctx: Context, organization: str, label: str) -> ActivationKey:
    """Delete an activation key and give what it was; raises NotFoundError."""
    ctx.require(Permission.CONSUMER_MANAGE, organization)
    with ctx.store.session(), ctx.store.transaction():
        present = ctx.store.activation_keys.get(organization, label)
        ctx.store.activation_keys.delete(organization, label)
        ctx.audit("activation-key.delete", label, organization=organization)
        return present


def _checked(key: ActivationKey) -> ActivationKey:
    """Give a key with each of its products once, sorted; raises InvalidValueError."""
    check_description(key.description, "activation key")
    check_environments(key.environments)
    if key.max_hosts is not None and key.max_hosts < 1:
        raise InvalidValueError(f"a key that lets {key.max_hosts} hosts in is of no use")
    return replace(key, products=tuple(sorted(set(key.products))))


def _details(key: ActivationKey) -> dict[str, object]:
    return {
        "environments": list(key.environments),
        "products": list(key.products),
        "max_hosts": key.max_hosts,
    }
