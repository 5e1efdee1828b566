"""Content paths: how a certificate writes one, and how the path that a host asks for is read.

A certificate holds full paths: the prefix of the organization, the prefix of the environment and the content's own
path, with what the server knows filled in. What only the host knows ($releasever, $basearch) stays.
"""

import re
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from issbox.errors import InvalidValueError
from issbox.names import path_problem
from issbox.rules.content.urls import check_url

URI_SCHEMES: Final = ("http", "https", "ftp", "file")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_LEFT_TO_THE_HOST = re.compile(r"\$(?:[A-Za-z_][A-Za-z0-9_]*|\{[A-Za-z_][A-Za-z0-9_]*\})")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ORGANIZATION: Final = frozenset({"org", "organization"})
_ENVIRONMENT: Final = frozenset({"env", "environment"})


def is_uri(path: str) -> bool:
    """Tell whether a content path is a whole address, such as `https://mirror.example.com/tools`, used as it is."""
    return _URI.match(path) is not None


def content_path(
    path: str, *, organization: str, environment: str = "", organization_prefix: str = "", environment_prefix: str = ""
) -> str:
    """Give the full path of a content as certificates and clients write it, such as `/Acme/dev/custom/tools/base`.

    `$org` and `$organization` become the organization, `$env` and `$environment` the environment; an environment with
    '/' in it gives several segments and none leaves them out. Other variables stay, each a segment of its own. Every
    other character that a URL reserves is percent-encoded, a space as `%20`. A path, or an environment prefix, that
    is a whole address replaces what stands before it. Raises InvalidValueError for an empty path, segments `.` and
    `..`, control characters, a backslash, a stray `$` and too long paths.
    """
    if not path.strip("/"):
        raise InvalidValueError("the content path is empty", hint="Give the path below the server's root.")
    parts = [path] if is_uri(path) else [environment_prefix.rstrip("/"), path.strip("/")]
    if not is_uri(parts[0]):
        parts.insert(0, organization_prefix)
    resolved = _resolve("/".join(filter(None, parts)), organization, environment)
    if is_uri(resolved):
        return check_url(resolved, URI_SCHEMES, "content path")
    segments = [segment for segment in resolved.split("/") if segment]
    _check(segments, resolved)
    return "".join(f"/{segment if '$' in segment else quote(segment, safe='')}" for segment in segments)


def request_path(raw: str) -> str:
    """Give the path that a request names, decoded once and with single slashes: what is looked up on disk.

    A query is not part of it. Raises InvalidValueError for everything that two programs could read differently: no
    leading slash, segments `.` and `..`, an encoded slash, backslash or control character, escapes that are none,
    bytes that are not UTF-8, and too long paths. A slash at the end is dropped.
    """
    if not raw.startswith("/"):
        raise InvalidValueError(f"the path {raw[:200]!r} does not begin with a slash")
    if _ESCAPE.search(raw):
        raise InvalidValueError(f"the path {raw[:200]!r} has a '%' that begins no escape")
    segments = []
    decoded_already = raw.isascii() and "%" not in raw
    for written in raw.split("/"):
        if not written:
            continue
        if decoded_already:
            segments.append(written)
            continue
        try:
            segment = unquote_to_bytes(written).decode()
        except UnicodeError:
            raise InvalidValueError(f"the path {raw[:200]!r} is not UTF-8") from None
        if "/" in segment:
            raise InvalidValueError(f"the path {raw[:200]!r} has an encoded slash")
        segments.append(segment)
    decoded = "/".join(segments)
    problem = path_problem(decoded) if segments else None
    if problem is not None:
        raise InvalidValueError(f"the path {raw[:200]!r} is not allowed: {problem}")
    return f"/{decoded}"


def _resolve(text: str, organization: str, environment: str) -> str:
    for what, value in (("organization", organization), ("environment", environment)):
        if "$" in value:
            raise InvalidValueError(f"the {what} {value!r} has a '$', which would stand for anything in a path")

    def value_of(match: re.Match[str]) -> str:
        if match[1] in _ORGANIZATION:
            return organization
        return environment.strip("/") if match[1] in _ENVIRONMENT else match[0]

    return _VARIABLE.sub(value_of, text)


def _check(segments: list[str], shown: str) -> None:
    problem = path_problem("/".join(segments)) if segments else "nothing is left when its variables are filled in"
    if problem is not None:
        raise InvalidValueError(f"the content path {shown[:200]!r} is not allowed: {problem}")
    for segment in segments:
        if "$" in segment and not _LEFT_TO_THE_HOST.fullmatch(segment):
            raise InvalidValueError(
                f"the content path {shown[:200]!r} has '$' inside the segment {segment!r}",
                hint="A variable such as $releasever has to be a whole segment: clients match nothing else.",
            )
