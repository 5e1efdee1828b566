"""Lifecycle environments: which labels they may have, and in what order content goes through them."""

from collections.abc import Sequence
from typing import Final

from issbox.errors import InvalidValueError
from issbox.model import LifecycleEnvironment
from issbox.names import check_label

_FORBIDDEN: Final = frozenset({"content_views", "content", "custom", "gpg-keys", "listing", "library"})
"""Labels, in lower case, that stand beside environments in paths of exports and servers, or mean Library."""


def check_environment_label(label: str) -> str:
    """Give the label of a new environment back; raises InvalidValueError for one that paths already use."""
    check_label(label, "lifecycle environment label")
    if label.casefold() in _FORBIDDEN:
        raise InvalidValueError(
            f"the lifecycle environment label {label!r} cannot be used: paths have something else at its place",
            hint="Choose another label; the name for people may stay.",
        )
    return label


def environment_paths(environments: Sequence[LifecycleEnvironment]) -> list[list[LifecycleEnvironment]]:
    """Give every way from Library to a last environment, in the order of the environments given."""
    followers: dict[str | None, list[LifecycleEnvironment]] = {}
    for environment in environments:
        followers.setdefault(environment.prior, []).append(environment)
    paths = [[each] for each in followers.get(None, ())]
    whole = []
    while paths:
        path = paths.pop(0)
        after = followers.get(path[-1].label, [])
        paths[:0] = [[*path, each] for each in after]
        if not after:
            whole.append(path)
    return whole
