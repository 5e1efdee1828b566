"""What a promotion changes in a lifecycle environment: its plan, with every reason against it.

Content goes from Library along the path of its environment, one step at a time. A content view version replaces
exactly what earlier versions of the same view brought to the environment, and whatever stands at the content paths of
its repositories; everything else there stays.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from issbox.model import LIBRARY, Held, HostCount, LifecycleEnvironment, PromotionAction, PromotionRecord, RepositoryKey
from issbox.rules.content.comparing import ContentDifference

_NO_DIFFERENCE: Final = ContentDifference()


class ChangeKind(StrEnum):
    """What happens to one repository of an environment."""

    IN = "in"
    OUT = "out"
    REPLACED = "replaced"
    """Another version, or one that filters changed in place of one they did not."""
    KEPT = "kept"
    """The same version, brought by another content view version, or described to hosts as its content is now."""


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """What happens to one repository of an environment; at least one of both sides is there."""

    before: Held | None
    after: Held | None
    difference: ContentDifference = _NO_DIFFERENCE
    """Packages, advisories and CVEs that come and go with it."""

    @property
    def key(self) -> RepositoryKey:
        """The repository as it will be, or the one that goes."""
        held = self.after or self.before
        assert held is not None, "a change has at least one side"
        return held.key

    @property
    def kind(self) -> ChangeKind:
        """What happens."""
        if self.before is None:
            return ChangeKind.IN
        if self.after is None:
            return ChangeKind.OUT
        same = (self.before.key, self.before.number) == (self.after.key, self.after.number)
        return ChangeKind.KEPT if same else ChangeKind.REPLACED


@dataclass(frozen=True, slots=True)
class PromotionRefusal:
    """One reason against a promotion."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class PromotionEffect:
    """What a promotion means for hosts."""

    hosts: HostCount = field(default_factory=HostCount)
    """Those whose certificates will say something else."""
    certificates: int = 0
    """Certificates that go stale; hosts get others when they ask, or by a regeneration."""
    missing_paths: tuple[str, ...] = ()
    """Paths that those certificates will open and that the environment will not show, relative to it."""
    broken_arches: tuple[str, ...] = ()
    """Content label and architecture of hosts in the environment that will ask for what is not there."""


_NO_EFFECT: Final = PromotionEffect()


@dataclass(frozen=True, slots=True)
class PromotionPlan:
    """What a promotion will do to an environment, or why it may not."""

    organization: str
    environment: str
    action: PromotionAction
    subject: str
    """What is promoted, demoted or undone, in words."""
    reason: str
    """Why it goes out of order; empty when it does not."""
    changes: tuple[PlannedChange, ...]
    """By repository; empty when the environment is so already."""
    notes: tuple[str, ...] = ()
    """What a person should know before agreeing."""
    refusals: tuple[PromotionRefusal, ...] = ()
    undoes: int | None = None
    """Number of the promotion that is taken back."""
    effect: PromotionEffect = _NO_EFFECT
    """What it means for hosts."""

    @property
    def products(self) -> frozenset[str]:
        """Labels of the products whose repositories change."""
        return frozenset(change.key.product for change in self.changes)


def plan_promotion(
    environments: Sequence[LifecycleEnvironment],
    environment: LifecycleEnvironment,
    held: Sequence[Held],
    wanted: Sequence[Held],
    *,
    subject: str,
    where: Sequence[str],
    force: bool = False,
    reason: str = "",
) -> PromotionPlan:
    """Say what changes when these repository versions go into an environment.

    `held` is what it holds now, `where` the environments that hold what is promoted. What was enabled or not there
    stays so, unless what is wanted says otherwise. Out of order only by `force`, which needs a reason.
    """
    refusals = order_refusals(environments, environment, subject, where, force=force, reason=reason)
    present = {each.key.source: each for each in held}
    views = {each.view_version.view for each in wanted if each.view_version is not None}
    after = {each.key.source: as_enabled(each, present.get(each.key.source)) for each in wanted}
    out = {
        key: each
        for key, each in present.items()
        if key not in after and each.view_version is not None and each.view_version.view in views
    }
    changes = [PlannedChange(present.get(key), each) for key, each in after.items() if differ(present.get(key), each)]
    changes += [PlannedChange(each, None) for each in out.values()]
    return PromotionPlan(
        organization=environment.organization,
        environment=environment.label,
        action=PromotionAction.PROMOTE,
        subject=subject,
        reason=reason if force else "",
        changes=sorted_changes(changes),
        notes=notes(changes),
        refusals=tuple(refusals),
    )


