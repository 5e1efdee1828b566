"""What every plan of a promotion is put together from: what is there, and what a change means."""

from dataclasses import replace

from issbox.errors import PromotionRefusedError
from issbox.model import ContentSnapshot, Held, LifecycleEnvironment, RepositoryKey
from issbox.rules.comparing import ContentDifference
from issbox.rules.promoting import PlannedChange, PromotionPlan
from issbox.workflows.comparing import difference
from issbox.workflows.context import Context, Permission
from issbox.workflows.promotion_effects import with_effect


def described(ctx: Context, key: RepositoryKey) -> ContentSnapshot:
    """Give the content of a repository as it is now; raises NotFoundError."""
    return ctx.store.catalogues.described(key)


def present_content(ctx: Context, organization: str, environment: str) -> tuple[LifecycleEnvironment, list[Held]]:
    """Give an environment and what it holds now; raises NotFoundError."""
    place = ctx.store.environments.get(organization, environment)
    return place, [each.held for each in ctx.store.promotions.list(organization, environment)]


def refusal_of(plan: PromotionPlan) -> PromotionRefusedError:
    """Put all refusals of a plan into one error with every reason and every hint."""
    return PromotionRefusedError(
        "; ".join(each.message for each in plan.refusals),
        hint=" ".join(dict.fromkeys(each.hint for each in plan.refusals)),
    )


def complete(ctx: Context, plan: PromotionPlan, *, force: bool = False) -> PromotionPlan:
    """Add to a plan which packages and advisories come and go, for who may read them, and what it means for hosts."""
    return with_effect(ctx, _with_differences(ctx, plan), force=force)


def _with_differences(ctx: Context, plan: PromotionPlan) -> PromotionPlan:
    if plan.products:
        ctx.require(Permission.CONTENT_READ, plan.organization, plan.products)
    return replace(plan, changes=tuple(replace(change, difference=_compare(ctx, change)) for change in plan.changes))


def _compare(ctx: Context, change: PlannedChange) -> ContentDifference:
    before, after = change.before, change.after
    return difference(
        ctx,
        change.key if before is None else before.key,
        None if before is None else before.number,
        change.key if after is None else after.key,
        None if after is None else after.number,
    )
