"""Plans that are about all that an environment holds: exactly what somebody lists, or what another environment holds.

They are carried out by `promoting.promote`, as every plan.
"""

from collections.abc import Sequence
from dataclasses import replace

from issbox.errors import NotFoundError
from issbox.model import Held, LifecycleEnvironment, RepositoryKey, ViewVersion, ViewVersionName, WantedContent
from issbox.rules.environments import promoting as rules
from issbox.rules.environments.exact_content import plan_exact_content
from issbox.rules.environments.promoting import PromotionPlan
from issbox.workflows.context import Context, Permission
from issbox.workflows.environments.promotion_parts import complete, described, present_content


def plan_content_set(
    ctx: Context,
    organization: str,
    environment: str,
    wanted: Sequence[WantedContent],
    *,
    force: bool = False,
    reason: str = "",
) -> PromotionPlan:
    """Say what changes when an environment is to hold exactly this; raises NotFoundError for the environment.

    What of it there is not is a refusal of the plan. What stands there already at its version stays as hosts are told
    of it: a changed product reaches them by promoting, not by asking for the same again.
    """
    ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        place, held = present_content(ctx, organization, environment)
        found, unknown = _look_up(ctx, organization, wanted, held)
        plan = plan_exact_content(
            ctx.store.environments.list(organization),
            place,
            held,
            found,
            subject=f"exactly {len(wanted)} {'repository' if len(wanted) == 1 else 'repositories'}",
            prior=_held(ctx, place),
            unknown=unknown,
            force=force,
            reason=reason,
        )
        return complete(ctx, plan, force=force)


def plan_everything(
    ctx: Context,
    organization: str,
    source: str,
    environment: str,
    *,
    exactly: bool = False,
    force: bool = False,
    reason: str = "",
) -> PromotionPlan:
    """Say what changes when all that one environment holds goes into another one; raises NotFoundError.

    Hosts there are told of each content as those of the first one are. `exactly` takes out whatever else it holds.
    """
    ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        _, wanted = present_content(ctx, organization, source)
        wanted = [replace(each, enabled=None) for each in wanted]  # an override is its environment's own
        place, held = present_content(ctx, organization, environment)
        environments = ctx.store.environments.list(organization)
        subject = f"everything in {source}"
        if exactly:
            prior = wanted if place.prior == source else _held(ctx, place)
            plan = plan_exact_content(
                environments, place, held, wanted, subject=subject, prior=prior, force=force, reason=reason
            )
        else:
            plan = rules.plan_promotion(
                environments, place, held, wanted, subject=subject, where=[source], force=force, reason=reason
            )
        return complete(ctx, plan, force=force)


def _held(ctx: Context, place: LifecycleEnvironment) -> list[Held]:
    """Give what the environment before this one holds."""
    return [] if place.prior is None else present_content(ctx, place.organization, place.prior)[1]


def _look_up(
    ctx: Context, organization: str, wanted: Sequence[WantedContent], held: Sequence[Held]
) -> tuple[list[Held], list[str]]:
    """Give what there is of the wanted, and in words what there is not."""
    present = {(each.key, each.number): each for each in held}
    views: dict[ViewVersionName, ViewVersion] = {}
    found, unknown = [], []
    for each in wanted:
        try:
            key = _key(ctx, organization, each, views)
            there = present.get((key, each.number))
            snapshot = described(ctx, key) if there is None else there.snapshot
            found.append(Held(key, each.number, each.enabled, each.view_version, snapshot))
        except NotFoundError as error:
            unknown.append(str(error))
    return found, unknown


def _key(
    ctx: Context, organization: str, wanted: WantedContent, views: dict[ViewVersionName, ViewVersion]
) -> RepositoryKey:
    """Give the repository that is wanted, filtered when its content view has filters; raises NotFoundError."""
    source = RepositoryKey(organization, wanted.product, wanted.repository)
    name = wanted.view_version
    if name is None:
        ctx.store.versions.get(source, wanted.number)
        return source
    if name not in views:
        views[name] = ctx.store.view_versions.get(organization, name)
    for pin in views[name].repositories:
        if pin.repository.key.source == source and pin.number == wanted.number:
            return pin.repository.key
    raise NotFoundError(
        f"the content view version {name} has no version {wanted.number} of {source.short}",
        listed="repository versions",
    )
