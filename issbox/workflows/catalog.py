"""Organizations, products, content credentials and repositories: making, showing, changing and deleting them.

Every change is one transaction with its audit entry. In updates, None leaves a value as it is and an empty text
takes it away. Secrets of URLs never reach the audit log.
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import uuid4

from issbox.errors import InvalidValueError, NotFoundError, RedHatProductError
from issbox.model import (
    Content,
    ContentCredential,
    CredentialKind,
    Organization,
    Product,
    ProductKind,
    Repository,
    RepositoryKey,
    RepositoryVersion,
    Upstream,
)
from issbox.names import check_label, check_name
from issbox.rules.layout import custom_path
from issbox.rules.urls import PROXY_SCHEMES, check_url, mask_url
from issbox.workflows.context import Context
from issbox.workflows.credentials import check_content, client_key_path, store_private_key
from issbox.workflows.publishing import changing_content, point_environment


def create_organization(ctx: Context, *, label: str, name: str) -> Organization:
    """Make an organization with its Library; raises AlreadyExistsError."""
    check_label(label, "organization label")
    check_name(name, "organization name")
    with ctx.store.session(), ctx.store.transaction():
        organization = ctx.store.organizations.create(label, name)
        ctx.audit("organization.create", label, organization=label, details={"name": name})
        return organization


def list_organizations(ctx: Context) -> list[Organization]:
    """Give all organizations."""
    with ctx.store.session():
        return list(ctx.store.organizations.list())


def get_organization(ctx: Context, label: str) -> Organization:
    """Give one organization; raises NotFoundError."""
    with ctx.store.session():
        return ctx.store.organizations.get(label)


def choose_organization(ctx: Context, label: str | None) -> str:
    """Give the label of the organization meant: the one named, or the only one.

    Raises NotFoundError when it does not exist, InvalidValueError when none is named but there are several.
    """
    if label is not None:
        return get_organization(ctx, label).label
    labels = [organization.label for organization in list_organizations(ctx)]
    if not labels:
        raise NotFoundError("this box has no organization", hint="Make one with `issbox organization create`.")
    if len(labels) > 1:
        raise InvalidValueError(
            f"this box has several organizations: {', '.join(labels)}", hint="Name one of them with --organization."
        )
    return labels[0]


def update_organization(ctx: Context, label: str, *, name: str) -> Organization:
    """Change the name of an organization."""
    check_name(name, "organization name")
    with ctx.store.session(), ctx.store.transaction():
        organization = ctx.store.organizations.update(label, name=name)
        ctx.audit("organization.update", label, organization=label, details={"name": name})
        return organization


def delete_organization(ctx: Context, label: str) -> Organization:
    """Delete an organization and give what it was; raises InUseError while it has products."""
    with ctx.store.session(), ctx.store.transaction():
        organization = ctx.store.organizations.get(label)
        ctx.store.organizations.delete(label)
        ctx.audit("organization.delete", label, organization=label, details={"name": organization.name})
        return organization


def create_product(
    ctx: Context, *, organization: str, label: str, name: str, description: str = "", gpg_key: str | None = None
) -> Product:
    """Make a custom product. `gpg_key` is the label of a content credential."""
    check_label(label, "product label")
    check_name(name, "product name")
    product = Product(organization, label, name, ProductKind.CUSTOM, description, gpg_key or None)
    with ctx.store.session(), ctx.store.transaction():
        ctx.store.organizations.get(organization)
        _require_credential(ctx, organization, gpg_key, CredentialKind.GPG_KEY)
        product = ctx.store.products.create(product)
        ctx.audit("product.create", label, organization=organization, details={"name": name, "gpg_key": gpg_key})
        return product


def list_products(ctx: Context, organization: str) -> list[Product]:
    """Give the products of an organization."""
    with ctx.store.session():
        ctx.store.organizations.get(organization)
        return list(ctx.store.products.list(organization))


def get_product(ctx: Context, organization: str, label: str) -> Product:
    """Give one product; raises NotFoundError."""
    with ctx.store.session():
        return ctx.store.products.get(organization, label)


def update_product(
    ctx: Context,
    organization: str,
    label: str,
    *,
    name: str | None = None,
    description: str | None = None,
    gpg_key: str | None = None,
) -> Product:
    """Change a custom product; raises RedHatProductError for one that a subscription manifest made."""
    changes: dict[str, Any] = {}
    if name is not None:
        changes["name"] = check_name(name, "product name")
    if description is not None:
        changes["description"] = description
    if gpg_key is not None:
        changes["gpg_key"] = gpg_key or None
    with ctx.store.session(), ctx.store.transaction():
        _require_custom(ctx.store.products.get(organization, label))
        _require_credential(ctx, organization, gpg_key, CredentialKind.GPG_KEY)
        product = ctx.store.products.update(organization, label, **changes)
        ctx.audit("product.update", label, organization=organization, details=changes)
        return product


def delete_product(ctx: Context, organization: str, label: str) -> Product:
    """Delete a custom product and give what it was; raises InUseError while it has repositories."""
    with ctx.store.session(), ctx.store.transaction():
        product = ctx.store.products.get(organization, label)
        _require_custom(product)
        ctx.store.products.delete(organization, label)
        ctx.audit("product.delete", label, organization=organization, details={"name": product.name})
        return product


def create_credential(
    ctx: Context,
    *,
    organization: str,
    label: str,
    name: str,
    kind: CredentialKind,
    content: str,
    private_key: str | None = None,
) -> ContentCredential:
    """Keep a GPG key or certificate; a client certificate's private key goes to a file of its own, mode 0600.

    Raises InvalidValueError for content that is not of this kind, AlreadyExistsError for a label in use.
    """
    check_label(label, "content credential label")
    check_name(name, "content credential name")
    content, private_key = check_content(kind, content, private_key)
    key_file = client_key_path(ctx.store.state_dir, organization, label)
    written = False
    try:
        with ctx.store.session(), ctx.store.transaction():
            ctx.store.organizations.get(organization)
            credential = ctx.store.credentials.create(ContentCredential(organization, label, name, kind, content))
            if private_key is not None:
                store_private_key(key_file, private_key)
                written = True
            digest = hashlib.sha256(content.encode()).hexdigest()
            details: dict[str, object] = {"name": name, "kind": str(kind), "sha256": digest}
            ctx.audit("content-credential.create", label, organization=organization, details=details)
    except BaseException:
        if written:
            key_file.unlink(missing_ok=True)
        raise
    return credential


def list_credentials(ctx: Context, organization: str) -> list[ContentCredential]:
    """Give the content credentials of an organization."""
    with ctx.store.session():
        ctx.store.organizations.get(organization)
        return list(ctx.store.credentials.list(organization))


def get_credential(ctx: Context, organization: str, label: str) -> ContentCredential:
    """Give one content credential; raises NotFoundError."""
    with ctx.store.session():
        return ctx.store.credentials.get(organization, label)


def delete_credential(ctx: Context, organization: str, label: str) -> ContentCredential:
    """Delete a content credential and its private key, and give what it was; raises InUseError."""
    with ctx.store.session(), ctx.store.transaction():
        credential = ctx.store.credentials.get(organization, label)
        ctx.store.credentials.delete(organization, label)
        details: dict[str, object] = {"name": credential.name, "kind": str(credential.kind)}
        ctx.audit("content-credential.delete", label, organization=organization, details=details)
    key_file = client_key_path(ctx.store.state_dir, organization, label)
    key_file.unlink(missing_ok=True)
    with suppress(OSError):  # other credentials still have keys there
        key_file.parent.rmdir()
    return credential


def create_repository(
    ctx: Context,
    *,
    organization: str,
    product: str,
    label: str,
    name: str,
    url: str | None = None,
    arches: Sequence[str] = (),
    gpg_key: str | None = None,
    ca: str | None = None,
    client_certificate: str | None = None,
    proxy: str | None = None,
    check_packages: bool = False,
) -> Repository:
    """Make a repository of a custom product, with its content at `/custom/<product>/<repository>`.

    Without a URL only imports fill it. Raises RedHatProductError for a product of a subscription manifest.
    """
    check_label(label, "repository label")
    check_name(name, "repository name")
    key = RepositoryKey(organization, product, label)
    upstream = Upstream(url or None, ca or None, client_certificate or None, proxy or None, check_packages)
    _check_upstream(upstream)
    path = custom_path(product, label)
    with ctx.store.session(), ctx.store.transaction():
        _require_custom(ctx.store.products.get(organization, product))
        _require_upstream_credentials(ctx, organization, upstream)
        _require_credential(ctx, organization, gpg_key, CredentialKind.GPG_KEY)
        content_label = _content_label(ctx, key)
        content = Content(str(uuid4()), content_label, name, f"/{path}", arches=tuple(arches))
        repository = ctx.store.repositories.create(
            Repository(key, name, content, path, gpg_key=gpg_key or None, upstream=upstream)
        )
        details = {"name": name, "gpg_key": gpg_key, **_describe_upstream(upstream)}
        ctx.audit("repository.create", f"{product}/{label}", organization=organization, details=details)
        return repository


def list_repositories(ctx: Context, organization: str, product: str | None = None) -> list[Repository]:
    """Give the repositories of an organization or of one of its products."""
    with ctx.store.session():
        ctx.store.organizations.get(organization)
        if product is not None:
            ctx.store.products.get(organization, product)
        return list(ctx.store.repositories.list(organization, product))


def get_repository(ctx: Context, key: RepositoryKey) -> Repository:
    """Give one repository; raises NotFoundError."""
    with ctx.store.session():
        return ctx.store.repositories.get(key)


def list_versions(ctx: Context, key: RepositoryKey) -> list[RepositoryVersion]:
    """Give the versions of a repository, oldest first."""
    with ctx.store.session():
        ctx.store.repositories.get(key)
        return sorted(ctx.store.versions.list(key), key=lambda version: version.number)


def update_repository(
    ctx: Context,
    key: RepositoryKey,
    *,
    name: str | None = None,
    url: str | None = None,
    gpg_key: str | None = None,
    ca: str | None = None,
    client_certificate: str | None = None,
    proxy: str | None = None,
    check_packages: bool | None = None,
) -> Repository:
    """Change a repository's name, keys, or where and how it is synchronized."""
    changes: dict[str, Any] = {}
    if name is not None:
        changes["name"] = check_name(name, "repository name")
    if gpg_key is not None:
        changes["gpg_key"] = gpg_key or None
    given = {"url": url, "ca": ca, "client_certificate": client_certificate, "proxy": proxy}
    wanted: dict[str, Any] = {field: value or None for field, value in given.items() if value is not None}
    if check_packages is not None:
        wanted["check_packages"] = check_packages
    with ctx.store.session(), ctx.store.transaction():
        upstream = replace(ctx.store.repositories.get(key).upstream, **wanted)
        _check_upstream(upstream)
        _require_upstream_credentials(ctx, key.organization, upstream)
        _require_credential(ctx, key.organization, gpg_key, CredentialKind.GPG_KEY)
        details = changes | {name: _describe_upstream(upstream)[name] for name in wanted}
        if wanted:
            changes["upstream"] = upstream
        repository = ctx.store.repositories.update(key, **changes)
        ctx.audit("repository.update", f"{key.product}/{key.label}", organization=key.organization, details=details)
        return repository


