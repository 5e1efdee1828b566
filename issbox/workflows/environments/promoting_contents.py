"""Promoting contents by their ids, as programs do that know no repositories and versions: the plans, for `promote`.

A content goes into an environment with all of its repositories that the environment before it holds, at the versions
that they have there.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from issbox.errors import AlreadyExistsError, NotFoundError
from issbox.model import LIBRARY, Held, LifecycleEnvironment
from issbox.names import first_of
from issbox.rules.environments import promoting as rules
from issbox.rules.environments.exact_content import plan_exact_content
from issbox.rules.environments.promoting import PromotionPlan, PromotionRefusal
from issbox.workflows.context import Context, Permission
from issbox.workflows.environments.promotion_parts import complete, described, present_content

Contents = Mapping[str, bool | None]
"""Ids of contents, and whether hosts are to have each enabled; None leaves that as it is."""


def plan_contents_in(
    ctx: Context, organization: str, environment: str, contents: Contents, *, force: bool = False, reason: str = ""
) -> PromotionPlan:
    """Say what changes when contents go into an environment that holds none of them.

    Raises NotFoundError for a content that there is not, AlreadyExistsError for one that it holds already.
    """
    ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        place, held = present_content(ctx, organization, environment)
        _check_known(ctx, organization, contents, held)
        there = sorted(contents.keys() & ids(held))
        if there:
            raise AlreadyExistsError(
                f"{environment} holds the content {', '.join(there)} already; nothing was promoted",
                hint="Leave it out, or say exactly what the environment is to hold.",
            )
        found = _from_before(ctx, place, contents, force=force)
        plan = rules.plan_promotion(
            ctx.store.environments.list(organization),
            place,
            held,
            found.wanted,
            subject=_subject(contents),
            where=found.where,
            force=force,
            reason=reason,
        )
        return complete(ctx, replace(plan, refusals=plan.refusals + found.refusals), force=force)


def plan_contents_out(ctx: Context, organization: str, environment: str, contents: Collection[str]) -> PromotionPlan:
    """Say what changes when contents leave an environment; raises NotFoundError for one that it does not hold.

    What is of products that who asks may not see counts as not held.
    """
    visible = ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        place, held = present_content(ctx, organization, environment)
        lacking = sorted(set(contents) - ids([each for each in held if each.key.product in visible]))
        if lacking:
            raise NotFoundError(
                f"{environment} does not hold the content {', '.join(lacking)}; nothing was demoted",
                hint="Leave it out, or say exactly what the environment is to hold.",
            )
        gone = [each.key for each in held if each.snapshot is not None and each.snapshot.id in contents]
        return complete(ctx, rules.plan_demotion(place, held, gone, subject=_subject(contents)))


def plan_contents_exactly(
    ctx: Context,
    organization: str,
    environment: str,
    contents: Contents,
    *,
    newest: bool = False,
    force: bool = False,
    reason: str = "",
) -> PromotionPlan:
    """Say what changes when an environment is to hold exactly these contents.

    What it holds already stays at its version; with `newest` it gets the one of the environment before it. Raises
    NotFoundError for a content that there is not.
    """
    ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        place, held = present_content(ctx, organization, environment)
        _check_known(ctx, organization, contents, held)
        kept = {} if newest else {id_: contents[id_] for id_ in contents.keys() & ids(held)}
        stays = [
            replace(each, enabled=each.enabled if kept[each.snapshot.id] is None else kept[each.snapshot.id])
            for each in held
            if each.snapshot is not None and each.snapshot.id in kept
        ]
        fresh = {id_: enabled for id_, enabled in contents.items() if id_ not in kept}
        found = _from_before(ctx, place, fresh, force=force)
        plan = plan_exact_content(
            ctx.store.environments.list(organization),
            place,
            held,
            [*stays, *found.wanted],
            subject=f"exactly {_subject(contents)}" if contents else "nothing",
            prior=[] if place.prior is None else present_content(ctx, organization, place.prior)[1],
            force=force,
            reason=reason,
        )
        return complete(ctx, replace(plan, refusals=plan.refusals + found.refusals), force=force)


def ids(held: Sequence[Held]) -> set[str]:
    """Give the ids of the contents of what an environment holds."""
    return {each.snapshot.id for each in held if each.snapshot is not None}


def _check_known(ctx: Context, organization: str, contents: Contents, held: Sequence[Held]) -> None:
    """Refuse contents that there are not, or that are of products which who asks may not see."""
    visible = ctx.reach(Permission.CONTENT_READ).products(organization)
    offers = ctx.store.catalogues.get(organization).products.values()
    known = {each for offer in offers if offer.label in visible for each in offer.content}
    lacking = sorted(contents.keys() - known - ids([each for each in held if each.key.product in visible]))
    if lacking:
        raise NotFoundError(
            f"the organization {organization} has no content {', '.join(lacking)}", listed="content status"
        )


@dataclass(frozen=True, slots=True)
class _Found:
    """What there is of contents in the environment before."""

    wanted: list[Held]
    where: list[str]
    """Environments that hold all of it."""
    refusals: tuple[PromotionRefusal, ...] = ()
    """One for each content of which there is nothing."""


def _from_before(ctx: Context, place: LifecycleEnvironment, contents: Contents, *, force: bool) -> _Found:
    """Find the repositories of contents as the environment before holds them; out of order, also those of Library."""
    if place.prior is None:
        return _Found([], [])
    taken = _of_contents(ctx, place, place.prior, contents)
    where = [place.prior]
    lacking = contents.keys() - ids(taken)
    if lacking and force:
        taken += _of_contents(ctx, place, LIBRARY, lacking)
        where, lacking = [LIBRARY], contents.keys() - ids(taken)
    refusals = [
        PromotionRefusal(
            "not-before",
            f"{place.prior}, which comes before {place.label}, holds nothing of the content {each}",
            "Synchronize or import it, or promote it there, first.",
        )
        for each in sorted(lacking)
    ]
    return _Found([_anew(ctx, each, contents) for each in taken], where, tuple(refusals))


def _of_contents(ctx: Context, place: LifecycleEnvironment, label: str, contents: Collection[str]) -> list[Held]:
    _, held = present_content(ctx, place.organization, label)
    return [each for each in held if each.snapshot is not None and each.snapshot.id in contents]


def _anew(ctx: Context, held: Held, contents: Contents) -> Held:
    """Give what is held as hosts are told of it once it is promoted: as its content is now, if it is still that one."""
    present, told = described(ctx, held.key), held.snapshot
    snapshot = present if told is None or told.id == present.id else told
    return replace(held, snapshot=snapshot, enabled=contents.get(snapshot.id))


def _subject(contents: Collection[str]) -> str:
    return f"content {first_of(sorted(contents), 3)}"
