"""What a promotion plan means for hosts, looked up: whose certificates change, and what they will not find."""

from dataclasses import replace
from typing import Final

from issbox.model import PromotionAction
from issbox.rules.entitlements.staleness import stale
from issbox.rules.environments.promoting import PromotionEffect, PromotionPlan, PromotionRefusal
from issbox.rules.environments.promotion_effects import broken_arches, catalogue_after, held_after, missing_paths
from issbox.workflows.context import Context

_BRINGING: Final = (PromotionAction.PROMOTE, PromotionAction.SET)


def with_effect(ctx: Context, plan: PromotionPlan, *, force: bool = False) -> PromotionPlan:
    """Add to a plan what it means for hosts; processors that would be left out are a refusal.

    Unless it is forced with a reason. Nothing is computed for single hosts, only counted. Call it inside a session.
    """
    if not plan.changes:
        return plan
    organization, environment = plan.organization, plan.environment
    present = ctx.store.promotions.list(organization, environment)
    held = held_after([each.held for each in present], plan.changes)
    known = ctx.store.catalogues.get(organization)
    after = catalogue_after(known, environment, held)
    holders = ctx.store.entitlements.holders(organization)
    hosts, certificates = ctx.store.entitlements.count_held(organization, stale(known, after, holders))
    repositories = {each.key: each for each in ctx.store.repositories.list(organization)}
    shown = [repositories[each.key.source].path for each in held if each.key.source in repositories]
    changed = [each for each in held if any(change.key.source == each.key.source for change in plan.changes)]
    broken = broken_arches(after, environment, held, repositories, {each.after for each in holders})
    effect = PromotionEffect(
        hosts=hosts,
        certificates=certificates,
        missing_paths=missing_paths(changed, ctx.store.catalogues.instances(organization), shown),
        broken_arches=broken,
    )
    refusals = plan.refusals
    if broken and plan.action in _BRINGING and not (force and plan.reason.strip()):
        refusals += (
            PromotionRefusal(
                "arch-missing",
                f"hosts in {environment} would be told of content that is not there for them: {'; '.join(broken)}",
                "Promote the repositories of these architectures too, or give --force with a --reason.",
            ),
        )
    return replace(plan, effect=effect, refusals=refusals)
