"""Promoting content into lifecycle environments: the plan first, then one transaction, then the symlinks.

A plan is made by one of the `plan_` functions, shown, and given to `promote`. Killed before the transaction, nothing
has changed; killed after it, the next start swaps the symlinks.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final

from issbox.errors import NotFoundError
from issbox.files import FileLock
from issbox.model import Held, PromotionRecord, RepositoryKey, ViewVersionName
from issbox.rules.environments import promoting as rules
from issbox.rules.environments.promoting import PromotionPlan
from issbox.workflows.certificates.following import certificates_follow
from issbox.workflows.content.publishing import changing_content, point_environment
from issbox.workflows.context import Context, Permission
from issbox.workflows.environments.promotion_parts import (
    complete,
    described,
    present_content,
    record_promotion,
    refusal_of,
)
from issbox.workflows.newest import newest

STEPS: Final = ("record-promotion", "switch-links")
"""What `promote` announces, in order."""


@contextmanager
def changing_environment(ctx: Context, organization: str, environment: str) -> Iterator[None]:
    """Hold what protects the content of an environment from being changed twice at once; raises BusyError."""
    name = f"environment-{organization}-{environment}"[:240]
    busy = f"the content of the environment {organization}/{environment} is being changed by another process"
    with changing_content(ctx, []), FileLock(ctx.store.locks / f"{name}.lock", busy=busy):
        yield


def plan_view_promotion(
    ctx: Context, organization: str, name: ViewVersionName, environment: str, *, force: bool = False, reason: str = ""
) -> PromotionPlan:
    """Say what changes when a content view version goes into an environment; raises NotFoundError."""
    ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        version = ctx.store.view_versions.get(organization, name)
        name = ViewVersionName(version.view, version.number)
        wanted = [
            Held(pin.repository.key, pin.number, view_version=name, snapshot=described(ctx, pin.repository.key))
            for pin in version.repositories
        ]
        place, held = present_content(ctx, organization, environment)
        plan = rules.plan_promotion(
            ctx.store.environments.list(organization),
            place,
            held,
            wanted,
            subject=str(name),
            where=version.environments,
            force=force,
            reason=reason,
        )
        return complete(ctx, plan, force=force)


def plan_repository_promotion(
    ctx: Context, key: RepositoryKey, number: int, environment: str, *, force: bool = False, reason: str = ""
) -> PromotionPlan:
    """Say what changes when one version of one repository goes into an environment; raises NotFoundError."""
    ctx.require(Permission.CONTENT_READ, key.organization, [key.product])
    with ctx.store.session():
        ctx.store.versions.get(key, number)
        environments = ctx.store.environments.list(key.organization)
        place, held = present_content(ctx, key.organization, environment)
        where = [
            each.label
            for each in environments
            for promotion in ctx.store.promotions.list(key.organization, each.label)
            if (promotion.repository.key, promotion.number) == (key, number)
        ]
        plan = rules.plan_promotion(
            environments,
            place,
            held,
            [Held(key, number, snapshot=described(ctx, key))],
            subject=f"{key.short} version {number}",
            where=where,
            force=force,
            reason=reason,
        )
        return complete(ctx, plan, force=force)


def plan_demotion(
    ctx: Context, organization: str, environment: str, keys: Sequence[RepositoryKey], *, view: str | None = None
) -> PromotionPlan:
    """Say what changes when repositories, and all that a content view brought, leave an environment.

    Raises NotFoundError, also when the content view brought nothing.
    """
    ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        place, held = present_content(ctx, organization, environment)
        brought = [each.key for each in held if each.view_version is not None and each.view_version.view == view]
        if view is not None and not brought:
            raise NotFoundError(
                f"the environment {environment} holds nothing of the content view {organization}/{view}",
                listed="lifecycle-environment info",
            )
        words = [*([f"content view {view}"] if view is not None else []), *(key.source.short for key in keys)]
        gone = dict.fromkeys([*brought, *keys])
        plan = rules.plan_demotion(place, held, list(gone), subject=", ".join(words))
        return complete(ctx, plan)


def plan_undo(ctx: Context, promotion_id: int) -> PromotionPlan:
    """Say what changes when a promotion is taken back; raises NotFoundError."""
    ctx.require_anywhere(Permission.CONTENT_READ)
    with ctx.store.session():
        record = _seen(ctx, ctx.store.promotions.get(promotion_id))
        place, held = present_content(ctx, record.organization, record.environment)
        missing = {each: text for each in record.before if (text := _missing(ctx, each))}
        plan = rules.plan_undo(place, held, record, missing)
        return plan if missing else complete(ctx, plan)


def promote(ctx: Context, plan: PromotionPlan) -> PromotionRecord | None:
    """Do what a plan says and give what the history keeps of it; None when there was nothing to do.

    Raises PromotionRefusedError with every reason of the plan, WrongStateError when the environment has changed since
    the plan was made, BusyError, NotFoundError.
    """
    if plan.products:
        ctx.require(Permission.CONTENT_PROMOTE, plan.organization, plan.products)
    else:
        ctx.require_some(Permission.CONTENT_PROMOTE, plan.organization)
    if plan.refusals:
        raise refusal_of(plan)
    if not plan.changes:
        return None
    with ctx.store.session(), changing_environment(ctx, plan.organization, plan.environment):
        ctx.progress.step("record-promotion", f"{plan.subject} in {plan.environment}")
        with ctx.store.transaction(), certificates_follow(ctx, plan.organization):
            record = record_promotion(ctx, plan)
        ctx.progress.step("switch-links")
        point_environment(ctx, plan.organization, plan.environment)
        return record


def list_promotions(
    ctx: Context, organization: str, environment: str | None = None, limit: int | None = None
) -> list[PromotionRecord]:
    """Give the changes of what environments hold, newest first."""
    ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        history = ctx.store.promotions.history
        return newest(
            lambda before, size: history(organization, environment, size, before=before), partial(_may_see, ctx), limit
        )


def get_promotion(ctx: Context, promotion_id: int) -> PromotionRecord:
    """Give one change of what an environment holds; raises NotFoundError."""
    ctx.require_anywhere(Permission.CONTENT_READ)
    with ctx.store.session():
        return _seen(ctx, ctx.store.promotions.get(promotion_id))


def _may_see(ctx: Context, record: PromotionRecord) -> bool:
    """Tell whether who asks may see every product that a change was about."""
    products = ctx.reach(Permission.CONTENT_READ).products(record.organization)
    return bool(products) and all(held.key.product in products for held in (*record.before, *record.after))


def _seen(ctx: Context, record: PromotionRecord) -> PromotionRecord:
    if not _may_see(ctx, record):
        raise NotFoundError(f"there is no promotion {record.id}", listed="promotion list")
    return record


def _missing(ctx: Context, held: Held) -> str:
    """Say what is no more of something that an environment held; empty when all is there."""
    try:
        ctx.store.versions.get(held.key, held.number)
        if held.view_version is not None:
            ctx.store.view_versions.get(held.key.organization, held.view_version)
    except NotFoundError as error:
        return str(error)
    return ""
