"""Making an environment hold exactly what is asked for: whatever else it holds leaves.

Asking twice is asking once: what stands there already is no change.
"""

from collections.abc import Collection, Mapping, Sequence

from issbox.model import Held, LifecycleEnvironment, PromotionAction
from issbox.rules.environments.promoting import (
    PlannedChange,
    PromotionPlan,
    PromotionRefusal,
    as_enabled,
    differ,
    notes,
    order_refusals,
    sorted_changes,
)


def plan_exact_content(
    environments: Sequence[LifecycleEnvironment],
    environment: LifecycleEnvironment,
    held: Sequence[Held],
    wanted: Sequence[Held],
    *,
    subject: str,
    prior: Sequence[Held],
    unknown: Collection[str] = (),
    force: bool = False,
    reason: str = "",
) -> PromotionPlan:
    """Say what changes when an environment is to hold these repository versions and nothing else.

    `held` is what it holds now, `prior` what the environment before it holds; what is in neither is out of order, which
    takes `force` and a reason. `unknown` says what of the wanted there is not. What was enabled or not stays so, unless
    what is wanted says otherwise.
    """
    present = {each.key.source: each for each in held}
    after = {each.key.source: as_enabled(each, present.get(each.key.source)) for each in wanted}
    changes = [PlannedChange(present.get(key), each) for key, each in after.items() if differ(present.get(key), each)]
    changes += [PlannedChange(each, None) for key, each in present.items() if key not in after]
    refusals = [
        PromotionRefusal("unknown", text, "`issbox repository versions` shows what there is.") for text in unknown
    ]
    refusals += _twice(wanted)
    places = {environment.label: held, environment.prior: prior}
    asked = [(f"{each.key.short} version {each.number}", _holders(each, places)) for each in wanted]
    for name, where in asked or [(subject, [environment.label])]:
        refusals += order_refusals(environments, environment, name, where, force=force, reason=reason)
    return PromotionPlan(
        organization=environment.organization,
        environment=environment.label,
        action=PromotionAction.SET,
        subject=subject,
        reason=reason if force else "",
        changes=sorted_changes(changes),
        notes=notes(changes),
        refusals=tuple(dict.fromkeys(refusals)),
    )


def _holders(wanted: Held, places: Mapping[str | None, Sequence[Held]]) -> list[str]:
    """Give the environments that hold this version."""
    name = (wanted.key, wanted.number)
    return [
        label
        for label, held in places.items()
        if label is not None and any((each.key, each.number) == name for each in held)
    ]


def _twice(wanted: Sequence[Held]) -> list[PromotionRefusal]:
    """Refuse two versions at one content path."""
    first: dict[object, Held] = {}
    found = []
    for each in wanted:
        other = first.setdefault(each.key.source, each)
        if other is not each:
            text = f"{each.key.source.short} is asked for twice: {_words(other)}, and {_words(each)}"
            found.append(PromotionRefusal("twice", text, "An environment holds one version of a repository."))
    return found


def _words(held: Held) -> str:
    by = "" if held.view_version is None else f" of {held.view_version}"
    return f"version {held.number}{by}"
