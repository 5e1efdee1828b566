"""How many people still have to approve an import."""

from collections.abc import Collection


def approvals_missing(needed: int, approvals: Collection[str], made_by: str) -> int:
    """Give how many more people have to approve; whoever exported the bundle does not count."""
    return max(0, needed - len(set(approvals) - {made_by}))
