"""Upstream URLs: joining paths to them, and showing them without what is secret."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from issbox.errors import UnsafePathError
from issbox.names import path_problem
from issbox.rules.content.urls import check_url

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
    parts = urlsplit(check_url(url))
    user, at, host = parts.netloc.rpartition("@")
    path = parts.path if parts.path.endswith("/") else f"{parts.path}/"
    query = f"?{parts.query}" if parts.query else ""
    return Address(parts.scheme, "" if parts.scheme == "file" else host, path, user + at, query)
