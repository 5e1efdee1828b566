"""What changes from one repository version to another: packages, advisories, CVEs."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
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


def name_and_arch(package: Package) -> tuple[str, str]:
    """Give what packages have to be sorted by to be compared."""
    return package.name, package.arch


def compare_content(
    before: Iterable[Package],
    after: Iterable[Package],
    errata_before: Mapping[str, Advisory] = _NOTHING,
    errata_after: Mapping[str, Advisory] = _NOTHING,
) -> ContentDifference:
    """Do what `compare_sorted` does with packages in any order, all in memory."""
    old, new = sorted(before, key=name_and_arch), sorted(after, key=name_and_arch)
    return compare_sorted(old, new, errata_before, errata_after)


def compare_sorted(
    before: Iterable[Package],
    after: Iterable[Package],
    errata_before: Mapping[str, Advisory] = _NOTHING,
    errata_after: Mapping[str, Advisory] = _NOTHING,
) -> ContentDifference:
    """Compare the packages of two repository versions, sorted by `name_and_arch`, and their advisories by id.

    Where the newest version of a name and architecture changes, that is an update from the old newest to the new one;
    whatever else comes or goes is added or removed. Besides the difference, the packages of one name are in memory.
    """
    added, removed, updated, rebuilt = list[Nevra](), list[Nevra](), list[tuple[Nevra, Nevra]](), list[Nevra]()
    for old, new in _side_by_side(before, after):
        came, went = new.keys() - old.keys(), old.keys() - new.keys()
        if old and new:
            one, other = _newest(old), _newest(new)
            if compare_nevra(one, other):
                updated.append((one, other))
                came.discard(other)
                went.discard(one)
        added += sorted(came, key=newest_last)
        removed += sorted(went, key=newest_last)
        rebuilt += sorted((each for each in old.keys() & new.keys() if not old[each] & new[each]), key=newest_last)
    cves_before, cves_after = _cves(errata_before), _cves(errata_after)
    return ContentDifference(
        added=tuple(added),
        updated=tuple(updated),
        removed=tuple(removed),
        rebuilt=tuple(rebuilt),
        errata_gained=tuple(errata_after[id_] for id_ in sorted(errata_after.keys() - errata_before.keys())),
        errata_lost=tuple(errata_before[id_] for id_ in sorted(errata_before.keys() - errata_after.keys())),
        cves_gained=tuple(sorted(cves_after - cves_before)),
        cves_lost=tuple(sorted(cves_before - cves_after)),
    )


_Checksums = Mapping[Nevra, set[tuple[str, str]]]
_NONE: Final[_Checksums] = {}


def _side_by_side(before: Iterable[Package], after: Iterable[Package]) -> Iterator[tuple[_Checksums, _Checksums]]:
    """Give the packages of each name and architecture that are on either side."""
    lefts, rights = groupby(before, name_and_arch), groupby(after, name_and_arch)
    left, right = next(lefts, None), next(rights, None)
    while left is not None or right is not None:
        name = min(each[0] for each in (left, right) if each is not None)
        old = new = _NONE
        if left is not None and left[0] == name:
            old, left = _checksums(left[1]), next(lefts, None)
        if right is not None and right[0] == name:
            new, right = _checksums(right[1]), next(rights, None)
        yield old, new


def _checksums(packages: Iterable[Package]) -> _Checksums:
    found: defaultdict[Nevra, set[tuple[str, str]]] = defaultdict(set)
    for package in packages:
        found[package.identity].add((package.checksum_type, package.checksum))
    return dict(found)


def _newest(packages: Iterable[Nevra]) -> Nevra:
    return max(packages, key=newest_last)


def _cves(errata: Mapping[str, Advisory]) -> set[str]:
    return {cve for advisory in errata.values() for cve in advisory.cves}
