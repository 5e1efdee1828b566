"""What goes stale: from a change and the holders of entitlements to those whose certificate says another thing.

Everything that can happen is one kind of change: the organization's catalogue before and after it, and the profiles of
hosts before and after it. Only contents that the change touches are looked at, and of each only what the holder sees
of it, so a change in an environment that a more important one hides makes nothing stale.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from issbox.model import Catalogue, HostProfile, PromotedContent
from issbox.rules.entitlements.entitlements import entry, is_organization_wide, organization_paths

T = TypeVar("T")


@dataclass(frozen=True, slots=True, order=True)
class Holder:
    """Whoever holds an entitlement; all hosts with the same profiles and scope are one."""

    before: HostProfile
    after: HostProfile
    """The same, unless the change is about the hosts."""
    scope: str | None
    """Label of the product, or None for all products."""

    @classmethod
    def staying(cls, profile: HostProfile, scope: str | None) -> "Holder":
        """Give a holder that the change leaves as it is."""
        return cls(profile, profile, scope)


def stale(before: Catalogue, after: Catalogue, holders: Iterable[Holder]) -> frozenset[Holder]:
    """Give the holders whose certificates say something else after the change than before it."""
    touched = touched_contents(before, after)
    return frozenset(holder for holder in holders if _differs(before, after, holder, touched))


def touched_contents(before: Catalogue, after: Catalogue) -> frozenset[str]:
    """Give the content ids of which anything differs in two catalogues of an organization."""
    found: set[str] = set()
    if (before.organization, before.prefix) != (after.organization, after.prefix):
        found |= _all_contents(before) | _all_contents(after)
    for label in before.stages.keys() | after.stages.keys():
        one, other = before.stages.get(label), after.stages.get(label)
        held: Mapping[str, PromotedContent] = {} if one is None else one.content
        holds: Mapping[str, PromotedContent] = {} if other is None else other.content
        moved = (None if one is None else one.prefix) != (None if other is None else other.prefix)
        found |= held.keys() | holds.keys() if moved else _different(held, holds)
    for label in before.products.keys() | after.products.keys():
        old, new = before.products.get(label), after.products.get(label)
        found |= _different({} if old is None else old.content, {} if new is None else new.content)
        found |= (frozenset() if old is None else old.withdrawn) ^ (frozenset() if new is None else new.withdrawn)
    return frozenset(found)


def _all_contents(catalogue: Catalogue) -> set[str]:
    promoted = {content for stage in catalogue.stages.values() for content in stage.content}
    return promoted | {content for offer in catalogue.products.values() for content in offer.content}


def _different(one: Mapping[str, T], other: Mapping[str, T]) -> set[str]:
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


def _differs(before: Catalogue, after: Catalogue, holder: Holder, touched: frozenset[str]) -> bool:
    old, new, scope = holder.before, holder.after, holder.scope
    wide = is_organization_wide(before, old, scope), is_organization_wide(after, new, scope)
    if old.version != new.version or wide[0] != wide[1]:
        return True
    if wide[0]:
        return organization_paths(before, old) != organization_paths(after, new)
    looked_at = touched if old == new else _all_contents(before) | _all_contents(after)
    return any(entry(before, old, scope, each) != entry(after, new, scope, each) for each in looked_at)
