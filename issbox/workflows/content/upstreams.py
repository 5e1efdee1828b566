"""How upstream repositories are reached: the one that is stored, or another place for one run, and what is refused."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from issbox.errors import SourceRefusedError
from issbox.files import atomic_write
from issbox.model import CredentialKind, Product, Upstream
from issbox.rules.content.sources import misfit
from issbox.rules.content.urls import PROXY_SCHEMES, check_url, mask_url
from issbox.workflows.content.credentials import client_key_path, require_credential
from issbox.workflows.context import Context, Permission
from issbox.yum.address import parse_address
from issbox.yum.request import MirrorRequest

if TYPE_CHECKING:
    from issbox.workflows.manifests.manifests import ManifestCertificate


@dataclass(frozen=True, slots=True)
class TemporarySource:
    """Where a repository is synchronized from this once. What is stored of its own source is not shown to this one."""

    url: str
    """http, https or file."""
    ca: str | None = None
    """Label of a content credential; None means the CAs of the system."""
    client_certificate: str | None = None
    """Label of a content credential; None means that none is shown."""
    proxy: str | None = None
    """None means the proxy of the box, if it has one, and an empty text none."""
    check_metadata: bool | None = None
    """None means as the repository says, here and below."""
    check_packages: bool | None = None
    unrelated: bool = False
    """Whether it may list none of the packages that the repository has."""

    def instead_of(self, upstream: Upstream) -> Upstream:
        """Give how the repository is reached this once."""
        return Upstream(
            self.url,
            self.ca or None,
            self.client_certificate or None,
            self.proxy,
            upstream.check_metadata if self.check_metadata is None else self.check_metadata,
            upstream.check_packages if self.check_packages is None else self.check_packages,
        )


def check_upstream(ctx: Context, organization: str, upstream: Upstream) -> None:
    """Look whether an upstream can be used as it is described.

    Raises InvalidValueError for its URLs and for credentials of another kind, NotFoundError for credentials that do not
    exist. Call it inside a session.
    """
    if upstream.url is not None:
        check_url(upstream.url)
    if upstream.proxy:
        check_url(upstream.proxy, PROXY_SCHEMES, "proxy URL")
    require_credential(ctx, organization, upstream.ca, CredentialKind.CA_CERTIFICATE)
    require_credential(ctx, organization, upstream.client_certificate, CredentialKind.CLIENT_CERTIFICATE)


def require_upstream(ctx: Context, product: Product, upstream: Upstream) -> None:
    """Look whether repositories of a product may have this upstream.

    Raises what `check_upstream` and `require_source` do.
    """
    check_upstream(ctx, product.organization, upstream)
    if upstream.url is not None:
        require_source(ctx, product, upstream.url)


def describe_upstream(upstream: Upstream) -> dict[str, object]:
    """Say in an audit entry where a repository comes from, without secrets."""
    return {
        "url": mask_url(upstream.url) if upstream.url is not None else None,
        "ca": upstream.ca,
        "client_certificate": upstream.client_certificate,
        "proxy": mask_url(upstream.proxy) if upstream.proxy is not None else None,
        "check_metadata": upstream.check_metadata,
        "check_packages": upstream.check_packages,
    }


def require_source(ctx: Context, product: Product, url: str) -> None:
    """Go on only when repositories of the product may be filled from this place.

    Raises SourceRefusedError for content of the other kind, and for a directory of this box that does not belong to the
    product's organization, unless who asks may see all of them.
    """
    reason = misfit(product.kind, url)
    if reason is not None:
        raise SourceRefusedError(f"the product {product.label} cannot be filled from {mask_url(url)}: {reason}")
    if is_foreign(ctx, product.organization, url):
        raise SourceRefusedError(
            f"{mask_url(url)} lies in the state directory of this box, outside the content of {product.organization}",
            hint="Name a mounted medium, a server, or content of the organization itself.",
        )


def is_foreign(ctx: Context, organization: str, url: str) -> bool:
    """Tell whether a file URL leads to what other organizations of this box have."""
    address = parse_address(url)
    if address.scheme != "file" or ctx.reach(Permission.CONTENT_MANAGE).everywhere:
        return False
    state = ctx.store.state_dir.resolve()
    directory = address.directory
    own = ctx.store.state_dir / "content" / organization
    sees_all = ctx.reach(Permission.CONTENT_READ).products(organization).labels is None
    if sees_all and ".." not in directory.parts and directory.is_relative_to(own):
        return False
    return Path(os.path.realpath(directory)).is_relative_to(state)


@contextmanager
def mirror_request(
    ctx: Context,
    organization: str,
    upstream: Upstream,
    gpg_key: str | None = None,
    *,
    presented: "ManifestCertificate | None" = None,
) -> Iterator[MirrorRequest]:
    """Put together how an upstream is reached; the client certificate lies in a file only as long as it is needed.

    `gpg_key` is the label of a content credential. The server is shown the upstream's client certificate, or else
    `presented`. Raises what `check_upstream` does, also when there is no URL.
    """
    check_upstream(ctx, organization, upstream)
    check_url(upstream.url or "")
    settings = ctx.settings.synchronize

    def content(label: str) -> str:
        return ctx.store.credentials.get(organization, label).content

    with tempfile.TemporaryDirectory(prefix="issbox-") as directory:
        certificate = presented.certificate if presented is not None else None
        key = presented.key if presented is not None else None
        if upstream.client_certificate is not None:
            certificate = Path(directory, "client.pem")
            with atomic_write(certificate, mode=0o600) as out:
                out.write(content(upstream.client_certificate).encode())
            key = client_key_path(ctx.store.state_dir, organization, upstream.client_certificate)
        yield MirrorRequest(
            url=upstream.url or "",
            ca_pem=content(upstream.ca) if upstream.ca is not None else None,
            client_certificate=certificate,
            client_key=key,
            proxy=(settings.proxy if upstream.proxy is None else upstream.proxy) or None,
            gpg_keys=(content(gpg_key),) if gpg_key is not None else (),
            check_metadata=upstream.check_metadata,
            check_packages=upstream.check_packages,
            downloads=settings.downloads,
            retries=settings.retries,
            timeout_seconds=settings.timeout_seconds,
            max_metadata_size=settings.max_metadata_size,
        )
