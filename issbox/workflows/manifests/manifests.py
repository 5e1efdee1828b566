"""Subscription manifests: what an organization has, what happened to it, and what opens the CDN."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from issbox.certs.manifest_signature import opens
from issbox.errors import NotFoundError
from issbox.model import ManifestEvent, ManifestRecord, OfferedContent
from issbox.names import format_time
from issbox.workflows.context import Context, Permission
from issbox.workflows.manifests.manifest_keys import IDENTITY, certificate_path, key_path, read_certificate


@dataclass(frozen=True, slots=True)
class ManifestOverview:
    """A manifest and what it offers."""

    record: ManifestRecord
    offered: Mapping[str, Sequence[OfferedContent]]
    """By product label, as far as who asks may see."""


@dataclass(frozen=True, slots=True)
class ManifestCertificate:
    """The client certificate that an organization reads the CDN with."""

    serial: str
    certificate: Path
    """PEM, mode 0600."""
    key: Path
    """PEM without a passphrase, mode 0600."""


def show_manifest(ctx: Context, organization: str) -> ManifestOverview:
    """Give the manifest of an organization and what it offers; raises NotFoundError."""
    offered = manifest_contents(ctx, organization)
    with ctx.store.session():
        return ManifestOverview(ctx.store.manifests.get(organization), offered)


def manifest_contents(ctx: Context, organization: str) -> dict[str, list[OfferedContent]]:
    """Give what the manifest of an organization offers, by product label, as far as who asks may see.

    Nothing when there is no manifest; raises NotFoundError for the organization.
    """
    seen = ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        offered = ctx.store.manifests.offered(organization)
        return {label: contents for label, contents in offered.items() if label in seen}


def manifest_history(ctx: Context, organization: str) -> list[ManifestEvent]:
    """Give what happened to the manifests of an organization, the newest first; raises NotFoundError."""
    ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        return list(ctx.store.manifests.history(organization))


def manifest_certificate(ctx: Context, organization: str, path: str | None = None) -> ManifestCertificate:
    """Give the certificate and key of the organization's manifest that a CDN is read with, as files.

    With a path such as `/content/dist/rhel9/9.4/x86_64/baseos/os` it is one that opens it, else the one that opens
    most. Raises NotFoundError when there is no manifest, or none of its certificates is valid now and opens the path.
    """
    for found in valid_certificates(ctx, organization):
        if path is None or opens(read_certificate(found.certificate), path):
            return found
    raise NotFoundError(
        f"no certificate of the manifest of {organization} opens {path}",
        hint="Add a subscription that includes it to the manifest, export it anew and import it.",
    )


def valid_certificates(ctx: Context, organization: str) -> list[ManifestCertificate]:
    """Give the certificates of the organization's manifest that are valid now, the one that opens most first.

    Raises NotFoundError when there is no manifest or no such certificate.
    """
    with ctx.store.session():
        record = ctx.store.manifests.get(organization)
    now = ctx.clock()
    valid = [each for each in record.certificates if each.valid.holds(now)]
    if not valid:
        ends = max((each.valid.not_after for each in record.certificates), default=None)
        until = "" if ends is None else f": the last one was valid until {format_time(ends)}"
        raise NotFoundError(
            f"the manifest of {organization} has no certificate that is valid now{until}",
            hint="Export a new manifest and import it, or run `issbox manifest refresh`.",
        )
    return [
        ManifestCertificate(
            each.serial,
            certificate_path(ctx, organization, record.id, each.serial),
            key_path(ctx, organization, record.id, each.serial),
        )
        for each in sorted(valid, key=lambda one: (-one.paths, one.serial))
    ]


def distributor_identity(ctx: Context, organization: str) -> ManifestCertificate:
    """Give the certificate and key that a newer manifest is asked for with; raises NotFoundError."""
    with ctx.store.session():
        record = ctx.store.manifests.get(organization)
    if not record.identity:
        raise NotFoundError(
            f"the manifest of {organization} came without the identity of its distributor",
            hint="Export a new manifest in the portal and import it.",
        )
    return ManifestCertificate(
        IDENTITY,
        certificate_path(ctx, organization, record.id, IDENTITY),
        key_path(ctx, organization, record.id, IDENTITY),
    )
