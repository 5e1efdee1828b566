"""Locations of Red Hat content: which are complete, where `content` lies in them, and what content paths become."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote, urlsplit

from issbox.errors import InvalidValueError
from issbox.model import LIBRARY, REDHAT_CDN_URL, CdnLocation, CdnServer, CdnType, CdnUpstream
from issbox.names import check_label, path_problem
from issbox.rules.content.sources import REDHAT_HOST, join_url
from issbox.rules.content.urls import check_url
from issbox.rules.entitlements.arches import fits
from issbox.rules.serving import CONTENT

TYPES: Final = ("yum", "kickstart")
"""Types of contents that are yum repositories."""
ARCH: Final = "basearch"
RELEASE: Final = "releasever"
_KATELLO_CONTENT: Final = "pulp/content"
_VARIABLE: Final = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})")
_VALUE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~-]{0,63}")
PROXY_OF_BOX: Final = "box"
"""In place of the URL of a proxy: whichever the box has."""
_SCHEMES: Final = {
    CdnType.REDHAT_CDN: ("https",),
    CdnType.CUSTOM_CDN: ("https", "http", "file"),
    CdnType.NETWORK_SYNC: ("https",),
    CdnType.EXPORT_SYNC: ("file",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationChange:
    """What is to become of a location: None leaves a value as it is, and an empty text takes it away."""

    type: CdnType | None = None
    url: str | None = None
    ca: str | None = None
    client_certificate: str | None = None
    proxy: str | None = None
    """An empty text takes even the proxy of the box away; `PROXY_OF_BOX` is for that one again."""
    shows_manifest: bool | None = None
    organization: str | None = None
    """Label of the organization of the other box, of a network-sync."""
    environment: str | None = None
    view: str | None = None
    server: CdnServer | None = None


def changed_location(present: CdnLocation, change: LocationChange) -> CdnLocation:
    """Give a location with changes; one of another type keeps nothing of the one before.

    `check_location` says whether it is any good.
    """
    if change.type is not None and change.type is not present.type:
        present = _plain_location(present.organization, change.type)
    location = replace(
        present,
        url=_changed(present.url, change.url),
        ca=_changed(present.ca, change.ca),
        client_certificate=_changed(present.client_certificate, change.client_certificate),
        proxy=_changed_proxy(present.proxy, change.proxy),
        upstream=_changed_upstream(present.upstream, change),
    )
    if change.shows_manifest is not None:
        return replace(location, shows_manifest=change.shows_manifest)
    return replace(location, shows_manifest=location.shows_manifest and location.client_certificate is None)


def _changed(present: str | None, wanted: str | None) -> str | None:
    return present if wanted is None else wanted or None


def _changed_proxy(present: str | None, wanted: str | None) -> str | None:
    if wanted is None:
        return present
    return None if wanted == PROXY_OF_BOX else wanted


def _plain_location(organization: str, type_: CdnType) -> CdnLocation:
    shows_manifest = type_ in {CdnType.REDHAT_CDN, CdnType.NETWORK_SYNC}
    url = REDHAT_CDN_URL if type_ is CdnType.REDHAT_CDN else None
    return CdnLocation(organization, type_, url, shows_manifest=shows_manifest)


def _changed_upstream(present: CdnUpstream | None, change: LocationChange) -> CdnUpstream | None:
    if not (change.organization or change.environment or change.view or change.server):
        return None if change.organization == "" else present
    label = _changed(present.organization if present else None, change.organization)
    if label is None:
        raise InvalidValueError(
            "an environment, content view or kind of another box goes with --upstream-organization-label"
        )
    present = present or CdnUpstream(label)
    return CdnUpstream(
        label,
        _changed(present.environment, change.environment) or LIBRARY,
        _changed(present.view, change.view) or "",
        change.server or present.server,
    )


def check_location(location: CdnLocation) -> CdnLocation:
    """Give a location back; raises InvalidValueError saying what is missing or does not belong to its type."""
    type_, url = location.type, location.url
    if url is None and type_ is not CdnType.EXPORT_SYNC:
        raise InvalidValueError(f"a CDN location of type {type_} needs --url")
    if url is not None:
        check_url(url, _SCHEMES[type_], f"URL of a {type_} location")
    if type_ is CdnType.REDHAT_CDN and urlsplit(url or "").hostname != REDHAT_HOST:
        raise InvalidValueError(
            f"Red Hat's CDN is https://{REDHAT_HOST}", hint="For another server, give --type custom-cdn."
        )
    if url is None or urlsplit(url).scheme == "file":
        unused = {"a CA": location.ca, "a client certificate": location.client_certificate, "a proxy": location.proxy}
        given = [what for what, value in unused.items() if value]
        if given or location.shows_manifest:
            raise InvalidValueError(f"a directory is read without {', '.join(given) or 'certificates of a manifest'}")
    if (location.upstream is not None) != (type_ is CdnType.NETWORK_SYNC):
        raise InvalidValueError(
            "a network-sync location needs --upstream-organization-label"
            if location.upstream is None
            else f"an organization of another box belongs to type network-sync, not to {type_}"
        )
    if location.upstream is not None:
        _check_upstream(location.upstream)
    return location


def _check_upstream(upstream: CdnUpstream) -> None:
    check_label(upstream.organization, "upstream organization label")
    check_label(upstream.environment, "upstream lifecycle environment label")
    if upstream.view:
        check_label(upstream.view, "upstream content view label")
        if upstream.server is CdnServer.ISSBOX:
            raise InvalidValueError("an issbox serves environments, without content views: leave the view out")


def base_url(location: CdnLocation) -> str | None:
    """Give the URL of the directory that `content/dist/...` lies in; None when repositories have no URL."""
    upstream = location.upstream
    if location.url is None or upstream is None:
        return location.url
    if upstream.server is CdnServer.ISSBOX:
        return join_url(location.url, f"{CONTENT}/{upstream.organization}/{upstream.environment}")
    view = f"/{upstream.view}" if upstream.view else ""
    return join_url(location.url, f"{_KATELLO_CONTENT}/{upstream.organization}/{upstream.environment}{view}")


def lies_below(url: str | None, base: str | None) -> bool:
    """Tell whether a repository is read from below a base."""
    if url is None or base is None:
        return False
    one, other = urlsplit(url), urlsplit(base)
    same = (one.scheme, one.netloc, one.query) == (other.scheme, other.netloc, other.query)
    return same and f"{one.path.rstrip('/')}/".startswith(f"{other.path.rstrip('/')}/")


def template_segments(template: str) -> list[str] | None:
    """Give the segments of a content path; None when it is none that repositories can be made of."""
    segments = template.strip("/").split("/")
    for each in segments:
        if "$" in each:
            if not _VARIABLE.fullmatch(each):
                return None
        elif path_problem(each) is not None or quote(each, safe="+~") != each:
            return None
    return segments


def variable_of(segment: str) -> str | None:
    """Give the name of the variable that a segment is; None when it stands for itself."""
    match = _VARIABLE.fullmatch(segment)
    return None if match is None else match[1] or match[2]


def fits_variable(variable: str, value: str, arches: Sequence[str]) -> bool:
    """Tell whether a name found in a listing can be the value of a variable, of a content for these architectures."""
    if not _VALUE.fullmatch(value) or ".." in value:
        return False
    return variable != ARCH or fits(arches, [value])


def fill(template: str, values: Mapping[str, str]) -> str:
    """Give the relative path that a content path is with these values.

    Raises InvalidValueError for a path that no repository can be made of, and naming the variables that have no value
    or are not in the path.
    """
    segments = template_segments(template)
    if segments is None:
        raise InvalidValueError(f"no repository can be made of the content path {template[:200]!r}")
    wanted = list(filter(None, map(variable_of, segments)))
    missing = [name for name in dict.fromkeys(wanted) if name not in values]
    if missing:
        raise InvalidValueError(
            f"the content path {template} needs a value for {', '.join(missing)}",
            hint="Give --release and --arch as `issbox cdn choices` shows them.",
        )
    unused = sorted(set(values) - set(wanted))
    if unused:
        raise InvalidValueError(f"the content path {template} has no {', '.join(unused)}: leave it out")
    for name, value in values.items():
        if not fits_variable(name, value, ()):
            raise InvalidValueError(f"{value[:80]!r} cannot be the {name} of a path")
    return "/".join(values.get(variable_of(each) or "", each) for each in segments)
