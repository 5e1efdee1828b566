"""Contents in environments: how they stand to what there is, and whether hosts have them enabled."""

from issbox.errors import NotFoundError
from issbox.rules.environments.promoted_states import ContentStatus, content_statuses
from issbox.workflows.certificates.following import certificates_follow
from issbox.workflows.context import Context, Permission
from issbox.workflows.environments.promoting import changing_environment


def list_statuses(ctx: Context, organization: str, environment: str) -> list[ContentStatus]:
    """Say how each content stands to an environment, by label, as far as who asks may see; raises NotFoundError."""
    visible = ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        ctx.store.environments.get(organization, environment)
        known = ctx.store.catalogues.get(organization)
        shown = [each.repository.path for each in ctx.store.promotions.list(organization, environment)]
        instances = ctx.store.catalogues.instances(organization)
        found = content_statuses(known, known.stages[environment], instances, shown)
        return [each for each in found if any(product in visible for product in each.products)]


def enable_content(
    ctx: Context, organization: str, environment: str, label: str, *, enabled: bool | None
) -> ContentStatus:
    """Let hosts of an environment have a promoted content enabled or not; None leaves it to the content's default.

    Raises NotFoundError when the environment does not hold it.
    """
    ctx.require(Permission.CONTENT_PROMOTE, organization)
    with ctx.store.session(), changing_environment(ctx, organization, environment):
        found = [each for each in list_statuses(ctx, organization, environment) if each.label == label]
        with ctx.store.transaction(), certificates_follow(ctx, organization):
            changed = sum(
                ctx.store.promotions.enable(organization, environment, each.id, enabled=enabled) for each in found
            )
            if not changed:
                raise NotFoundError(
                    f"the environment {environment} does not hold the content {label}",
                    listed="lifecycle-environment info",
                )
            details: dict[str, object] = {"content": label, "enabled": enabled}
            ctx.audit("content.enable", environment, organization=organization, details=details)
        return next(each for each in list_statuses(ctx, organization, environment) if each.label == label)
