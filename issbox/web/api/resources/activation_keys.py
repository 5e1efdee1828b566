"""Activation keys: what hosts register with in place of a user, and what they get then."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec

from issbox.errors import NotFoundError
from issbox.model import ActivationKey, ContentOverride, OverrideHolder, OverrideKind
from issbox.names import is_label
from issbox.web.api import shapes
from issbox.web.api.hosts import EnvironmentName
from issbox.web.api.overrides import Override, OverrideName, described, dropped, put
from issbox.web.api.resources.consumers import labels_of
from issbox.web.api.routes import Call, NoQuery, Query, Routes, Shape, Who
from issbox.workflows.content import catalog
from issbox.workflows.context import Permission
from issbox.workflows.environments import environments
from issbox.workflows.hosts import activation_keys, overrides

ROUTES: Final = Routes("activation_keys")
_KEY: Final = "/activation_keys/{activation_key_id}"
_OVERRIDES: Final = f"{_KEY}/content_overrides"
_BETWEEN: Final = ":"
Line = Annotated[str, msgspec.Meta(max_length=255)]
Hosts = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]


class KeyChange(Shape):
    """What changes of an activation key; null keeps."""

    description: Line | None = None
    environments: Annotated[list[EnvironmentName], msgspec.Meta(max_length=100)] | None = None
    """Where hosts go, the most important first; none for no environment."""
    products: Annotated[list[str], msgspec.Meta(max_length=1000)] | None = None
    """Labels of the products that hosts are entitled to; none for all of them, also those to come."""
    max_hosts: Hosts | None = None
    """How many hosts may be registered with it at the same time; 0 for any number."""


class KeyBody(KeyChange, kw_only=True):
    """A new activation key."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    """What hosts give: letters, digits, `-` and `_`; never changes."""


class Key(Shape):
    """An activation key."""

    id: str
    name: str
    description: str
    owner: shapes.OwnerReference
    environments: list[shapes.EnvironmentReference]
    products: list[str]
    max_hosts: int | None
    content_overrides: list[Override]
    auto_attach: bool = False


class ListQuery(Query):
    """Which activation keys."""

    name: str | None = None


@ROUTES.add("GET", "/owners/{owner_key}/activation_keys", who=Who.USER, query=ListQuery, answer=list[Key])
def list_keys_of_owner(call: Call[None, ListQuery]) -> list[Key]:
    """List the activation keys of an organization."""
    found = activation_keys.list_activation_keys(call.ctx, call.path["owner_key"])
    return [_answer(call, each) for each in found if call.query.name in (None, each.label)]


@ROUTES.add("GET", "/activation_keys", who=Who.USER, answer=list[Key])
def list_keys(call: Call[None, NoQuery]) -> list[Key]:
    """List the activation keys of all organizations whose hosts the user manages."""
    reach = call.ctx.reach(Permission.CONSUMER_MANAGE)
    owners = [each.label for each in catalog.list_organizations(call.ctx) if reach.products(each.label).cover(())]
    return [_answer(call, each) for owner in owners for each in activation_keys.list_activation_keys(call.ctx, owner)]


@ROUTES.add("POST", "/owners/{owner_key}/activation_keys", who=Who.USER, body=KeyBody, answer=Key)
def create_key(call: Call[KeyBody, NoQuery]) -> Key:
    """Make an activation key."""
    owner, body = call.path["owner_key"], call.body
    key = ActivationKey(
        owner,
        body.name,
        body.description or "",
        tuple(labels_of(call.ctx, owner, body.environments or [])),
        tuple(sorted(body.products or ())),
        body.max_hosts or None,
    )
    return _answer(call, activation_keys.create_activation_key(call.ctx, key))


@ROUTES.add("GET", _KEY, who=Who.USER, answer=Key)
def get_key(call: Call[None, NoQuery]) -> Key:
    """Show an activation key."""
    return _answer(call, _find(call))


@ROUTES.add("PUT", _KEY, who=Who.USER, body=KeyChange, answer=Key)
def update_key(call: Call[KeyChange, NoQuery]) -> Key:
    """Change an activation key; hosts that came by it stay as they are."""
    found, body = _find(call), call.body
    places = None if body.environments is None else labels_of(call.ctx, found.organization, body.environments)
    made = activation_keys.update_activation_key(
        call.ctx,
        found.organization,
        found.label,
        description=body.description,
        environments=places,
        products=body.products,
        max_hosts=body.max_hosts,
    )
    return _answer(call, made)


@ROUTES.add("DELETE", _KEY, who=Who.USER)
def delete_key(call: Call[None, NoQuery]) -> None:
    """Delete an activation key; hosts that came by it stay."""
    found = _find(call)
    activation_keys.delete_activation_key(call.ctx, found.organization, found.label)


@ROUTES.add("GET", _OVERRIDES, who=Who.USER, answer=list[Override])
def list_key_overrides(call: Call[None, NoQuery]) -> list[Override]:
    """List the content overrides that hosts get when they register with an activation key."""
    return described(overrides.read_overrides(call.ctx, _holder(_find(call))))


@ROUTES.add("PUT", _OVERRIDES, who=Who.USER, body=list[Override], answer=list[Override])
def set_key_overrides(call: Call[list[Override], NoQuery]) -> list[Override]:
    """Set content overrides of an activation key; others stay. When one is not possible, none is set."""
    return described(_override(call, put(call.body), []))


@ROUTES.add("DELETE", _OVERRIDES, who=Who.USER, body=list[OverrideName], body_optional=True, answer=list[Override])
def drop_key_overrides(call: Call[list[OverrideName] | None, NoQuery]) -> list[Override]:
    """Take content overrides of an activation key away: all when none is named, all of a content without a name."""
    return described(_override(call, [], dropped(call.body)))


def _override(
    call: Call[Any, NoQuery], wanted: Sequence[ContentOverride], gone: Sequence[tuple[str | None, str | None]]
) -> Sequence[ContentOverride]:
    return overrides.change_overrides(call.ctx, _holder(_find(call)), put=wanted, drop=gone)


def _holder(key: ActivationKey) -> OverrideHolder:
    return OverrideHolder(OverrideKind.ACTIVATION_KEY, key.label, key.organization)


def _find(call: Call[Any, Any]) -> ActivationKey:
    """Give the key that the path names; raises NotFoundError, also for one of an organization without a role in it."""
    id_ = call.path["activation_key_id"]
    owner, _, label = id_.partition(_BETWEEN)
    missing = NotFoundError(f"there is no activation key {id_[:300]!r}", listed="activation-key list")
    if not (is_label(owner) and is_label(label)):
        raise missing
    try:
        return activation_keys.get_activation_key(call.ctx, owner, label)
    except NotFoundError:
        raise missing from None


def _answer(call: Call[Any, Any], key: ActivationKey) -> Key:
    known = {each.label: each for each in environments.list_environments(call.ctx, key.organization)}
    return Key(
        id=f"{key.organization}{_BETWEEN}{key.label}",
        name=key.label,
        description=key.description,
        owner=shapes.owner_reference(catalog.get_organization(call.ctx, key.organization)),
        environments=[shapes.environment_reference(known[label]) for label in key.environments],
        products=list(key.products),
        max_hosts=key.max_hosts,
        content_overrides=described(overrides.read_overrides(call.ctx, _holder(key))),
    )
