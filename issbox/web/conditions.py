"""Conditional and partial requests (RFC 9110, sections 13 and 14): which answer, and which bytes of the file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from typing import Final

_RANGE: Final = re.compile(r"bytes=[ \t]*(?P<first>[0-9]{0,19})-(?P<last>[0-9]{0,19})[ \t]*", re.IGNORECASE)
_TAG: Final = re.compile(r'(?P<weak>W/)?"(?P<tag>[^"]*)"')


@dataclass(frozen=True, slots=True)
class Part:
    """What to answer, and with which bytes."""

    status: int
    """200, 206, 304, 412 or 416."""
    start: int = 0
    length: int = 0


@lru_cache(4096)
def http_time(seconds: int) -> str:
    """Give a time, in seconds since 1970, as HTTP writes it."""
    return format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True)


def choose(headers: Mapping[str, str], *, tag: str, modified: float, size: int, partial: bool = True) -> Part:
    """Say which part of a file to send; `tag` is its entity tag without quotes, `partial` false for HEAD.

    A request for several ranges at once gets the whole file, as one whose range cannot be read.
    """
    refused = _precondition(headers, tag, int(modified))
    if refused is not None:
        return Part(refused)
    text = headers.get("Range") if partial and _range_counts(headers, tag, int(modified)) else None
    match = _RANGE.fullmatch(text) if text is not None else None
    if match is None or not (match["first"] or match["last"]):
        return Part(200, 0, size)
    return _one_range(match["first"], match["last"], size)


def _one_range(first: str, last: str, size: int) -> Part:
    if not first:
        length = min(int(last), size)
        return Part(206, size - length, length) if length else Part(416)
    start = int(first)
    end = min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        return Part(200, 0, size)  # no range at all (RFC 9110, 14.1.1)
    return Part(206, start, end - start + 1) if start < size else Part(416)


def _precondition(headers: Mapping[str, str], tag: str, modified: int) -> int | None:
    wanted = headers.get("If-Match")
    if wanted is not None:
        if not _names(wanted, tag, weak=False):
            return 412
    elif (since := _time(headers.get("If-Unmodified-Since"))) is not None and modified > since:
        return 412
    known = headers.get("If-None-Match")
    if known is not None:
        return 304 if _names(known, tag, weak=True) else None
    since = _time(headers.get("If-Modified-Since"))
    return 304 if since is not None and modified <= since else None


def _range_counts(headers: Mapping[str, str], tag: str, modified: int) -> bool:
    """Tell whether the file is still the one of which the client has a part."""
    condition = headers.get("If-Range")
    if condition is None:
        return True
    if condition.lstrip().startswith(('"', "W/")):
        return _names(condition, tag, weak=False)
    return _time(condition) == modified


def _names(text: str, tag: str, *, weak: bool) -> bool:
    if text.strip() == "*":
        return True
    return any(match["tag"] == tag and (weak or not match["weak"]) for match in _TAG.finditer(text))


def _time(text: str | None) -> int | None:
    try:
        return None if text is None else int(parsedate_to_datetime(text).timestamp())
    except (ValueError, OverflowError, TypeError):
        return None
