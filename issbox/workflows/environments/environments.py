"""Lifecycle environments: making, showing, changing and deleting them.

Every change is one transaction with its audit entry. In updates, None leaves a value as it is.
"""

from dataclasses import dataclass
from typing import Final

from issbox.errors import InUseError, NotFoundError
from issbox.model import LIBRARY, HostCount, LifecycleEnvironment, Promotion
from issbox.names import check_name, plural
from issbox.rules.changes import with_before
from issbox.rules.environments.environments import (
    check_environment_description,
    check_environment_id,
    check_environment_label,
    check_environment_type,
    check_prefix,
    environment_paths,
)
from issbox.workflows.certificates.following import certificates_follow
from issbox.workflows.certificates.moving import mark_leaving
from issbox.workflows.context import Context, Permission
from issbox.workflows.environments.promoting import changing_environment
from issbox.workflows.hosts.consumers import forget_consumer
from issbox.workflows.hosts.host_keys import delete_key

DELETE_STEPS: Final = ("record-deletion", "clear-links")
"""What deleting one announces, in order."""
_NAMED: Final = 20
"""How many hosts a plan names."""
_NOBODY: Final = HostCount()


@dataclass(frozen=True, slots=True)
class EnvironmentContent:
    """A lifecycle environment with what it holds."""

    environment: LifecycleEnvironment
    content: tuple[Promotion, ...]
    """By content path."""


@dataclass(frozen=True, slots=True)
class EnvironmentDeletion:
    """What goes and what changes with the deletion of a lifecycle environment."""

    environment: LifecycleEnvironment
    content: tuple[Promotion, ...]
    """What it holds; the versions themselves stay in the store."""
    followers: tuple[str, ...]
    """Labels of the environments after it, which then come after the one before it."""
    hosts: HostCount = _NOBODY
    """Hosts in it."""
    stranded: int = 0
    """How many of them are in no other environment: they get nothing then, or are deleted when that is asked."""

    @property
    def harmless(self) -> bool:
        """Whether nothing depends on it."""
        return not (self.content or self.followers or self.hosts.number)


def create_environment(
    ctx: Context,
    *,
    organization: str,
    label: str,
    name: str,
    prior: str,
    description: str = "",
    id_: str = "",
    type_: str = "",
    content_prefix: str = "",
) -> LifecycleEnvironment:
    """Make a lifecycle environment after its prior one; without an id it gets one.

    Raises AlreadyExistsError, NotFoundError, InvalidValueError.
    """
    ctx.require(Permission.ENVIRONMENT_MANAGE, organization)
    check_environment_label(label)
    check_name(name, "lifecycle environment name")
    wanted = LifecycleEnvironment(
        organization,
        label,
        name,
        prior,
        check_environment_description(description),
        id=check_environment_id(id_),
        type=check_environment_type(type_),
        content_prefix=check_prefix(content_prefix),
        created_at=ctx.clock(),
    )
    with ctx.store.session(), ctx.store.transaction():
        environment = ctx.store.environments.create(wanted)
        ctx.audit(
            "lifecycle-environment.create", label, organization=organization, details={"name": name, "prior": prior}
        )
        return environment


def list_environments(ctx: Context, organization: str) -> list[LifecycleEnvironment]:
    """Give the lifecycle environments of an organization, Library first."""
    ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        return list(ctx.store.environments.list(organization))


def list_paths(ctx: Context, organization: str) -> list[list[LifecycleEnvironment]]:
    """Give every way from Library to a last lifecycle environment."""
    return environment_paths(list_environments(ctx, organization))


def get_environment(ctx: Context, organization: str, label: str) -> EnvironmentContent:
    """Give one lifecycle environment with what it holds, as far as who asks may see it; raises NotFoundError."""
    visible = ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        environment = ctx.store.environments.get(organization, label)
        content = ctx.store.promotions.list(organization, label)
        return EnvironmentContent(
            environment, tuple(each for each in content if each.repository.key.product in visible)
        )


def find_environment(ctx: Context, id_: str) -> LifecycleEnvironment:
    """Give the lifecycle environment with this id, of whichever organization.

    Raises NotFoundError, also for one of an organization in which who asks has no role.
    """
    with ctx.store.session():
        found = ctx.store.environments.find(id_)
    missing = NotFoundError(
        f"there is no lifecycle environment with the id {id_!r}", listed="lifecycle-environment list"
    )
    if found is None:
        raise missing
    try:
        ctx.require_some(Permission.CONTENT_READ, found.organization)
    except NotFoundError:  # its message names the organization
        raise missing from None
    return found


