"""What the lifecycle environments that a bundle carries change here, when the receiving side asks for them.

Environments are made or updated by label, and a repository version is promoted where it is here. Nothing is taken away:
an environment that the bundle does not name, and whatever else one holds that it names, stays as it is.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from issbox.manifest import ManifestEnvironment, ManifestPromotion
from issbox.model import Held, LifecycleEnvironment, PromotionAction, RepositoryKey, ViewVersionName
from issbox.rules.bundles.importing import Refusal
from issbox.rules.environments.promoting import PlannedChange, PromotionPlan

Known = Mapping[tuple[str, str, str], Sequence[tuple[RepositoryKey, int | None]]]
"""Repository versions by label of their content, path and digest, the one to take first; of one that only comes with
the bundle, the number is not known yet."""

Pinned = Mapping[ViewVersionName, Collection[tuple[RepositoryKey, int]]]
"""What content view versions that are here pin."""


class EnvironmentFate(StrEnum):
    """What becomes of an environment."""

    NEW = "new"
    CHANGED = "changed"
    KEPT = "kept"


class PromotionFate(StrEnum):
    """What becomes of what an environment of the other side holds."""

    IN = "in"
    REPLACED = "replaced"
    """Another version, or the same one from another content view version, or another word on whether hosts have it
    enabled."""
    KEPT = "kept"
    MISSING = "missing"
    """The repository version is not here, so that nothing changes."""


@dataclass(frozen=True, slots=True)
class CarriedEnvironment:
    """What becomes of one environment."""

    before: LifecycleEnvironment | None
    after: LifecycleEnvironment

    @property
    def fate(self) -> EnvironmentFate:
        """What happens."""
        if self.before is None:
            return EnvironmentFate.NEW
        return EnvironmentFate.KEPT if self.before == self.after else EnvironmentFate.CHANGED


@dataclass(frozen=True, slots=True)
class CarriedPromotion:
    """What becomes of one promotion."""

    environment: str
    promotion: ManifestPromotion
    before: Held | None = None
    """What the environment holds at this path now; None for nothing, and while the repository version is missing."""
    key: RepositoryKey | None = None
    """None while the repository version is missing."""
    number: int | None = None
    """None while the repository version is missing, or still comes with the bundle."""
    view_version: ViewVersionName | None = None
    """The content view version that it is part of here then; None for a repository by itself."""

    def __str__(self) -> str:
        now = "nothing" if self.before is None else f"version {self.before.number}"
        then = "the version in the bundle" if self.number is None else f"version {self.number}"
        enabled = {True: ", enabled", False: ", disabled", None: ""}[self.promotion.enabled]
        words = {
            PromotionFate.IN: f"{then}{enabled}",
            PromotionFate.REPLACED: f"{now} -> {then}{enabled}",
            PromotionFate.KEPT: f"{now} as it is",
            PromotionFate.MISSING: "that version is not here, so nothing changes",
        }
        return f"{self.promotion.path}: {words[self.fate]}"

    @property
    def fate(self) -> PromotionFate:
        """What happens."""
        if self.key is None:
            return PromotionFate.MISSING
        if self.before is None:
            return PromotionFate.IN
        same = self.before == Held(self.key, self.number or 0, self.promotion.enabled, self.view_version)
        return PromotionFate.KEPT if same else PromotionFate.REPLACED


@dataclass(frozen=True, slots=True)
class EnvironmentsPlan:
    """What the environments of a bundle change in an organization."""

    organization: str
    environments: tuple[CarriedEnvironment, ...] = ()
    """Each after its prior one."""
    promotions: tuple[CarriedPromotion, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()
    """What a person should know before agreeing."""

    def lines(self) -> list[str]:
        """Say it for people: each environment with what it would hold, what stands against it, and the notes."""
        said = []
        for each in self.environments:
            said.append(f"{each.after.label} after {each.after.prior}: {each.fate}")
            said.extend(f"  {one}" for one in self.promotions if one.environment == each.after.label)
        return [*said, *(each.message for each in self.refusals), *self.notes]

    def promotion_plans(self, subject: str) -> list[PromotionPlan]:
        """Give the plan of each environment whose content changes; every repository version has to be here by then."""
        plans = []
        for each in self.environments:
            label = each.after.label
            changes = [
                PlannedChange(promotion.before, _after(promotion))
                for promotion in self.promotions
                if promotion.environment == label and promotion.fate in {PromotionFate.IN, PromotionFate.REPLACED}
            ]
            if changes:
                plans.append(
                    PromotionPlan(
                        self.organization, label, PromotionAction.PROMOTE, subject, "carried by it", tuple(changes)
                    )
                )
        return plans


def plan_environments(
    organization: str,
    carried: Sequence[ManifestEnvironment],
    present: Sequence[LifecycleEnvironment],
    held: Mapping[str, Sequence[Held]],
    known: Known,
    *,
    pinned: Pinned,
) -> EnvironmentsPlan:
    """Say what changes in an organization with these environments, which hold this by label.

    What an environment comes after here stays so, as do its id and whether it serves as a CDN: that is this side's.
    """
    here = {each.label: each for each in present}
    folded = {label.casefold(): label for label in here}
    environments, promotions, refusals, notes = [], list[CarriedPromotion](), [], []
    for each in carried:
        other = folded.get(each.label.casefold(), each.label)
        if other != each.label:
            refusals.append(
                Refusal(
                    "environment-clash",
                    f"the bundle's lifecycle environment {each.label} differs only in case from {other}, which is here",
                    "Import it without the lifecycle environments.",
                )
            )
            continue
        before = here.get(each.label)
        environments.append(CarriedEnvironment(before, _environment(organization, each, before)))
        if before is not None and before.prior != each.prior:
            notes.append(f"{each.label} comes after {before.prior} here and after {each.prior} there: that stays so")
        promotions += [_promotion(each.label, one, held.get(each.label, ()), known, pinned) for one in each.promotions]
    return EnvironmentsPlan(organization, tuple(environments), tuple(promotions), tuple(refusals), tuple(notes))


def _environment(
    organization: str, carried: ManifestEnvironment, before: LifecycleEnvironment | None
) -> LifecycleEnvironment:
    present = LifecycleEnvironment(organization, carried.label, carried.name, carried.prior)
    return replace(
        before or present,
        name=carried.name,
        description=carried.description,
        type=carried.type.lower(),
        content_prefix=carried.content_prefix,
    )


def _promotion(
    environment: str, promotion: ManifestPromotion, held: Sequence[Held], known: Known, pinned: Pinned
) -> CarriedPromotion:
    found = known.get((promotion.content_label, promotion.path, promotion.repomd_sha256), ())
    if not found:
        return CarriedPromotion(environment, promotion)
    present = {(each.key, each.number): each for each in held}
    view_version = view_version_of(promotion)
    pins = () if view_version is None else pinned.get(view_version, ())
    of_view = next((each for each in found if each in pins), None)
    key, number = of_view or next((each for each in found if each in present), found[0])
    before = next((each for each in held if each.key.source == key.source), None)
    if of_view is None:  # what is promoted here already stays part of what it is part of here
        view_version = None if before is None or (before.key, before.number) != (key, number) else before.view_version
    return CarriedPromotion(environment, promotion, before, key, number, view_version)


def view_version_of(promotion: ManifestPromotion) -> ViewVersionName | None:
    """Give the content view version that a carried promotion names, or None."""
    return ViewVersionName(promotion.content_view, promotion.content_view_version) if promotion.content_view else None


def _after(carried: CarriedPromotion) -> Held:
    """Give what the environment holds then; what only its override changes is described to hosts as before."""
    key, number, before = carried.key, carried.number, carried.before
    assert key is not None, "only what is here is promoted"
    assert number is not None, "it is in the store by then"
    enabled = carried.promotion.enabled
    if before is not None and (before.key, before.number) == (key, number):
        return replace(before, enabled=enabled, view_version=carried.view_version)
    return Held(key, number, enabled, carried.view_version)
