"""Where an organization reads Red Hat content from, and what lies there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from issbox.model.catalog import LIBRARY, Content, RepositoryKey

REDHAT_CDN_URL: Final = "https://cdn.redhat.com"


class CdnType(StrEnum):
    """What kind of place it is."""

    REDHAT_CDN = "redhat-cdn"
    """Red Hat's own."""
    CUSTOM_CDN = "custom-cdn"
    """A server or directory that is laid out like Red Hat's own."""
    NETWORK_SYNC = "network-sync"
    """An environment of another box."""
    EXPORT_SYNC = "export-sync"
    """A directory of this machine: an exported tree, a mounted medium, or a bundle in a directory."""


class CdnServer(StrEnum):
    """What the other box of a network-sync is."""

    ISSBOX = "issbox"
    KATELLO = "katello"


@dataclass(frozen=True, slots=True)
class CdnUpstream:
    """Which content of another box is read."""

    organization: str
    """Label there."""
    environment: str = LIBRARY
    view: str = ""
    """Label of a content view there, which only a Katello has in its paths."""
    server: CdnServer = CdnServer.ISSBOX


@dataclass(frozen=True, slots=True)
class CdnLocation:
    """Where an organization reads Red Hat content from: listing files and packages alike."""

    organization: str
    type: CdnType = CdnType.REDHAT_CDN
    url: str | None = REDHAT_CDN_URL
    """The directory that `content` lies in; of a network-sync the server. None: repositories are filled by imports."""
    ca: str | None = None
    """Label of a content credential with the authority of the server; None means those of the system."""
    client_certificate: str | None = None
    """Label of a content credential that the server is shown."""
    proxy: str | None = None
    """None means the proxy of the box, if it has one, and an empty text none."""
    shows_manifest: bool = True
    """Without a client certificate: whether the server is shown those of the subscription manifest."""
    upstream: CdnUpstream | None = None
    """Given for a network-sync."""


@dataclass(frozen=True, slots=True)
class CdnChoice:
    """A Red Hat repository that could be had from the location."""

    product: str
    """Label."""
    content: Content
    path: str
    """Content path with its variables filled in, relative."""
    variables: Mapping[str, str] = field(default_factory=dict)
    repository: RepositoryKey | None = None
    """The one that is enabled already."""
    confirmed: bool = True
    """Whether a listing names it or its metadata was found; otherwise only that nothing speaks against it."""
