"""`/consumers`: registering, reading, changing, moving and deleting hosts."""

from collections.abc import Sequence
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import msgspec

from issbox.errors import NotFoundError
from issbox.model import Consumer, LifecycleEnvironment
from issbox.web.api import hosts, shapes
from issbox.web.api.answers import Document
from issbox.web.api.bodies import encode
from issbox.web.api.callers import need_user
from issbox.web.api.failures import Refusal
from issbox.web.api.hosts import ConsumerAnswer, ConsumerBody, ConsumerEntry, EnvironmentName
from issbox.web.api.resources import host_files
from issbox.web.api.routes import CONSUMER, Call, NoQuery, Query, Routes, Shape, Who
from issbox.workflows.content import catalog
from issbox.workflows.context import Context, Permission
from issbox.workflows.environments import environments
from issbox.workflows.hosts import consumers, registering
from issbox.workflows.hosts.host_entry import acting_for_host

ROUTES: Final = Routes("consumers")
_MOST_LISTED: Final = 10_000
_PER_PAGE: Final = 100
_SYSTEM: Final = "system"


class RegisterQuery(Query):
    """How a host registers."""

    owner: str | None = None
    activation_keys: str | None = None
    """Labels of activation keys, with commas between them."""


class KeysQuery(Query):
    """What a host registers with besides."""

    activation_keys: str | None = None
    """Labels of activation keys, with commas between them."""


class ListQuery(Query):
    """Which hosts."""

    owner: str | None = None
    environment: str | None = None
    """Id of an environment."""
    name: str | None = None
    page: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    per_page: Annotated[int, msgspec.Meta(ge=1, le=1000)] | None = None


class MoveBody(Shape):
    """Which hosts go into exactly which environments."""

    consumer_uuids: Annotated[list[str], msgspec.Meta(max_length=1000)]
    environment_ids: Annotated[list[str], msgspec.Meta(max_length=10)]
    """The most important first; none takes the hosts out of all."""


@ROUTES.add(
    "POST",
    "/consumers",
    who=Who.ANYONE_OR_USER,
    body=ConsumerBody,
    query=RegisterQuery,
    answer=ConsumerAnswer,
    other_answers=(host_files.TAR,),
)
def register(call: Call[ConsumerBody, RegisterQuery]) -> ConsumerAnswer | Document:
    """Register a host, by a user who manages hosts or by activation keys; with keys, no credentials are needed.

    A user names environments in the body; keys have their own. A client that accepts a tar gets what the files of the
    host are then.
    """
    keys = _labels(call.query.activation_keys)
    if keys:
        return _register_with_keys(call, keys)
    need_user(call.caller)
    owner = _owner(call.ctx, call.query.owner)
    places = labels_of(call.ctx, owner, call.body.environments or [])
    return _register(call, owner, places)


@ROUTES.add(
    "POST",
    "/environments/{environment_ids}/consumers",
    who=Who.USER,
    body=ConsumerBody,
    query=KeysQuery,
    answer=ConsumerAnswer,
    other_answers=(host_files.TAR,),
)
def register_in_environments(call: Call[ConsumerBody, KeysQuery]) -> ConsumerAnswer | Document:
    """Register a host in these environments, whose ids have commas between them, the most important first.

    Activation keys give it products and content overrides; their environments are not looked at.
    """
    found = [environments.find_environment(call.ctx, each) for each in call.path["environment_ids"].split(",")]
    owners = {each.organization for each in found}
    if len(owners) > 1:
        raise Refusal(400, "the environments are not all of one organization")
    _refuse_twice(found)
    return _register(call, owners.pop(), [each.label for each in found], _labels(call.query.activation_keys))


def _register(
    call: Call[ConsumerBody, Any], owner: str, places: Sequence[str], keys: Sequence[str] = ()
) -> ConsumerAnswer | Document:
    made = registering.register(
        call.ctx,
        organization=owner,
        name=_name(call.body),
        facts=hosts.facts_of(call.body) or {},
        environments=places,
        keys=keys,
        type_=_type(call.body),
        told=hosts.told(call.body),
    )
    return _told(call, call.ctx, made)


