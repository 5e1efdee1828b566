"""Which certificate a server of Red Hat content is shown: that of its location, or one of the subscription manifest."""

from collections.abc import Iterable

from issbox.certs.decode import decode_certificate
from issbox.errors import BadCertificateError
from issbox.model import CdnLocation, Content, Product, ProductKind, Upstream
from issbox.rules.content.cdn import base_url, lies_below
from issbox.rules.entitlements.path_tree import EMPTY, PathTree, grants
from issbox.workflows.context import Context
from issbox.workflows.manifests.manifest_keys import read_certificate
from issbox.workflows.manifests.manifests import ManifestCertificate, manifest_certificate, valid_certificates


def certificate_for(ctx: Context, product: Product, path: str, upstream: Upstream) -> ManifestCertificate | None:
    """Give the certificate of the manifest that a repository at a relative path is fetched with; None for none.

    It is shown only where the organization's location is, and only when nothing else is. Raises NotFoundError when the
    manifest has none that opens the path now. Call it inside a session.
    """
    if product.kind is not ProductKind.REDHAT or upstream.client_certificate is not None:
        return None
    location = ctx.store.cdn_locations.get(product.organization)
    if not location.shows_manifest or not lies_below(upstream.url, base_url(location)):
        return None
    return manifest_certificate(ctx, product.organization, f"/{path}")


def by_certificate(
    ctx: Context, location: CdnLocation, contents: Iterable[Content]
) -> list[tuple[ManifestCertificate | None, list[Content]]]:
    """Give contents by the certificate of the manifest that opens them; those that none opens are left out.

    Without certificates of a manifest, all of them for None. Raises NotFoundError when the manifest has none that is
    valid now. Call it inside a session.
    """
    if not location.shows_manifest:
        return [(None, list(contents))]
    groups: list[tuple[ManifestCertificate, PathTree, list[Content]]] = [
        (each, _tree(each), []) for each in valid_certificates(ctx, location.organization)
    ]
    for content in contents:
        for _, tree, opened in groups:
            if grants(tree, content.path):
                opened.append(content)
                break
    return [(each, opened) for each, _, opened in groups if opened]


def _tree(certificate: ManifestCertificate) -> PathTree:
    try:
        return decode_certificate(read_certificate(certificate.certificate)).tree
    except BadCertificateError:
        return EMPTY  # one that cannot be read opens nothing
