"""Lifecycle environments: making, showing, changing and deleting them.

Every change is one transaction with its audit entry. In updates, None leaves a value as it is.
"""

from dataclasses import dataclass

from issbox.errors import InUseError
from issbox.model import LIBRARY, LifecycleEnvironment, Promotion
from issbox.names import check_name
from issbox.rules.changes import with_before
from issbox.rules.environments import check_environment_label, environment_paths
from issbox.workflows.context import Context, Permission
from issbox.workflows.promoting import changing_environment


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

    @property
    def harmless(self) -> bool:
        """Whether nothing depends on it."""
        return not self.content and not self.followers


def create_environment(
    ctx: Context, *, organization: str, label: str, name: str, prior: str, description: str = ""
) -> LifecycleEnvironment:
    """Make a lifecycle environment after its prior one; raises AlreadyExistsError, NotFoundError, InvalidValueError."""
    ctx.require(Permission.ENVIRONMENT_MANAGE, organization)
    check_environment_label(label)
    check_name(name, "lifecycle environment name")
    with ctx.store.session(), ctx.store.transaction():
        environment = ctx.store.environments.create(LifecycleEnvironment(organization, label, name, prior, description))
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


def update_environment(
    ctx: Context,
    organization: str,
    label: str,
    *,
    name: str | None = None,
    description: str | None = None,
    serves_as_cdn: bool | None = None,
) -> LifecycleEnvironment:
    """Change name, description and whether an environment stands in for a CDN; raises NotFoundError."""
    ctx.require(Permission.ENVIRONMENT_MANAGE, organization)
    if name is not None:
        check_name(name, "lifecycle environment name")
    with ctx.store.session(), ctx.store.transaction():
        before = ctx.store.environments.get(organization, label)
        environment = ctx.store.environments.update(
            organization, label, name=name, description=description, serves_as_cdn=serves_as_cdn
        )
        given = {"name": name, "description": description, "serves_as_cdn": serves_as_cdn}
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
        return EnvironmentDeletion(
            ctx.store.environments.get(organization, label),
            tuple(ctx.store.promotions.list(organization, label)),
            tuple(each.label for each in environments if each.prior == label),
        )


def delete_environment(ctx: Context, organization: str, label: str, *, force: bool = False) -> EnvironmentDeletion:
    """Delete a lifecycle environment and give what went and changed with it.

    Raises InUseError for Library, and, unless forced, for one that holds something or has others after it;
    BusyError, NotFoundError.
    """
    ctx.require(Permission.ENVIRONMENT_MANAGE, organization)
    with ctx.store.session(), changing_environment(ctx, organization, label):
        with ctx.store.transaction():
            plan = plan_deletion(ctx, organization, label)
            if not (force or plan.harmless) and label != LIBRARY:
                raise InUseError(_reason(plan), hint="Look at the plan with --dry-run; --force does it all the same.")
            ctx.store.environments.delete(organization, label)
            ctx.audit(
                "lifecycle-environment.delete",
                label,
                organization=organization,
                details={
                    "name": plan.environment.name,
                    "content": {each.repository.key.short: each.number for each in plan.content},
                    "followers": list(plan.followers),
                },
            )
        ctx.store.trees.clear(organization, label)
        return plan


def _reason(plan: EnvironmentDeletion) -> str:
    reasons = []
    if plan.content:
        reasons.append(f"holds {len(plan.content)} repositories")
    if plan.followers:
        reasons.append(f"comes before {', '.join(plan.followers)}")
    return f"the environment {plan.environment.label} {' and '.join(reasons)}"