def _register_with_keys(call: Call[ConsumerBody, RegisterQuery], keys: Sequence[str]) -> ConsumerAnswer | Document:
    if not call.query.owner:
        raise Refusal(400, "activation keys are those of an organization: name it as owner")
    if call.body.environments:
        raise Refusal(400, "activation keys say which environments, so they cannot be named besides")
    made = registering.register_with_keys(
        call.ctx,
        organization=call.query.owner,
        keys=keys,
        name=_name(call.body),
        facts=hosts.facts_of(call.body) or {},
        type_=_type(call.body),
        told=hosts.told(call.body),
    )
    return _told(call, acting_for_host(call.ctx, made.uuid, call.ctx.actor.origin), made)


def _told(call: Call[ConsumerBody, Any], ctx: Context, made: Consumer) -> ConsumerAnswer | Document:
    if host_files.wants_archive(call):
        return host_files.archive(call, ctx, made.uuid)
    return hosts.answer(ctx, made)


@ROUTES.add("GET", "/consumers", who=Who.USER, query=ListQuery, answer=list[ConsumerEntry])
def list_consumers(call: Call[None, ListQuery]) -> Document:
    """List hosts of an organization by name; X-Total-Count says how many there are, Link where the other pages are."""
    return _list(call, _owner(call.ctx, call.query.owner))


@ROUTES.add("GET", "/owners/{owner_key}/consumers", who=Who.USER, query=ListQuery, answer=list[ConsumerEntry])
def list_consumers_of_owner(call: Call[None, ListQuery]) -> Document:
    """List hosts of an organization by name; X-Total-Count says how many there are, Link where the other pages are."""
    return _list(call, call.path["owner_key"])


def _list(call: Call[None, ListQuery], owner: str) -> Document:
    query, place = call.query, None
    if query.environment is not None:
        place = labels_of(call.ctx, owner, [EnvironmentName(id=query.environment)])[0]
    total = consumers.count_consumers(call.ctx, owner, environment=place, name=query.name)
    paged = query.page is not None or query.per_page is not None
    if total > _MOST_LISTED and not paged:
        raise Refusal(400, f"{total} hosts are too many for one answer: ask with page and per_page")
    size = (query.per_page or _PER_PAGE) if paged else _MOST_LISTED
    found = consumers.list_consumers(
        call.ctx, owner, environment=place, name=query.name, limit=size, skip=size * ((query.page or 1) - 1)
    )
    headers = {"X-Total-Count": str(total)} | ({"Link": _links(query, size, total)} if paged else {})
    return Document(encode(hosts.entries(call.ctx, owner, found)), headers=headers)


