"""How long exported bundles are kept, and what of the store they keep alive. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set

from issbox.model import ContentExport, ExportState, RepositoryKey


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
