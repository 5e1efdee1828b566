"""What moving hosts would mean for them, computed before anything is changed."""

from collections.abc import Sequence
from dataclasses import dataclass

from issbox.errors import InvalidValueError
from issbox.model import Catalogue, HostProfile
from issbox.rules.entitlements import entitlements as rules
from issbox.rules.entitlements.consumers import check_environments
from issbox.rules.entitlements.staleness import Holder, stale
from issbox.workflows.context import Context, Permission


@dataclass(frozen=True, slots=True)
class MovePlan:
    """What a move would do."""

    environments: tuple[str, ...]
    """Where the hosts would be then."""
    hosts: int
    moved: int
    """Hosts that are elsewhere now."""
    stale: int
    """Certificates that would say something else."""
    gained: tuple[str, ...]
    """Labels of contents that some of the hosts would get."""
    lost: tuple[str, ...]
    """Labels of contents that some of the hosts would get no more."""


def plan_move(ctx: Context, organization: str, uuids: Sequence[str], environments: Sequence[str]) -> MovePlan:
    """Say what `consumers.move_consumers` would do; raises what it raises."""
    ctx.require(Permission.CONSUMER_MANAGE, organization)
    labels = check_environments(environments)
    with ctx.store.session():
        for label in labels:
            ctx.store.environments.get(organization, label)
        known = ctx.store.catalogues.get(organization)
        moves: dict[Holder, int] = {}
        moved = 0
        for uuid in uuids:
            present = ctx.store.consumers.get(uuid)
            if present.organization != organization:
                raise InvalidValueError(f"the host {uuid} does not belong to the organization {organization}")
            after = HostProfile(labels, present.profile.arches, present.profile.version)
            if after == present.profile:
                continue
            moved += 1
            for each in ctx.store.entitlements.of(uuid):
                holder = Holder(present.profile, after, each.product)
                moves[holder] = moves.get(holder, 0) + int(each.serial is not None and not each.stale)
        changed = stale(known, known, moves)
        before, then = _labels(known, moves, after=False), _labels(known, moves, after=True)
        return MovePlan(
            environments=labels,
            hosts=len(uuids),
            moved=moved,
            stale=sum(moves[each] for each in changed),
            gained=_different(then, before),
            lost=_different(before, then),
        )


def _labels(known: Catalogue, moves: dict[Holder, int], *, after: bool) -> dict[Holder, frozenset[str]]:
    return {
        each: frozenset(one.label for one in rules.contents(known, each.after if after else each.before, each.scope))
        for each in moves
    }


def _different(here: dict[Holder, frozenset[str]], there: dict[Holder, frozenset[str]]) -> tuple[str, ...]:
    return tuple(sorted({label for each, labels in here.items() for label in labels - there[each]}))
