"""Upstream URLs: joining paths to them, and showing them without what is secret."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from issbox.errors import InvalidValueError, UnsafePathError
from issbox.names import path_problem

_KEPT = "/%~+^!$&'()*,;=:@-._"
"""Characters of a path that go into a URL as they are; `%` too, since paths in metadata are URL references."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a repository lies. Its text never shows user, password or query: CDNs put tokens there."""

    scheme: str
    host: str
    """With the port; empty for file."""
    path: str
    """As in the URL, ending with a slash."""
    user: str = ""
    """`user:password@`, or empty."""
    query: str = ""
    """With its question mark, or empty."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}{self.path}"

    def __repr__(self) -> str:
        return f"Address({str(self)!r})"

    def shown(self, path: str) -> str:
        """Give the URL of a file below, for messages."""
        return f"{self}{quote(path, safe=_KEPT)}"

    def url(self, path: str) -> str:
        """Give the URL of a file below, for the request. Raises UnsafePathError for an encoded way out."""
        reason = path_problem(unquote(path)) if "%" in path else None
        if reason is not None:
            raise UnsafePathError(f"the path {path[:200]!r} is not allowed: once decoded, {reason}")
        return f"{self.scheme}://{self.user}{self.host}{self.path}{quote(path, safe=_KEPT)}{self.query}"

    @property
    def directory(self) -> Path:
        """The directory that a file URL names."""
        return Path(unquote(self.path))


def parse_address(url: str) -> Address:
    """Read the URL of a repository. Raises InvalidValueError when it is not an http, https or file URL."""
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError as error:
        raise InvalidValueError(f"the upstream URL is not valid: {error}") from None
    user, at, host = parts.netloc.rpartition("@")
    if parts.scheme not in {"http", "https", "file"}:
        raise InvalidValueError(f"the upstream URL must begin with http://, https:// or file://, not {parts.scheme!r}")
    if parts.scheme == "file":
        if parts.netloc not in {"", "localhost"} or not parts.path.startswith("/"):
            raise InvalidValueError("a file URL must name an absolute path on this machine: file:///srv/mirror/")
        host = ""
    elif not parts.hostname:
        raise InvalidValueError("the upstream URL names no host")
    path = parts.path if parts.path.endswith("/") else f"{parts.path}/"
    return Address(parts.scheme, host, path, user + at, f"?{parts.query}" if parts.query else "")


def shown_url(url: str) -> str:
    """Give a URL without user, password and query, fit for messages, logs and history; never raises."""
    try:
        parts = urlsplit(url.strip())
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "(a URL that is not valid)"
    return f"{parts.scheme}://{host}{parts.path}" if parts.scheme else host + parts.path
