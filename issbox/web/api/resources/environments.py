"""Lifecycle environments: made, changed and deleted by super-admins, or by org-admins where they are handed over."""

from hashlib import sha256
from typing import Annotated, Any, Final

import msgspec

from issbox.errors import InvalidValueError
from issbox.model import LIBRARY, LifecycleEnvironment
from issbox.names import check_name, make_label
from issbox.web.api import shapes
from issbox.web.api.routes import Call, NoQuery, Query, Routes, Shape, Who
from issbox.workflows.content import catalog
from issbox.workflows.environments import environments

ROUTES: Final = Routes("environments")
Line = Annotated[str, msgspec.Meta(max_length=255)]


class EnvironmentBody(Shape):
    """A new lifecycle environment."""

    name: Line
    id: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    """Made when left out; never changes."""
    label: Annotated[str, msgspec.Meta(max_length=128)] | None = None
    """What stands in paths, made from the name when left out; never changes."""
    prior: str | None = None
    """Label of the environment before it; Library when left out."""
    type: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    description: Line | None = None
    content_prefix: Line | None = None
    environment_content: Annotated[list[shapes.EnvironmentContent], msgspec.Meta(max_length=0)] | None = None
    """Content is promoted by a call of its own."""


class EnvironmentChange(Shape):
    """What changes of a lifecycle environment: null keeps, an empty text clears."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=255)] | None = None
    type: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    description: Line | None = None
    content_prefix: Line | None = None


class DeletionQuery(Query):
    """What happens to the hosts of an environment that is deleted."""

    retain_consumers: bool = True
    """Whether hosts that are in no other environment stay, with nothing to read; false deletes them."""


@ROUTES.add("POST", "/owners/{owner_key}/environments", who=Who.USER, body=EnvironmentBody, answer=shapes.Environment)
def create_environment(call: Call[EnvironmentBody, NoQuery]) -> shapes.Environment:
    """Make a lifecycle environment. Its label, which stands in paths, is made from its name unless it is given."""
    body = call.body
    made = environments.create_environment(
        call.ctx,
        organization=call.path["owner_key"],
        label=_label(body),
        name=body.name,
        prior=body.prior or LIBRARY,
        description=body.description or "",
        id_=body.id or "",
        type_=body.type or "",
        content_prefix=body.content_prefix or "",
    )
    return _answer(call, made)


@ROUTES.add("GET", "/environments/{environment_id}", who=Who.USER, answer=shapes.Environment)
def get_environment(call: Call[None, NoQuery]) -> shapes.Environment:
    """Show a lifecycle environment with the contents that are promoted to it."""
    return _answer(call, environments.find_environment(call.ctx, call.path["environment_id"]))


@ROUTES.add("PUT", "/environments/{environment_id}", who=Who.USER, body=EnvironmentChange, answer=shapes.Environment)
def update_environment(call: Call[EnvironmentChange, NoQuery]) -> shapes.Environment:
    """Change name, type, description and content prefix: all that the body names, or nothing.

    Another content prefix makes the certificates stale that hold paths of it.
    """
    found, body = environments.find_environment(call.ctx, call.path["environment_id"]), call.body
    if body.name is not None and not body.name.strip():
        raise InvalidValueError("the name of a lifecycle environment cannot be blank")
    made = environments.update_environment(
        call.ctx,
        found.organization,
        found.label,
        name=body.name,
        description=body.description,
        type_=body.type,
        content_prefix=body.content_prefix,
    )
    return _answer(call, made)


@ROUTES.add("DELETE", "/environments/{environment_id}", who=Who.USER, query=DeletionQuery)
def delete_environment(call: Call[None, DeletionQuery]) -> None:
    """Delete a lifecycle environment with what is promoted to it; those after it follow the one before it.

    Its hosts stay, and those in no other one may read nothing until they are moved: never more than before. With
    retain_consumers=false the latter are deleted, which takes the right to manage hosts as well.
    """
    found = environments.find_environment(call.ctx, call.path["environment_id"])
    environments.delete_environment(
        call.ctx, found.organization, found.label, force=True, delete_hosts=not call.query.retain_consumers
    )


def _label(body: EnvironmentBody) -> str:
    """Give the label of a new environment: made of its name, or of its digest when that has no letter for one."""
    if body.label is not None:
        return body.label
    check_name(body.name, "lifecycle environment name")
    try:
        return make_label(body.name)
    except InvalidValueError:
        return f"environment_{sha256(body.name.encode()).hexdigest()[:8]}"


def _answer(call: Call[Any, Any], found: LifecycleEnvironment) -> shapes.Environment:
    content = environments.get_environment(call.ctx, found.organization, found.label).content
    return shapes.environment(catalog.get_organization(call.ctx, found.organization), found, content)
