"""Where repositories are synchronized from: the places of a product's repositories below a base; what may fill what.

A base is any place that holds yum trees as exports lay them, `custom/<product>/<repository>` and `content/dist/...`: a
bundle's directory, a mounted medium, an exported tree, or what another server publishes of an environment.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from issbox.model import ProductKind, Repository, RepositoryKey, Upstream
from issbox.rules.content.urls import check_url

REDHAT_HOST: Final = "cdn.redhat.com"
_REDHAT_TREES: Final = frozenset({"dist", "beta", "eus", "aus", "e4s", "tus", "els", "htb", "fastrack"})
"""What follows `content/` in the content paths of Red Hat's CDN."""
_CUSTOM_DEPTH: Final = 3
"""Segments of `custom/<product>/<repository>`."""


@dataclass(frozen=True, slots=True)
class SourceChange:
    """One repository that is synchronized from another place from now on."""

    key: RepositoryKey
    before: Upstream
    after: Upstream

    @property
    def changed(self) -> bool:
        """Whether anything becomes different."""
        return self.before != self.after


def join_url(base: str, path: str) -> str:
    """Give the URL of a repository at a relative path below a base; user, password and query of the base stay."""
    parts = urlsplit(check_url(base))
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{quote(path)}"))


def source_kind(url: str) -> ProductKind | None:
    """Say whether the URL names a tree of Red Hat content or of custom content; None when it does not show."""
    parts = urlsplit(url)
    if parts.hostname == REDHAT_HOST:
        return ProductKind.REDHAT
    segments = [unquote(each) for each in parts.path.split("/") if each]
    if any(one == "content" and other in _REDHAT_TREES for one, other in pairwise(segments)):
        return ProductKind.REDHAT
    if len(segments) >= _CUSTOM_DEPTH and segments[-_CUSTOM_DEPTH] == "custom":
        return ProductKind.CUSTOM
    return None


def misfit(kind: ProductKind, url: str) -> str | None:
    """Say why a repository of a product of this kind must not be filled from the URL, or None when it may be."""
    found = source_kind(url)
    if found is None or found is kind:
        return None
    if kind is ProductKind.CUSTOM:
        return "it is a place of Red Hat content, and a custom product never holds Red Hat content"
    return "it is a place of custom content, and a Red Hat product never holds custom content"


def plan_sources(
    base: str, repositories: Iterable[Repository], changes: Mapping[str, str | None]
) -> list[SourceChange]:
    """Say how repositories are synchronized once they come from below this base, '' being nowhere.

    `changes` has what else becomes different of each, by field of `Upstream`.
    """
    return [
        SourceChange(
            each.key,
            each.upstream,
            replace(each.upstream, url=join_url(base, each.path) if base else None, **changes),  # type: ignore[arg-type]  # fields by name
        )
        for each in repositories
    ]


def first_unlisted(path: str, listings: Mapping[str, frozenset[str] | None]) -> str | None:
    """Give the highest directory on the way to a repository that the listing above it does not name.

    `listings` has the names in the `listing` file of each directory, '' being the base, and None where there is no such
    file; nothing follows from those. None: no listing says that the repository is not there.
    """
    parent = ""
    for segment in path.split("/"):
        names = listings.get(parent)
        here = f"{parent}/{segment}" if parent else segment
        if names is not None and segment not in names:
            return here
        parent = here
    return None


def listing_places(path: str) -> list[str]:
    """Give the directories above a repository whose listing files lead to it, from the base on."""
    segments = path.split("/")
    return ["/".join(segments[:count]) for count in range(len(segments))]
