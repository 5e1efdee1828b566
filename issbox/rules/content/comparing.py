"""What changes from one repository version to another: packages, advisories, CVEs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from issbox.model import Advisory, Nevra, Package
from issbox.rules.content.evr import compare_nevra, newest_last

_NOTHING: Final[Mapping[str, Advisory]] = {}


@dataclass(frozen=True, slots=True)
class ContentDifference:
    """What one repository version has that another has not. All are sorted."""

    added: tuple[Nevra, ...] = ()
    updated: tuple[tuple[Nevra, Nevra], ...] = ()
    """Old and new newest version, of each name and architecture where the newest one changes; it may go down."""
    removed: tuple[Nevra, ...] = ()
    rebuilt: tuple[Nevra, ...] = ()
    """The same name, version and architecture, but another file."""
    errata_gained: tuple[Advisory, ...] = ()
    errata_lost: tuple[Advisory, ...] = ()
    cves_gained: tuple[str, ...] = ()
    """Of all advisories, those that no advisory named before."""
    cves_lost: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether there is no difference."""
        return self == ContentDifference()


def compare_content(
    before: Iterable[Package],
    after: Iterable[Package],
    errata_before: Mapping[str, Advisory] = _NOTHING,
    errata_after: Mapping[str, Advisory] = _NOTHING,
) -> ContentDifference:
    """Compare the packages of two repository versions, and their advisories by id.

    Where the newest version of a name and architecture changes, that is an update from the old newest to the new one;
    whatever else comes or goes is added or removed.
    """
    old, new = _checksums(before), _checksums(after)
    added, removed, updated = new.keys() - old.keys(), old.keys() - new.keys(), []
    newest_before, newest_after = _newest(old), _newest(new)
    for name in newest_before.keys() & newest_after.keys():
        one, other = newest_before[name], newest_after[name]
        if compare_nevra(one, other):
            updated.append((one, other))
            added.discard(other)
            removed.discard(one)
    cves_before, cves_after = _cves(errata_before), _cves(errata_after)
    return ContentDifference(
        added=_sorted(added),
        updated=tuple(sorted(updated, key=lambda pair: (pair[1].name, pair[1].arch))),
        removed=_sorted(removed),
        rebuilt=_sorted(nevra for nevra in old.keys() & new.keys() if not old[nevra] & new[nevra]),
        errata_gained=tuple(errata_after[id_] for id_ in sorted(errata_after.keys() - errata_before.keys())),
        errata_lost=tuple(errata_before[id_] for id_ in sorted(errata_before.keys() - errata_after.keys())),
        cves_gained=tuple(sorted(cves_after - cves_before)),
        cves_lost=tuple(sorted(cves_before - cves_after)),
    )


def _checksums(packages: Iterable[Package]) -> dict[Nevra, set[tuple[str, str]]]:
    found: defaultdict[Nevra, set[tuple[str, str]]] = defaultdict(set)
    for package in packages:
        found[package.identity].add((package.checksum_type, package.checksum))
    return dict(found)


def _newest(packages: Iterable[Nevra]) -> dict[tuple[str, str], Nevra]:
    newest: dict[tuple[str, str], Nevra] = {}
    for nevra in packages:
        name = nevra.name, nevra.arch
        if name not in newest or compare_nevra(newest[name], nevra) < 0:
            newest[name] = nevra
    return newest


def _cves(errata: Mapping[str, Advisory]) -> set[str]:
    return {cve for advisory in errata.values() for cve in advisory.cves}


def _sorted(packages: Iterable[Nevra]) -> tuple[Nevra, ...]:
    return tuple(sorted(packages, key=lambda nevra: (nevra.name, nevra.arch, newest_last(nevra))))
