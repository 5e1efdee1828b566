"""Comparing versions of packages the way rpm does.

The algorithm is that of `rpmvercmp` as rpm's documentation and behaviour give it: runs of digits and of letters are
compared one after the other, everything else only separates them; `~` sorts before the end, `^` after it but before
anything else.
"""

import re
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Final

from issbox.errors import InvalidValueError
from issbox.model import Nevra

_TOKEN: Final = re.compile(r"[0-9]+|[A-Za-z]+|[~^]")
_EVR: Final = re.compile(r"(?:([0-9]{1,9}):)?([^\s:-]{1,256})(?:-([^\s:-]{1,256}))?")


@dataclass(frozen=True, slots=True)
class Evr:
    """A version as people write it in a filter: what is None is not compared."""

    epoch: int | None
    version: str
    release: str | None


def parse_evr(text: str) -> Evr:
    """Read `[epoch:]version[-release]`; raises InvalidValueError."""
    found = _EVR.fullmatch(text)
    if found is None:
        raise InvalidValueError(f"{text!r} is not a version such as 1.2, 1.2-3.el9 or 1:1.2-3.el9")
    return Evr(None if found[1] is None else int(found[1]), found[2], found[3])


def compare_words(one: str, other: str) -> int:
    """Compare two versions, or two releases: negative, 0 or positive as the first is older, the same or newer."""
    if one == other:
        return 0
    left, right = _TOKEN.findall(one), _TOKEN.findall(other)
    for a, b in zip(left, right, strict=False):
        if a != b and (verdict := _compare_tokens(a, b)):
            return verdict
    shared = min(len(left), len(right))
    if len(left) == len(right):
        return 0
    rest, sign = (left[shared], 1) if len(left) > shared else (right[shared], -1)
    return -sign if rest == "~" else sign


def _compare_tokens(a: str, b: str) -> int:
    for mark, verdict in (("~", -1), ("^", -1)):
        if mark in (a, b):
            return verdict if a == mark else -verdict
    if a.isdigit() and b.isdigit():
        a, b = a.lstrip("0"), b.lstrip("0")
        if len(a) != len(b):
            return -1 if len(a) < len(b) else 1
    elif a.isdigit() or b.isdigit():
        return 1 if a.isdigit() else -1
    return (a > b) - (a < b)


def compare_nevra(one: Nevra, other: Nevra) -> int:
    """Compare epoch, version and release of two packages."""
    if one.epoch != other.epoch:
        return -1 if one.epoch < other.epoch else 1
    return compare_words(one.version, other.version) or compare_words(one.release, other.release)


def compare_to(package: Nevra, limit: Evr) -> int:
    """Compare a package with a version as a filter gives it, as far as that goes."""
    if limit.epoch is not None and package.epoch != limit.epoch:
        return -1 if package.epoch < limit.epoch else 1
    verdict = compare_words(package.version, limit.version)
    return verdict if verdict or limit.release is None else compare_words(package.release, limit.release)


newest_last: Final = cmp_to_key(compare_nevra)
"""Key for sorting packages of one name by version."""
