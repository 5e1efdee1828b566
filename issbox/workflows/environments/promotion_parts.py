"""What every plan of a promotion is put together from, and how it is written down."""

from dataclasses import replace

from issbox.errors import PromotionRefusedError, WrongStateError
from issbox.model import ContentSnapshot, Held, LifecycleEnvironment, PromotionRecord, RepositoryKey
from issbox.rules.content.comparing import ContentDifference
from issbox.rules.environments.promoting import PlannedChange, PromotionPlan
from issbox.workflows.context import Context, Permission
from issbox.workflows.environments.promotion_effects import with_effect


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


def record_promotion(ctx: Context, plan: PromotionPlan) -> PromotionRecord:
    """Let an environment hold what a plan says, with history and audit entry; in a transaction, with its lock held.

    Raises WrongStateError when the environment has changed since the plan was made.
    """
    _, held = present_content(ctx, plan.organization, plan.environment)
    present = {each.key.source: each for each in held}
    if any(present.get(change.key.source) != change.before for change in plan.changes):
        raise WrongStateError(
            f"the environment {plan.environment} has changed since the plan was made",
            hint="Promote again: the plan is made anew.",
        )
    before = [change.before for change in plan.changes if change.before is not None]
    after = [change.after for change in plan.changes if change.after is not None]
    gone = [change.key for change in plan.changes if change.after is None]
    ctx.store.promotions.change(plan.organization, plan.environment, hold_=after, drop=gone)
    ctx.audit(
        f"promotion.{plan.action}",
        f"{plan.environment}: {plan.subject}",
        organization=plan.organization,
        details={
            "reason": plan.reason,
            "changes": {
                change.key.source.short: [_word(change.before), _word(change.after)] for change in plan.changes
            },
        },
    )
    return ctx.store.promotions.record(
        organization=plan.organization,
        environment=plan.environment,
        at=ctx.clock(),
        actor=ctx.actor,
        action=plan.action,
        subject=plan.subject,
        reason=plan.reason,
        before=before,
        after=after,
        undoes=plan.undoes,
    )


def complete(ctx: Context, plan: PromotionPlan, *, force: bool = False) -> PromotionPlan:
    """Add to a plan which packages and advisories come and go, for who may read them, and what it means for hosts."""
    return with_effect(ctx, _with_differences(ctx, plan), force=force)


def _with_differences(ctx: Context, plan: PromotionPlan) -> PromotionPlan:
    if plan.products:
        ctx.require(Permission.CONTENT_READ, plan.organization, plan.products)
    return replace(plan, changes=tuple(replace(change, difference=_compare(ctx, change)) for change in plan.changes))


def _compare(ctx: Context, change: PlannedChange) -> ContentDifference:
    from issbox.workflows.content.comparing import difference

    before, after = change.before, change.after
    return difference(
        ctx,
        change.key if before is None else before.key,
        None if before is None else before.number,
        change.key if after is None else after.key,
        None if after is None else after.number,
    )


def _word(held: Held | None) -> str | None:
    if held is None:
        return None
    return f"{held.number}{f'@{held.key.view}' if held.key.view else ''}"