def _links(query: ListQuery, size: int, total: int) -> str:
    """Give the pages before and after this one as a Link header (RFC 8288), relative to what was asked for."""
    last, page = max(1, -(-total // size)), query.page or 1
    pages = {"first": 1, "prev": min(page - 1, last), "next": page + 1 if page < last else 0, "last": last}
    kept = {"owner": query.owner, "environment": query.environment, "name": query.name}
    told = {name: value for name, value in kept.items() if value is not None}
    return ", ".join(
        f'<?{urlencode(told | {"page": number, "per_page": size})}>; rel="{name}"'
        for name, number in pages.items()
        if number > 0
    )


@ROUTES.add("GET", "/consumers/{consumer_uuid}", who=Who.USER_OR_HOST, answer=ConsumerAnswer)
def get_consumer(call: Call[None, NoQuery]) -> ConsumerAnswer:
    """Show a host with its identity certificate, which is a new one when the old one is about to expire."""
    return hosts.answer(call.ctx, consumers.get_consumer(call.ctx, call.path[CONSUMER]))


@ROUTES.add("GET", "/consumers/{consumer_uuid}/exists", who=Who.USER_OR_HOST)
def consumer_exists(call: Call[None, NoQuery]) -> None:
    """Say whether there is such a host."""
    consumers.get_consumer(call.ctx, call.path[CONSUMER])


@ROUTES.add("GET", "/consumers/{consumer_uuid}/owner", who=Who.USER_OR_HOST, answer=shapes.Owner)
def get_owner_of_consumer(call: Call[None, NoQuery]) -> shapes.Owner:
    """Show the organization of a host."""
    return shapes.owner(
        catalog.get_organization(call.ctx, consumers.get_consumer(call.ctx, call.path[CONSUMER]).organization)
    )


@ROUTES.add("PUT", "/consumers/{consumer_uuid}", who=Who.USER_OR_HOST, body=ConsumerBody)
def update_consumer(call: Call[ConsumerBody, NoQuery]) -> None:
    """Change a host: all that the body names, or nothing. Only a user moves it into other environments."""
    uuid, body = call.path[CONSUMER], call.body
    present = consumers.get_consumer(call.ctx, uuid)
    places = None
    if body.environments is not None:
        places = labels_of(call.ctx, present.organization, body.environments)
        if call.caller.host is not None and tuple(places) != present.environments:
            raise Refusal(403, "a host does not move itself: only a user puts it into other environments")
    consumers.update_consumer(
        call.ctx,
        uuid,
        name=body.name,
        facts=hosts.facts_of(body),
        release=hosts.release_of(body),
        purpose=hosts.purpose_of(body),
        installed=hosts.installed_of(body),
        environments=None if call.caller.host is not None else places,
    )


@ROUTES.add("POST", "/consumers/{consumer_uuid}", who=Who.USER_OR_HOST, answer=ConsumerAnswer)
def regenerate_identity(call: Call[None, NoQuery]) -> ConsumerAnswer:
    """Issue a new identity certificate in place of the old one, which is revoked."""
    uuid = call.path[CONSUMER]
    consumers.identity_of(call.ctx, uuid, renew=True)
    return hosts.answer(call.ctx, consumers.get_consumer(call.ctx, uuid))


@ROUTES.add("DELETE", "/consumers/{consumer_uuid}", who=Who.USER_OR_HOST)
def delete_consumer(call: Call[None, NoQuery]) -> None:
    """Delete a host and revoke everything that was issued to it."""
    consumers.delete_consumer(call.ctx, call.path[CONSUMER])


@ROUTES.add("PUT", "/owners/{owner_key}/consumers/environments", who=Who.USER, body=MoveBody)
def move_consumers(call: Call[MoveBody, NoQuery]) -> None:
    """Put hosts of an organization into exactly these environments, all of them or none."""
    owner = call.path["owner_key"]
    places = labels_of(call.ctx, owner, [EnvironmentName(id=each) for each in call.body.environment_ids])
    consumers.move_consumers(call.ctx, owner, call.body.consumer_uuids, places)


def labels_of(ctx: Context, organization: str, wanted: Sequence[EnvironmentName]) -> list[str]:
    """Give the labels of environments of an organization by id or name; one of another organization is not found.

    Raises NotFoundError, and Refusal with 409 for one that is named twice.
    """
    if not wanted:
        return []
    known = environments.list_environments(ctx, organization)
    found = [_environment(organization, known, each) for each in wanted]
    _refuse_twice(found)
    return [each.label for each in found]


def _environment(
    organization: str, known: Sequence[LifecycleEnvironment], wanted: EnvironmentName
) -> LifecycleEnvironment:
    if wanted.id is None and wanted.name is None:
        raise Refusal(400, "an environment is given by its id or its name")
    if wanted.id is not None:
        fitting = [each for each in known if each.id == wanted.id]
    else:
        fitting = [each for each in known if wanted.name == each.label] or [
            each for each in known if wanted.name == each.name
        ]
    if len(fitting) != 1:
        named = wanted.id if wanted.id is not None else wanted.name
        several = " one" if fitting else ""
        raise NotFoundError(
            f"the organization {organization} has no{several} lifecycle environment {named!r}",
            listed="lifecycle-environment list",
        )
    return fitting[0]


def _refuse_twice(found: Sequence[LifecycleEnvironment]) -> None:
    if len({each.id for each in found}) < len(found):
        raise Refusal(409, "an environment is named twice")


def _owner(ctx: Context, named: str | None) -> str:
    """Give the organization that is named, or the only one in which the user manages hosts."""
    if named:
        return named
    reach = ctx.reach(Permission.CONSUMER_MANAGE)
    mine = [each.label for each in catalog.list_organizations(ctx) if reach.products(each.label).cover(())]
    if len(mine) != 1:
        raise Refusal(400, f"the user manages hosts of {len(mine)} organizations: name one as owner")
    return mine[0]


def _labels(text: str | None) -> list[str]:
    """Give labels that have commas between them."""
    return [each for each in (text or "").split(",") if each]


def _name(body: ConsumerBody) -> str:
    if not body.name:
        raise Refusal(400, "the host has no name")
    return body.name


def _type(body: ConsumerBody) -> str:
    if body.type is None:
        return _SYSTEM
    return body.type if isinstance(body.type, str) else body.type.label