def delete_repository(ctx: Context, key: RepositoryKey) -> Repository:
    """Delete a repository with all its versions and give what it was.

    The packages stay in the store until cleanup finds that no other repository needs them. Raises BusyError while it
    is being synchronized or imported.
    """
    with ctx.store.session(), changing_content(ctx, [key]):
        repository = ctx.store.repositories.get(key)
        numbers = [version.number for version in ctx.store.versions.list(key)]
        with ctx.store.transaction():
            ctx.store.repositories.delete(key)
            ctx.audit(
                "repository.delete",
                f"{key.product}/{key.label}",
                organization=key.organization,
                details={"name": repository.name, "versions": len(numbers)},
            )
        for environment in ctx.store.environments.list(key.organization):
            point_environment(ctx, key.organization, environment.label)
        for number in numbers:
            ctx.store.trees.remove(key, number)
        return repository


def _check_upstream(upstream: Upstream) -> None:
    if upstream.url is not None:
        check_url(upstream.url)
    if upstream.proxy is not None:
        check_url(upstream.proxy, PROXY_SCHEMES, "proxy URL")


def _describe_upstream(upstream: Upstream) -> dict[str, object]:
    """Say in an audit entry where a repository comes from, without secrets."""
    return {
        "url": mask_url(upstream.url) if upstream.url is not None else None,
        "ca": upstream.ca,
        "client_certificate": upstream.client_certificate,
        "proxy": mask_url(upstream.proxy) if upstream.proxy is not None else None,
        "check_packages": upstream.check_packages,
    }


