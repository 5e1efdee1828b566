"""Where an organization reads Red Hat content from: showing it, and changing it for all its Red Hat repositories."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from issbox.errors import IssboxError, SourceRefusedError, UnreachableError, UpstreamError
from issbox.model import CdnLocation, CredentialKind, ProductKind, Repository, Upstream
from issbox.rules.content.cdn import base_url, check_location
from issbox.rules.content.sources import SourceChange, join_url
from issbox.rules.content.urls import PROXY_SCHEMES, check_url, mask_url
from issbox.workflows.content.credentials import require_credential
from issbox.workflows.content.sources import repoint
from issbox.workflows.content.upstreams import is_foreign, mirror_request
from issbox.workflows.context import Context, Permission
from issbox.workflows.manifests.manifests import ManifestCertificate
from issbox.yum.mirror import MirrorRequest

_WHY_NOT: Final = "On an issbox, `issbox certificate check` and its log say why not."
_HINTS: Final[Mapping[type[IssboxError], str]] = {
    UnreachableError: (
        "Check URL, proxy, CA and client certificate of the CDN location with `issbox cdn info`, and that the server "
        "is up; `issbox cdn update` changes them."
    ),
    UpstreamError: (
        f"Check the URL of the CDN location, and whether the certificate that is shown grants the path. {_WHY_NOT}"
    ),
}
"""What to do when a location fails, in place of what is said of a repository of its own."""


@dataclass(frozen=True, slots=True)
class LocationPlan:
    """What another location changes."""

    before: CdnLocation
    after: CdnLocation
    repositories: tuple[SourceChange, ...]
    """All Red Hat repositories of the organization, also those that stay as they are."""


def get_location(ctx: Context, organization: str) -> CdnLocation:
    """Give where an organization reads Red Hat content from; raises NotFoundError."""
    ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        return ctx.store.cdn_locations.get(organization)


def plan_location(ctx: Context, location: CdnLocation) -> LocationPlan:
    """Say what it changes to read Red Hat content from another location.

    Raises InvalidValueError for what does not belong together, NotFoundError for content credentials that are not
    there, SourceRefusedError for a directory of this box that belongs to another organization.
    """
    organization = location.organization
    ctx.require(Permission.CONTENT_MANAGE, organization)
    check_location(location)
    if location.proxy:
        check_url(location.proxy, PROXY_SCHEMES, "proxy URL")
    with ctx.store.session():
        before = ctx.store.cdn_locations.get(organization)
        require_credential(ctx, organization, location.ca, CredentialKind.CA_CERTIFICATE)
        require_credential(ctx, organization, location.client_certificate, CredentialKind.CLIENT_CERTIFICATE)
        if location.url is not None and is_foreign(ctx, organization, location.url):
            raise SourceRefusedError(
                f"{location.url} lies in the state directory of this box, outside the content of {organization}",
                hint="Name a mounted medium, a server, or content of the organization itself.",
            )
        changes = [
            SourceChange(each.key, each.upstream, upstream_at(location, each.path, each.upstream))
            for each in redhat_repositories(ctx, organization)
        ]
    return LocationPlan(before, location, tuple(changes))


def set_location(ctx: Context, plan: LocationPlan) -> LocationPlan:
    """Carry a plan out, in one transaction: the location, and where all Red Hat repositories are read from.

    Raises NotFoundError when a repository or content credential was deleted meanwhile; then nothing is changed.
    """
    after = plan.after
    ctx.require(Permission.CONTENT_MANAGE, after.organization)
    with ctx.store.session(), ctx.store.transaction():
        before = ctx.store.cdn_locations.get(after.organization)
        if after != before:
            ctx.store.cdn_locations.put(after)
            details = {**describe_location(after), "before": describe_location(before)}
            ctx.audit("cdn.update", after.type.value, organization=after.organization, details=details)
        made = repoint(ctx, list(plan.repositories))
    return LocationPlan(before, after, tuple(made))


def redhat_repositories(ctx: Context, organization: str) -> list[Repository]:
    """Give the repositories of all Red Hat products of an organization; call it inside a session."""
    products = ctx.store.products.list(organization)
    labels = {each.label for each in products if each.kind is ProductKind.REDHAT}
    return [each for each in ctx.store.repositories.list(organization) if each.key.product in labels]


def upstream_at(location: CdnLocation, path: str, present: Upstream) -> Upstream:
    """Give how the repository at a relative path is read from a location; its checks stay as they are."""
    base = base_url(location)
    if base is None:
        return replace(present, url=None, ca=None, client_certificate=None, proxy=None)
    return replace(
        present,
        url=join_url(base, path),
        ca=location.ca,
        client_certificate=location.client_certificate,
        proxy=location.proxy,
    )


def describe_location(location: CdnLocation) -> dict[str, object]:
    """Say in an audit entry where Red Hat content is read from, without secrets."""
    upstream = location.upstream
    return {
        "type": location.type.value,
        "url": mask_url(location.url) if location.url is not None else None,
        "ca": location.ca,
        "client_certificate": location.client_certificate,
        "proxy": mask_url(location.proxy) if location.proxy is not None else None,
        "shows_manifest": location.shows_manifest,
        "upstream": None
        if upstream is None
        else "/".join(filter(None, (upstream.organization, upstream.environment, upstream.view))),
    }


@contextmanager
def location_request(
    ctx: Context, location: CdnLocation, presented: ManifestCertificate | None = None
) -> Iterator[MirrorRequest]:
    """Put together how the location itself is read, showing a certificate of the manifest if one is given.

    What fails inside says what to do about the location, unless it knows better. Raises what `mirror_request` does.
    Call it inside a session.
    """
    upstream = replace(upstream_at(location, "", Upstream()), url=base_url(location))
    try:
        with mirror_request(ctx, location.organization, upstream, presented=presented) as request:
            yield request
    except (UnreachableError, UpstreamError) as error:
        error.hint = location_hint(error)
        raise


def location_hint(error: IssboxError) -> str:
    """Give what to do about an error of a location: its own hint, unless that is the usual one of a repository."""
    if type(error).hint == error.hint:
        return _HINTS.get(type(error), error.hint)
    refused = isinstance(error, UpstreamError) and "certificate" in error.hint and _WHY_NOT not in error.hint
    return f"{error.hint} {_WHY_NOT}" if refused else error.hint
