"""What packages, advisories and CVEs come and go, as commands show it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from issbox.rules.content.comparing import ContentDifference

DIFFERENCE_MEANING: Final = (
    "arrays of packages `packages_added`, `packages_updated` (pairs of old and new), `packages_removed`, "
    "`packages_rebuilt`, and `errata_added` (`id`, `type`, `severity`, `title`, `cves`), `errata_removed` (ids), "
    "`cves_added`, `cves_removed`"
)
DIFFERENCE_WORDS: Final = (
    ("packages_added", "packages added"),
    ("packages_updated", "updated"),
    ("packages_removed", "removed"),
    ("packages_rebuilt", "rebuilt"),
    ("errata_added", "errata added"),
    ("errata_removed", "errata removed"),
    ("cves_added", "CVEs mended"),
    ("cves_removed", "CVEs open again"),
)
"""What people read of these lists."""


def difference_parts(difference: "ContentDifference") -> tuple[Sequence[object], ...]:
    """Give what comes and goes, in the order of DIFFERENCE_WORDS."""
    return (
        difference.added,
        difference.updated,
        difference.removed,
        difference.rebuilt,
        difference.errata_gained,
        tuple(each.id for each in difference.errata_lost),
        difference.cves_gained,
        difference.cves_lost,
    )


def difference_document(difference: "ContentDifference") -> dict[str, object]:
    """Give a difference as JSON has it; `DIFFERENCE_MEANING` describes it."""
    return {
        "packages_added": [str(each) for each in difference.added],
        "packages_updated": [[str(old), str(new)] for old, new in difference.updated],
        "packages_removed": [str(each) for each in difference.removed],
        "packages_rebuilt": [str(each) for each in difference.rebuilt],
        "errata_added": [
            {
                "id": each.id,
                "type": each.type.value,
                "severity": each.severity,
                "title": each.title,
                "cves": list(each.cves),
            }
            for each in difference.errata_gained
        ],
        "errata_removed": [each.id for each in difference.errata_lost],
        "cves_added": list(difference.cves_gained),
        "cves_removed": list(difference.cves_lost),
    }
