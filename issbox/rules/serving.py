"""What the path of a request means: which organization, environment or content view version, and the path inside.

/content/<organization>/<environment>/<content path>/...
/content/<organization>/content_views/<view>/<version>/<content path>/...
/content/<organization>/gpg-keys/<content credential>
"""

import re
from dataclasses import dataclass
from typing import Final

from issbox.errors import InvalidValueError
from issbox.model import ViewVersionName
from issbox.names import check_label, is_label
from issbox.rules.entitlements.paths import request_path

CONTENT: Final = "content"
"""First segment of everything that hosts read."""
PKI: Final = "pki"
"""First segment of what everybody may have of the box's authority."""
REVOKED_DER: Final = f"/{PKI}/revoked.crl"
REVOKED_PEM: Final = f"/{PKI}/revoked.pem"
"""The list of revoked serial numbers; these paths never change."""
VIEWS: Final = "content_views"
GPG_KEYS: Final = "gpg-keys"
"""Stand where environments do; no environment may have such a label (`rules.environments`)."""

_ODD: Final = re.compile(r"//|%2[eE]|#")
"""Empty segments, encoded dots, and a fragment, which no client sends."""
_ESCAPE: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_VERSION: Final = re.compile(r"(?:0|[1-9][0-9]{0,8})\.(?:0|[1-9][0-9]{0,8})")
_SITE: Final = re.compile(r"(?P<host>[^=/\s]+)=(?P<organization>[^=/\s]+)/(?P<environment>[^=/\s]+)")
_LISTEN: Final = re.compile(r"(?P<address>[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Place:
    """Something below an environment, or below a content view version when `view` is given."""

    organization: str
    environment: str
    """Empty for a content view version."""
    inner: str
    """Path inside, relative; may be empty."""
    view: ViewVersionName | None = None

    @property
    def full_path(self) -> str:
        """The path as certificates of this box have it, with the organization and the environment in front."""
        middle = f"{VIEWS}/{self.view.view}/{self.view.number}" if self.view else self.environment
        return f"/{self.organization}/{middle}" + (f"/{self.inner}" if self.inner else "")

    @property
    def bare_path(self) -> str:
        """The path without organization and environment, as certificates of manifests have it."""
        return f"/{self.inner}"


@dataclass(frozen=True, slots=True)
class GpgKeyPlace:
    """A GPG key, which every host may read."""

    organization: str
    label: str


@dataclass(frozen=True, slots=True, order=True)
class Site:
    """A host name, or an address with port, at whose root one environment is served."""

    host: str
    """In lower case."""
    organization: str
    environment: str


def served_path(target: str) -> str:
    """Give the path that the target of a request names, decoded, without its query.

    Stricter than `request_path`: what is written oddly is refused before anything is compared with it, so that no
    program in front of this one can read it differently. Raises InvalidValueError also for empty segments, encoded
    dots, what would change when decoded again, and a fragment.
    """
    raw = target.split("?", 1)[0]
    if _ODD.search(raw):
        raise InvalidValueError(f"the path {raw[:200]!r} has an empty segment, an encoded dot or a '#'")
    path = request_path(raw)
    if _ESCAPE.search(path):
        raise InvalidValueError(f"the path {raw[:200]!r} is encoded twice")
    return path


def place_of(path: str) -> Place | GpgKeyPlace | None:
    """Say what a path, as `served_path` gives it, names below `/content`; None when it is nothing of that."""
    segments = path.split("/")[1:]
    if len(segments) < 3 or segments[0] != CONTENT or not (is_label(segments[1]) and is_label(segments[2])):
        return None
    organization, second, rest = segments[1], segments[2], segments[3:]
    if second == GPG_KEYS:
        return GpgKeyPlace(organization, rest[0]) if len(rest) == 1 and is_label(rest[0]) else None
    if second == VIEWS:
        if len(rest) < 2 or not is_label(rest[0]) or not _VERSION.fullmatch(rest[1]):
            return None
        return Place(organization, "", "/".join(rest[2:]), ViewVersionName(rest[0], rest[1]))
    return Place(organization, second, "/".join(rest))


def parse_site(text: str) -> Site:
    """Read `cdn.example.com=ACME/Library` or `192.0.2.1:8444=ACME/Library`; raises InvalidValueError."""
    match = _SITE.fullmatch(text)
    if match is None:
        raise InvalidValueError(f"{text!r} is not HOST=ORGANIZATION/ENVIRONMENT")
    organization = check_label(match["organization"], "organization label")
    return Site(match["host"].lower(), organization, check_label(match["environment"], "lifecycle environment label"))


def parse_listen(text: str) -> tuple[str, int]:
    """Read `0.0.0.0:8443`, `[::]:8443` or `box.example.com:8443`; raises InvalidValueError."""
    match = _LISTEN.fullmatch(text)
    if match is None or not 0 <= int(match["port"]) <= 65535:
        raise InvalidValueError(f"{text!r} is not ADDRESS:PORT")
    return match["address"].strip("[]"), int(match["port"])
