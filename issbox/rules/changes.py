"""What a change replaced, for the audit log."""

from collections.abc import Mapping


def with_before(changes: Mapping[str, object], before: object) -> dict[str, object]:
    """Give the new values with the ones that they replace under `before`; `before` is the thing as it was.

    A field that the thing does not have by that name is left out there.
    """
    old = {name: _plain(getattr(before, name)) for name in changes if hasattr(before, name)}
    return {**changes, "before": old} if changes else {}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple | frozenset | set) else value
