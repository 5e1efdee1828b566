"""Lifecycle environments: which labels they may have, and in what order content goes through them."""

from collections.abc import Sequence
from typing import Final

from issbox.errors import InvalidValueError
from issbox.model import LifecycleEnvironment
from issbox.names import check_description, check_label, is_label
from issbox.rules.entitlements.paths import content_path

_FORBIDDEN: Final = frozenset({"content_views", "content", "custom", "gpg-keys", "listing", "library"})
"""Labels, in lower case, that stand beside environments in paths of exports and servers, or mean Library."""

_LONGEST_ID: Final = 32
_LONGEST_PREFIX: Final = 255


def check_environment_label(label: str) -> str:
    """Give the label of a new environment back; raises InvalidValueError for one that paths already use."""
    check_label(label, "lifecycle environment label")
    if label.casefold() in _FORBIDDEN:
        raise InvalidValueError(
            f"the lifecycle environment label {label!r} cannot be used: paths have something else at its place",
            hint="Choose another label; the name for people may stay.",
        )
    return label


def check_environment_id(text: str) -> str:
    """Give the id of an environment back, empty for one to be made; raises InvalidValueError for more than 32 bytes."""
    if text and not (is_label(text) and len(text) <= _LONGEST_ID):
        raise InvalidValueError(
            f"the id {text[:80]!r} of a lifecycle environment must be 1 to {_LONGEST_ID} letters, digits, '-' or '_'"
        )
    return text


def check_environment_type(text: str) -> str:
    """Give the type of an environment in lower case, empty for none; raises InvalidValueError."""
    if text and not (is_label(text) and len(text) <= _LONGEST_ID):
        raise InvalidValueError(
            f"the type {text[:80]!r} of a lifecycle environment must be 1 to {_LONGEST_ID} letters, digits, '-' or '_'"
        )
    return text.lower()


def check_prefix(text: str) -> str:
    """Give a content prefix back, empty for none; raises InvalidValueError for one that no path can begin with."""
    if len(text) > _LONGEST_PREFIX:
        raise InvalidValueError(f"a content prefix may have {_LONGEST_PREFIX} characters, not {len(text)}")
    content_path("x", organization="o", environment="e", organization_prefix=text)
    return text


def check_environment_description(text: str) -> str:
    """Give the description of an environment back; raises InvalidValueError for a very long one or control codes."""
    return check_description(text, "lifecycle environment")


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
