"""Asking the portal for the manifest as it is now, with the identity that the present one brought along."""

from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import urlsplit

from issbox.bundle.subscription.archive import LARGEST_ARCHIVE
from issbox.errors import InvalidValueError, IssboxError, NotFoundError, UnreachableError, UpstreamError
from issbox.files import error_from_os
from issbox.model import ManifestAction, ManifestConflict
from issbox.rules.content.urls import check_url, mask_url
from issbox.workflows.context import Context, Permission
from issbox.workflows.manifests.manifest_importing import ManifestChange, import_manifest
from issbox.workflows.manifests.manifest_trust import KNOWN_AUTHORITIES, LARGEST, ManifestTrust
from issbox.workflows.manifests.manifests import distributor_identity
from issbox.yum.request import MirrorRequest
from issbox.yum.single import read_one

_EXPORT: Final = "export"
_PATIENCE: Final = 600.0
"""Seconds without a byte: the portal puts a manifest together while one waits."""
_UNREADABLE: Final[Mapping[type[IssboxError], str]] = {
    UnreachableError: "Check that this box reaches the portal: [synchronize] proxy and [manifests] portal_ca_file.",
    UpstreamError: "Check in the portal that the manifest is still there and its certificates are still valid.",
}
_BY_HAND: Final = "Export the manifest in the portal, and run `issbox manifest import FILE.zip`."


def refresh_manifest(
    ctx: Context,
    organization: str,
    *,
    trust: ManifestTrust = KNOWN_AUTHORITIES,
    force: Collection[ManifestConflict] = (),
    dry_run: bool = False,
) -> ManifestChange:
    """Fetch the manifest of an organization as it is now and take it in, or with `dry_run` only say what it changes.

    Raises NotFoundError without a manifest or when it does not say where newer ones come from, UnreachableError,
    UpstreamError, and what `import_manifest` does.
    """
    ctx.require(Permission.CONTENT_MANAGE, organization)
    try:
        data = read_one(_request(ctx, organization), _EXPORT, LARGEST_ARCHIVE)
    except (UnreachableError, UpstreamError) as error:
        error.hint = f"{_UNREADABLE[type(error)]} Or without it: {_BY_HAND}"
        raise
    name = f"the manifest of {organization} in the portal"
    return import_manifest(
        ctx, organization, data, name, trust=trust, force=force, action=ManifestAction.REFRESH, dry_run=dry_run
    )


def _request(ctx: Context, organization: str) -> MirrorRequest:
    with ctx.store.session():
        distributor = ctx.store.manifests.get(organization).distributor
    identity = distributor_identity(ctx, organization)
    if not distributor.api_url:
        raise NotFoundError(f"the manifest of {organization} does not say where newer ones come from", hint=_BY_HAND)
    address = distributor.api_url if "://" in distributor.api_url else f"https://{distributor.api_url}"
    url = f"{check_url(address).rstrip('/')}/{distributor.uuid}"
    if urlsplit(url).scheme != "https":
        raise InvalidValueError(f"{mask_url(url)} is not asked for a manifest, since it is not https", hint=_BY_HAND)
    settings = ctx.settings.synchronize
    return MirrorRequest(
        url=url,
        ca_pem=_authorities(ctx),
        client_certificate=identity.certificate,
        client_key=identity.key,
        proxy=settings.proxy,
        retries=settings.retries,
        timeout_seconds=max(settings.timeout_seconds, _PATIENCE),
    )


def _authorities(ctx: Context) -> str | None:
    path = ctx.settings.manifests.portal_ca_file
    try:
        return None if path is None else path.read_bytes()[:LARGEST].decode("ascii", "replace")
    except OSError as error:
        raise error_from_os(error) from error
