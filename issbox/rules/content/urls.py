"""URLs of upstream repositories and proxies: which are valid, and how they are shown without their secrets."""

import unicodedata
from collections.abc import Collection
from typing import Final
from urllib.parse import SplitResult, urlsplit, urlunsplit

from issbox.errors import InvalidValueError

UPSTREAM_SCHEMES: Final = ("http", "https", "file")
PROXY_SCHEMES: Final = ("http", "https")

HIDDEN: Final = "***"
"""Stands for a user name, password or token."""


def check_url(url: str, schemes: Collection[str] = UPSTREAM_SCHEMES, what: str = "source URL") -> str:
    """Give the URL back, or raise InvalidValueError saying what is wrong with it, without showing a password."""
    shown = mask_url(url)
    if any(c.isspace() or unicodedata.category(c) in {"Cc", "Cf", "Cs"} for c in url):
        raise InvalidValueError(f"the {what} {shown} has spaces or control characters: write them as %20 and the like")
    parts = _split(url)
    if parts is None:
        raise InvalidValueError(f"the {what} cannot be read: check its host name and port")
    if parts.scheme not in schemes:
        raise InvalidValueError(f"the {what} {shown} must begin with {' or '.join(f'{each}://' for each in schemes)}")
    if parts.fragment:
        raise InvalidValueError(f"the {what} {shown} has a part after '#', which servers never see: leave it out")
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
            raise InvalidValueError(f"the {what} {shown} must name an absolute path, such as file:///srv/repositories")
    elif not parts.hostname:
        raise InvalidValueError(f"the {what} {shown} names no server")
    return url


def mask_url(url: str) -> str:
    """Give the URL as it may be shown and logged: user name, password and query are replaced by `***`."""
    parts = _split(url)
    if parts is None:
        return HIDDEN
    netloc = f"{HIDDEN}@{parts.netloc.rpartition('@')[2]}" if "@" in parts.netloc else parts.netloc
    return urlunsplit(parts._replace(netloc=netloc, query=HIDDEN if parts.query else ""))


def without_secrets(url: str) -> str:
    """Give the URL without what `mask_url` hides: user name, password and query."""
    parts = _split(url)
    if parts is None:
        return HIDDEN
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=""))


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError when it is no number
    except ValueError:
        return None
    return parts
