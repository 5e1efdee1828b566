"""Rules that single fields of a manifest keep; each raises BadManifestError naming the field."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final, NoReturn

from issbox.bundle.decoding import MAX_NUMBER
from issbox.errors import BadManifestError, InvalidValueError, UnsafePathError
from issbox.manifest import MANIFEST_NAME
from issbox.names import is_sha256, path_problem

_MAX_REASON: Final = 300
"""Characters of a reason shown, since it may quote a value of any length."""


def check(place: str, rule: Callable[[str, str], str], text: str) -> None:
    """Hold a text to a rule that takes the text and what to call it."""
    try:
        rule(text, "the value")
    except InvalidValueError as error:
        refuse(place, str(error))


def check_path(place: str, path: str) -> None:
    """Hold a path to what paths of bundles may be; raises UnsafePathError."""
    problem = path_problem(path)
    if problem is not None:
        raise UnsafePathError(f"{MANIFEST_NAME}: {place}: the path {path[:200]!r} is not allowed: {problem}")


def check_number(place: str, number: int, *, least: int = 0) -> None:
    """Hold a number to what every JSON reader keeps exactly, from the least one on."""
    if not least <= number <= MAX_NUMBER:
        refuse(place, f"expected a number from {least} to {MAX_NUMBER}")


def check_sha256(place: str, text: str) -> None:
    """Hold a text to the form of a digest."""
    if not is_sha256(text):
        refuse(place, "expected a SHA-256 in 64 lower-case hexadecimal digits")


def check_time(place: str, time: datetime) -> None:
    """Hold a time to having a time zone."""
    if time.tzinfo is None:
        refuse(place, "the time has no time zone")


def check_unique(place: str, values: Iterable[str]) -> None:
    """Hold values to being there once."""
    seen: set[str] = set()
    for value in values:
        if value in seen:
            refuse(place, f"{value!r} is there twice")
        seen.add(value)


def refuse(place: str, why: str) -> NoReturn:
    """Raise BadManifestError for a field."""
    raise BadManifestError(f"{MANIFEST_NAME}: {place}: {why[:_MAX_REASON]}")