def plan_demotion(
    environment: LifecycleEnvironment, held: Sequence[Held], gone: Sequence[RepositoryKey], *, subject: str
) -> PromotionPlan:
    """Say what changes when these repositories leave an environment, whatever version of them it holds."""
    present = {each.key.source: each for each in held}
    refusals = []
    if environment.label == LIBRARY:
        refusals.append(_library("what Library holds is not demoted: it is what was synchronized or imported last"))
    refusals += [
        PromotionRefusal(
            "not-promoted",
            f"the environment {environment.label} does not hold the repository {key.short}",
            "Look at `issbox lifecycle-environment info`.",
        )
        for key in gone
        if key.source not in present
    ]
    changes = [PlannedChange(present[key.source], None) for key in gone if key.source in present]
    return PromotionPlan(
        organization=environment.organization,
        environment=environment.label,
        action=PromotionAction.DEMOTE,
        subject=subject,
        reason="",
        changes=sorted_changes(changes),
        refusals=tuple(refusals),
    )


def plan_undo(
    environment: LifecycleEnvironment,
    held: Sequence[Held],
    record: PromotionRecord,
    missing: Mapping[Held, str],
) -> PromotionPlan:
    """Say what changes when a promotion is taken back.

    `missing` tells, for what would have to come back, what of it is no more. What was enabled or not stays so.
    """
    present = {each.key.source: each for each in held}
    before = {each.key.source: each for each in record.before}
    after = {each.key.source: each for each in record.after}
    refusals = []
    if record.undone_by is not None:
        refusals.append(
            PromotionRefusal(
                "undone-already",
                f"the promotion {record.id} was taken back already, by {record.undone_by}",
                f"To have it again, take back {record.undone_by}.",
            )
        )
    refusals += [
        PromotionRefusal(
            "changed-since",
            f"the repository {key.short} in {environment.label} was changed after the promotion {record.id}",
            "Take later promotions back first, newest first; `issbox promotion list` shows them.",
        )
        for key in sorted(before.keys() | after.keys())
        if _content(present.get(key)) != _content(after.get(key)) and record.undone_by is None
    ]
    refusals += [
        PromotionRefusal("gone-since", text, "Promote what there is instead.") for text in sorted(set(missing.values()))
    ]
    restored = {
        key: replace(each, enabled=present[key].enabled) if key in present else each for key, each in before.items()
    }
    changes = [
        PlannedChange(present.get(key), restored.get(key))
        for key in before.keys() | after.keys()
        if differ(present.get(key), restored.get(key))
    ]
    return PromotionPlan(
        organization=environment.organization,
        environment=environment.label,
        action=PromotionAction.UNDO,
        subject=f"promotion {record.id} ({record.subject})",
        reason="",
        changes=sorted_changes(changes),
        refusals=tuple(refusals),
        undoes=record.id,
    )


def order_refusals(
    environments: Sequence[LifecycleEnvironment],
    environment: LifecycleEnvironment,
    subject: str,
    where: Sequence[str],
    *,
    force: bool,
    reason: str,
) -> list[PromotionRefusal]:
    """Say what stands against bringing something into an environment that is in the environments `where`."""
    if environment.prior is None:
        return [_library("nothing is promoted to Library: it holds what was synchronized or imported last")]
    if environment.prior == LIBRARY or environment.prior in where or environment.label in where:
        return []
    if force:
        if reason.strip():
            return []
        return [
            PromotionRefusal("no-reason", "out of order only with a reason", "Say why with --reason; it is recorded.")
        ]
    prior = next(each for each in environments if each.label == environment.prior)
    named = prior.label if prior.name == prior.label else f"{prior.label} ({prior.name})"
    return [
        PromotionRefusal(
            "out-of-order",
            f"{subject} is not in {named}, which comes before {environment.label}",
            f"Promote it to {environment.prior} first, or give --force with a --reason.",
        )
    ]


def _library(message: str) -> PromotionRefusal:
    return PromotionRefusal("library", message, "Choose an environment after Library.")


def as_enabled(wanted: Held, present: Held | None) -> Held:
    """Give what is wanted, enabled or not as it says, or else as what is there is."""
    if wanted.enabled is not None or present is None:
        return wanted
    return replace(wanted, enabled=present.enabled)


def differ(present: Held | None, wanted: Held | None) -> bool:
    """Tell whether anything differs, what hosts are told of the content included, where that is known."""
    if present is None or wanted is None or present != wanted:
        return present != wanted
    return wanted.snapshot is not None and present.snapshot != wanted.snapshot


def _content(held: Held | None) -> tuple[RepositoryKey, int] | None:
    return None if held is None else (held.key, held.number)


def notes(changes: Iterable[PlannedChange]) -> tuple[str, ...]:
    """Say which repositories that one content view brought are replaced by another's."""
    return tuple(sorted(filter(None, map(_note, changes))))


def _note(change: PlannedChange) -> str:
    """Say when a repository that one content view brought is replaced by another's."""
    before, after = change.before, change.after
    if before is None or after is None or before.view_version is None:
        return ""
    by = None if after.view_version is None else after.view_version.view
    if before.view_version.view == by:
        return ""
    how = "by one promoted alone" if after.view_version is None else f"by that of the content view {after.view_version}"
    return f"{change.key.source.short} of the content view {before.view_version} is replaced {how}"


def sorted_changes(changes: Iterable[PlannedChange]) -> tuple[PlannedChange, ...]:
    """Give changes by repository."""
    return tuple(sorted(changes, key=lambda change: change.key))