def _require_upstream_credentials(ctx: Context, organization: str, upstream: Upstream) -> None:
    _require_credential(ctx, organization, upstream.ca, CredentialKind.CA_CERTIFICATE)
    _require_credential(ctx, organization, upstream.client_certificate, CredentialKind.CLIENT_CERTIFICATE)


def _require_credential(ctx: Context, organization: str, label: str | None, kind: CredentialKind) -> None:
    """Raise NotFoundError or InvalidValueError when the label names no content credential of this kind."""
    if label:
        credential = ctx.store.credentials.get(organization, label)
        if credential.kind is not kind:
            raise InvalidValueError(f"the content credential {label} is a {credential.kind}, not a {kind}")


def _require_custom(product: Product) -> None:
    if product.kind is not ProductKind.CUSTOM:
        raise RedHatProductError(f"{product.label} is a Red Hat product, which only a subscription manifest changes")


def _content_label(ctx: Context, key: RepositoryKey) -> str:
    """Give a label for the content of a new repository that is unique in its organization.

    Usually `<product>_<repository>`, which is what hosts see as the id of the repository; with a digest when that is
    too long, or taken because labels may hold `_` themselves.
    """
    label = f"{key.product}_{key.label}"
    taken = {repository.content.label for repository in ctx.store.repositories.list(key.organization)}
    if len(label) <= 128 and label not in taken:
        return label
    return f"{label[:111]}_{hashlib.sha256(f'{key.product}/{key.label}'.encode()).hexdigest()[:16]}"
