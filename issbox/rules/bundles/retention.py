"""How long exported bundles are kept, and what of the store they keep alive. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from issbox.model import ContentExport, ExportState, RepositoryKey


@dataclass(frozen=True, slots=True)
class Retention:
    """Which exported bundles stay."""

    keep: int = 0
    """So many of the newest for each destination of an organization; 0 for no such rule."""
    keep_days: int = 0
    """Those that are younger than so many days; 0 for no such rule."""
    until_acknowledged: bool = False
    """Those that no receipt has acknowledged."""


@dataclass(frozen=True, slots=True)
class Superseded:
    """An export that the rules of count and age do not keep."""

    export: ContentExport
    goes: bool
    reason: str
    """Why it goes, or stays all the same, in words."""


def plan_retention(
    exports: Iterable[ContentExport],
    rules: Retention,
    now: datetime,
    acknowledged: Callable[[ContentExport], bool],
) -> tuple[Superseded, ...]:
    """Give the bundles that lie somewhere and are kept neither by count nor by age, oldest first.

    Without both rules there are none. A bundle that is kept by one of them stays.
    """
    if not rules.keep and not rules.keep_days:
        return ()
    newer: Counter[tuple[str, str]] = Counter()
    found = []
    for export in sorted(exports, key=lambda each: -each.id):
        if export.state is not ExportState.WRITTEN:
            continue
        place = (export.organization, export.destination)
        newer[place] += 1
        by_count = rules.keep and newer[place] <= rules.keep
        by_age = rules.keep_days and now - export.created_at < timedelta(days=rules.keep_days)
        if not by_count and not by_age:
            found.append(_judge(export, rules, newer[place] - 1, acknowledged))
    return tuple(reversed(found))


def _judge(
    export: ContentExport, rules: Retention, newer: int, acknowledged: Callable[[ContentExport], bool]
) -> Superseded:
    reasons = []
    if rules.keep:
        reasons.append(f"{newer} newer {'one' if newer == 1 else 'ones'} for the destination")
    if rules.keep_days:
        reasons.append(f"older than {rules.keep_days} days")
    reason = ", ".join(reasons)
    if not rules.until_acknowledged:
        return Superseded(export, goes=True, reason=reason)
    if acknowledged(export):
        return Superseded(export, goes=True, reason=f"{reason}, acknowledged")
    return Superseded(export, goes=False, reason=f"{reason}, but no receipt has acknowledged it")


def spared_versions(exports: Iterable[ContentExport]) -> Mapping[RepositoryKey, Set[int]]:
    """Give the repository versions that garbage collection leaves alone for the sake of exports.

    For each organization and destination it is, of each repository, the one that the newest export described whose
    bundle was not pruned: a volume of it may have to be written again, and the next incremental export starts there.
    """
    spared: dict[RepositoryKey, set[int]] = defaultdict(set)
    seen: set[tuple[str, str, str, str]] = set()
    for export in sorted(exports, key=lambda each: -each.id):
        if export.state is ExportState.PRUNED:
            continue
        for version in export.versions:
            key = version.repository
            place = (export.organization, export.destination, key.product, key.label)
            if place not in seen:
                seen.add(place)
                spared[key].add(version.number)
    return spared