def update_environment(
    ctx: Context,
    organization: str,
    label: str,
    *,
    name: str | None = None,
    description: str | None = None,
    serves_as_cdn: bool | None = None,
    type_: str | None = None,
    content_prefix: str | None = None,
) -> LifecycleEnvironment:
    """Change name, description and the like; another content prefix makes the certificates stale that hold paths of it.

    Paths have the label, which never changes: a new name makes nothing stale. Raises NotFoundError, InvalidValueError.
    """
    ctx.require(Permission.ENVIRONMENT_MANAGE, organization)
    if name is not None:
        check_name(name, "lifecycle environment name")
    with ctx.store.session(), ctx.store.transaction():
        before = ctx.store.environments.get(organization, label)
        with certificates_follow(ctx, organization):
            environment = ctx.store.environments.update(
                organization,
                label,
                name=name,
                description=None if description is None else check_environment_description(description),
                serves_as_cdn=serves_as_cdn,
                type_=None if type_ is None else check_environment_type(type_),
                content_prefix=None if content_prefix is None else check_prefix(content_prefix),
                at=ctx.clock(),
            )
        given = {
            "name": name,
            "description": description,
            "serves_as_cdn": serves_as_cdn,
            "type": type_,
            "content_prefix": content_prefix,
        }
        details: dict[str, object] = {field: value for field, value in given.items() if value is not None}
        ctx.audit(
            "lifecycle-environment.update", label, organization=organization, details=with_before(details, before)
        )
        return environment


def plan_deletion(ctx: Context, organization: str, label: str) -> EnvironmentDeletion:
    """Say what goes and what changes with the deletion of a lifecycle environment; raises NotFoundError."""
    ctx.require(Permission.ENVIRONMENT_MANAGE, organization)
    with ctx.store.session():
        environments = ctx.store.environments.list(organization)
        hosts = ctx.store.consumers.list(organization, environment=label, limit=_NAMED)
        return EnvironmentDeletion(
            ctx.store.environments.get(organization, label),
            tuple(ctx.store.promotions.list(organization, label)),
            tuple(each.label for each in environments if each.prior == label),
            HostCount(ctx.store.consumers.count(organization, environment=label), tuple(each.name for each in hosts)),
            ctx.store.consumers.count_only_in(organization, label),
        )


def delete_environment(
    ctx: Context, organization: str, label: str, *, force: bool = False, delete_hosts: bool = False
) -> EnvironmentDeletion:
    """Delete a lifecycle environment and give what went and changed with it.

    Its hosts stay: those in others besides get what these hold, and those in no other get nothing until they are moved,
    never more than before. With `delete_hosts` the latter are deleted. Raises InUseError for Library, and, unless
    forced, for one that holds something, has others after it or has hosts; BusyError, NotFoundError.
    """
    ctx.require(Permission.ENVIRONMENT_MANAGE, organization)
    if delete_hosts:
        ctx.require(Permission.CONSUMER_MANAGE, organization)
    gone: list[str] = []
    with ctx.store.session(), changing_environment(ctx, organization, label):
        ctx.progress.step("record-deletion", label)
        with ctx.store.transaction():
            plan = plan_deletion(ctx, organization, label)
            if not (force or plan.harmless) and label != LIBRARY:
                raise InUseError(_reason(plan), hint="Look at the plan with --dry-run; --force does it all the same.")
            if label != LIBRARY and delete_hosts:
                gone = [forget_consumer(ctx, uuid).uuid for uuid in ctx.store.consumers.only_in(organization, label)]
            if label != LIBRARY:
                mark_leaving(ctx, organization, label)
                ctx.store.consumers.leave_environment(organization, label)
            ctx.store.environments.delete(organization, label)
            ctx.audit(
                "lifecycle-environment.delete",
                label,
                organization=organization,
                details={
                    "name": plan.environment.name,
                    "content": {each.repository.key.short: each.number for each in plan.content},
                    "followers": list(plan.followers),
                    "hosts": plan.hosts.number,
                    "hosts_deleted": plan.stranded if delete_hosts else 0,
                },
            )
        ctx.progress.step("clear-links")
        for uuid in gone:
            delete_key(ctx, uuid)
        ctx.store.trees.clear(organization, label)
        return plan


def _reason(plan: EnvironmentDeletion) -> str:
    reasons = []
    if plan.content:
        reasons.append(f"holds {plural(len(plan.content), 'repository')}")
    if plan.followers:
        reasons.append(f"comes before {', '.join(plan.followers)}")
    if plan.hosts.number:
        reasons.append(f"has {plural(plan.hosts.number, 'host')}, {plan.stranded} of which are in no other")
    return f"the environment {plan.environment.label} {' and '.join(reasons)}"
