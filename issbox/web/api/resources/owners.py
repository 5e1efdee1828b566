"""`/owners` and `/users`: organizations, and in which of them a user may register hosts."""

from typing import Final

from issbox.errors import NotFoundError
from issbox.web.api import shapes
from issbox.web.api.callers import need_user
from issbox.web.api.routes import Call, NoQuery, Query, Routes, Shape, Who
from issbox.workflows.content import catalog
from issbox.workflows.context import Permission
from issbox.workflows.environments import environments

ROUTES: Final = Routes("owners")


class EnvironmentQuery(Query):
    """Which environments."""

    name: str | None = None
    type: list[str] | None = None
    list_all: bool = False
    """Also those that have a type."""


class SystemPurpose(Shape):
    """What hosts may be for."""

    owner: shapes.OwnerReference
    system_purpose_attributes: dict[str, list[str]]


@ROUTES.add("GET", "/owners", who=Who.USER, answer=list[shapes.Owner])
def list_owners(call: Call[None, NoQuery]) -> list[shapes.Owner]:
    """List the organizations in which the user has a role."""
    return [shapes.owner(each) for each in catalog.list_organizations(call.ctx)]


@ROUTES.add("GET", "/owners/{owner_key}", who=Who.USER, answer=shapes.Owner)
def get_owner(call: Call[None, NoQuery]) -> shapes.Owner:
    """Show an organization."""
    return shapes.owner(catalog.get_organization(call.ctx, call.path["owner_key"]))


@ROUTES.add("GET", "/users/{username}/owners", who=Who.USER, answer=list[shapes.Owner])
def list_owners_of_user(call: Call[None, NoQuery]) -> list[shapes.Owner]:
    """List the organizations in which the user who asks may register hosts."""
    name = call.path["username"]
    if need_user(call.caller) != name:
        raise NotFoundError(f"there is no user {name}, or it is not the one who asks", listed="user list")
    reach = call.ctx.reach(Permission.CONSUMER_MANAGE)
    return [shapes.owner(each) for each in catalog.list_organizations(call.ctx) if reach.products(each.label).cover(())]


@ROUTES.add(
    "GET", "/owners/{owner_key}/environments", who=Who.USER, query=EnvironmentQuery, answer=list[shapes.Environment]
)
def list_environments(call: Call[None, EnvironmentQuery]) -> list[shapes.Environment]:
    """List lifecycle environments. Those that have a type are left out unless it is asked for, or `list_all` is."""
    organization = catalog.get_organization(call.ctx, call.path["owner_key"])
    query = call.query
    types = {each.lower() for each in query.type or ()}
    found = []
    for each in environments.list_environments(call.ctx, organization.label):
        wanted = query.list_all or (each.type in types if types else not each.type)
        if wanted and query.name in (None, each.name, each.label):
            content = environments.get_environment(call.ctx, organization.label, each.label).content
            found.append(shapes.environment(organization, each, content))
    return found


@ROUTES.add("GET", "/owners/{owner_key}/servicelevels", who=Who.USER, answer=list[str])
def list_service_levels(call: Call[None, NoQuery]) -> list[str]:
    """List service levels: none, since nothing follows from them here."""
    catalog.get_organization(call.ctx, call.path["owner_key"])
    return []


@ROUTES.add("GET", "/owners/{owner_key}/system_purpose", who=Who.USER, answer=SystemPurpose)
def get_system_purpose(call: Call[None, NoQuery]) -> SystemPurpose:
    """List what hosts may be for: nothing in particular, so that clients take any value."""
    organization = catalog.get_organization(call.ctx, call.path["owner_key"])
    return SystemPurpose(owner=shapes.owner_reference(organization), system_purpose_attributes={})
