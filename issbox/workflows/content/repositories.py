"""Repositories of custom products: making, showing, changing and deleting them.

Every change is one transaction with its audit entry. In updates, None leaves a value as it is and an empty text
takes it away. Secrets of URLs never reach the audit log.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from issbox.errors import InUseError, InvalidValueError
from issbox.model import Content, CredentialKind, Repository, RepositoryKey, RepositoryVersion, Upstream
from issbox.names import check_label, check_name
from issbox.rules.bundles.layout import custom_path
from issbox.workflows.certificates.following import certificates_follow
from issbox.workflows.content.catalog import require_custom
from issbox.workflows.content.credentials import require_credential
from issbox.workflows.content.publishing import changing_content, point_environment
from issbox.workflows.content.upstreams import describe_upstream, require_upstream
from issbox.workflows.context import Context, Permission


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
    check_metadata: bool = True,
    check_packages: bool = False,
) -> Repository:
    """Make a repository of a custom product, with its content at `/custom/<product>/<repository>`.

    Without a URL only imports fill it. Raises RedHatProductError for a product of a subscription manifest.
    """
    ctx.require(Permission.CONTENT_MANAGE, organization, [product])
    check_label(label, "repository label")
    check_name(name, "repository name")
    check_arches(arches)
    key = RepositoryKey(organization, product, label)
    upstream = Upstream(
        url or None,
        ca or None,
        client_certificate or None,
        proxy or None,
        check_metadata=check_metadata,
        check_packages=check_packages,
    )
    path = custom_path(product, label)
    with ctx.store.session(), ctx.store.transaction():
        owner = ctx.store.products.get(organization, product)
        require_custom(owner)
        require_upstream(ctx, owner, upstream)
        require_credential(ctx, organization, gpg_key, CredentialKind.GPG_KEY)
        content_label = _content_label(ctx, key)
        content = Content(str(uuid4()), content_label, name, f"/{path}", arches=tuple(arches))
        with certificates_follow(ctx, organization):
            repository = ctx.store.repositories.create(
                Repository(key, name, content, path, gpg_key=gpg_key or None, upstream=upstream)
            )
        details = {"name": name, "gpg_key": gpg_key, **describe_upstream(upstream)}
        ctx.audit("repository.create", f"{product}/{label}", organization=organization, details=details)
        return repository


def list_repositories(ctx: Context, organization: str, product: str | None = None) -> list[Repository]:
    """Give the repositories of an organization or of one of its products, those that who asks may see."""
    seen = ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        ctx.store.organizations.get(organization)
        if product is not None:
            ctx.store.products.get(organization, product)
        return [each for each in ctx.store.repositories.list(organization, product) if each.key.product in seen]


def get_repository(ctx: Context, key: RepositoryKey) -> Repository:
    """Give one repository; raises NotFoundError."""
    ctx.require(Permission.CONTENT_READ, key.organization, [key.product])
    with ctx.store.session():
        return ctx.store.repositories.get(key)


def list_versions(ctx: Context, key: RepositoryKey) -> list[RepositoryVersion]:
    """Give the versions of a repository, oldest first."""
    ctx.require(Permission.CONTENT_READ, key.organization, [key.product])
    with ctx.store.session():
        ctx.store.repositories.get(key)
        return sorted(ctx.store.versions.list(key), key=lambda version: version.number)


def update_repository(
    ctx: Context,
    key: RepositoryKey,
    *,
    name: str | None = None,
    url: str | None = None,
    arches: Sequence[str] | None = None,
    gpg_key: str | None = None,
    ca: str | None = None,
    client_certificate: str | None = None,
    proxy: str | None = None,
    check_metadata: bool | None = None,
    check_packages: bool | None = None,
    unprotected: bool | None = None,
) -> Repository:
    """Change a repository's name, keys, architectures, who may read it, or where and how it is synchronized.

    Raises RedHatProductError for architectures of a product that a subscription manifest made, SourceRefusedError for a
    URL whose content is not for this product.
    """
    ctx.require(Permission.CONTENT_MANAGE, key.organization, [key.product])
    changes: dict[str, Any] = {}
    if name is not None:
        changes["name"] = check_name(name, "repository name")
    if gpg_key is not None:
        changes["gpg_key"] = gpg_key or None
    if arches is not None:
        check_arches(arches)
    if unprotected is not None:
        changes["unprotected"] = unprotected
    given = {"url": url, "ca": ca, "client_certificate": client_certificate, "proxy": proxy}
    wanted: dict[str, Any] = {field: value or None for field, value in given.items() if value is not None}
    checks = {"check_metadata": check_metadata, "check_packages": check_packages}
    wanted |= {field: check for field, check in checks.items() if check is not None}
    with ctx.store.session(), ctx.store.transaction():
        present, product = ctx.store.repositories.get(key), ctx.store.products.get(key.organization, key.product)
        upstream = replace(present.upstream, **wanted)
        require_upstream(ctx, product, upstream)
        require_credential(ctx, key.organization, gpg_key, CredentialKind.GPG_KEY)
        details = changes | {name: describe_upstream(upstream)[name] for name in wanted}
        if wanted:
            changes["upstream"] = upstream
        if arches is not None:
            require_custom(product)
            changes["content"] = replace(present.content, arches=tuple(arches))
            details["arches"] = list(arches)
        with certificates_follow(ctx, key.organization):
            repository = ctx.store.repositories.update(key, **changes)
        was = {**describe_upstream(present.upstream), "name": present.name, "gpg_key": present.gpg_key}
        was |= {"arches": list(present.content.arches), "unprotected": present.unprotected}
        details["before"] = {name: was[name] for name in details if name in was}
        ctx.audit("repository.update", f"{key.product}/{key.label}", organization=key.organization, details=details)
        return repository


def delete_repository(ctx: Context, key: RepositoryKey) -> Repository:
    """Delete a repository with all its versions and give what it was.

    The packages stay in the store until cleanup finds that no other repository needs them. Raises BusyError while it
    is being synchronized or imported, InUseError while a content view has it.
    """
    ctx.require(Permission.CONTENT_MANAGE, key.organization, [key.product])
    with ctx.store.session(), changing_content(ctx, [key]):
        repository = ctx.store.repositories.get(key)
        keys = [key, *ctx.store.repositories.derived(key)]
        trees = [(each, version.number) for each in keys for version in ctx.store.versions.list(each)]
        with ctx.store.transaction():
            views = ctx.store.views.using(key)
            if views:
                raise InUseError(
                    f"the repository {key} is part of the content views {', '.join(views)}",
                    hint="Take it out of them with `content-view remove-repository`, and delete versions that hold it.",
                )
            with certificates_follow(ctx, key.organization):
                ctx.store.repositories.delete(key)
            ctx.audit(
                "repository.delete",
                f"{key.product}/{key.label}",
                organization=key.organization,
                details={"name": repository.name, "versions": len(trees)},
            )
        for environment in ctx.store.environments.list(key.organization):
            point_environment(ctx, key.organization, environment.label)
        for tree in trees:
            ctx.store.trees.remove(*tree)
        return repository


def check_arches(arches: Sequence[str]) -> None:
    """Raise InvalidValueError for what cannot be the name of an architecture, or for one that is given twice."""
    for arch in arches:
        check_label(arch, "architecture")
    if len(set(arches)) != len(arches):
        raise InvalidValueError(f"an architecture is given twice: {', '.join(arches)}")


def _content_label(ctx: Context, key: RepositoryKey) -> str:
    """Give a label for the content of a new repository that is unique in its organization.

    Usually `<product>_<repository>`, which is what hosts see as the id of the repository; with a digest when that is
    too long, or taken because labels may hold `_` themselves.
    """
    label = f"{key.product}_{key.label}"
    if len(label) <= 128 and not ctx.store.repositories.has_content_label(key.organization, label):
        return label
    return f"{label[:111]}_{hashlib.sha256(f'{key.product}/{key.label}'.encode()).hexdigest()[:16]}"
