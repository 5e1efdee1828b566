"""Which authorities sign subscription manifests, and what happens to one that none of them signed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from issbox.certs.manifest_signature import SignatureFinding, check_signature
from issbox.config import UnsignedManifest
from issbox.errors import UntrustedManifestError
from issbox.files import error_from_os
from issbox.model import CredentialKind, SignedExport
from issbox.workflows.certificates.redhat_trust import read_redhat_ca
from issbox.workflows.content.credentials import require_credential
from issbox.workflows.context import Context

LARGEST: Final = 1 << 20
"""Bytes of a file with authorities."""


@dataclass(frozen=True, slots=True)
class ManifestTrust:
    """The authorities named for one manifest; none at all means those that the box knows."""

    texts: tuple[str, ...] = ()
    """Certificates in PEM."""
    credentials: tuple[str, ...] = ()
    """Labels of content credentials of kind ca-certificate."""


KNOWN_AUTHORITIES: Final = ManifestTrust()
"""Those that the box knows."""


def require_signature(ctx: Context, organization: str, export: SignedExport, trust: ManifestTrust) -> SignatureFinding:
    """Give who signed a manifest, or what is wrong with that when the settings let it pass.

    Raises UntrustedManifestError otherwise, and always when a trusted signer's signature is that of other bytes;
    BadCertificateError for authorities that cannot be read. Call it inside a session.
    """
    finding = check_signature(export, trusted=_authorities(ctx, organization, trust), now=ctx.clock())
    if finding.forged:
        raise UntrustedManifestError(finding.problem, hint="Somebody changed the file: find out where it comes from.")
    if finding.problem and ctx.settings.manifests.unsigned is UnsignedManifest.REFUSE:
        raise UntrustedManifestError(finding.problem)
    return finding


def _authorities(ctx: Context, organization: str, trust: ManifestTrust) -> str:
    if trust.texts or trust.credentials:
        return "\n".join((*trust.texts, *_credentials(ctx, organization, trust.credentials)))
    configured = ctx.settings.manifests.ca_file
    try:
        known = "" if configured is None else configured.read_bytes()[:LARGEST].decode("ascii", "replace")
    except OSError as error:
        raise error_from_os(error) from error
    return "\n".join((known, read_redhat_ca(ctx) or ""))


def _credentials(ctx: Context, organization: str, labels: Sequence[str]) -> list[str]:
    for label in labels:
        require_credential(ctx, organization, label, CredentialKind.CA_CERTIFICATE)
    return [ctx.store.credentials.get(organization, label).content for label in labels]
