"""Where all repositories of a product come from: from below one base this once, or from now on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from issbox.errors import NotFoundError
from issbox.model import Repository, RepositoryKey, Upstream
from issbox.rules.content.sources import SourceChange, first_unlisted, join_url, listing_places, plan_sources
from issbox.rules.content.urls import check_url, mask_url
from issbox.workflows.content.upstreams import (
    TemporarySource,
    check_upstream,
    describe_upstream,
    mirror_request,
    require_source,
    require_upstream,
)
from issbox.workflows.context import Context, Permission
from issbox.yum.listings import read_listings


@dataclass(frozen=True, slots=True)
class Found:
    """One repository of a product, and where it lies below a base."""

    repository: Repository
    source: TemporarySource | None
    """None when the base does not have it."""
    unlisted: str = ""
    """Then the directory that a listing file of the base does not name."""


def find_sources(ctx: Context, organization: str, product: str, base: TemporarySource) -> list[Found]:
    """Say where the repositories of a product lie below a base that is laid out as exports are.

    Where the base has `listing` files, they tell which repositories it holds. Raises NotFoundError when it holds none
    of the product's or the product has none, SourceRefusedError, and what reading the base raises.
    """
    ctx.require(Permission.CONTENT_MANAGE, organization, [product])
    check_url(base.url)
    with ctx.store.session():
        owner = ctx.store.products.get(organization, product)
        repositories = ctx.store.repositories.list(organization, product)
        if not repositories:
            raise NotFoundError(f"the product {organization}/{product} has no repositories", listed="repository list")
        for each in repositories:
            require_source(ctx, owner, join_url(base.url, each.path))
        with mirror_request(ctx, organization, base.instead_of(Upstream())) as request:
            places = {place for each in repositories for place in listing_places(each.path)}
            listings = read_listings(request, places)
    found = [_find(each, base, listings) for each in repositories]
    if all(each.source is None for each in found):
        raise NotFoundError(
            f"{mask_url(base.url)} holds no repository of the product {product}: its listing files do not name "
            f"{found[0].unlisted}",
            hint="Name the directory that `custom` and `content` lie in.",
        )
    return found


def _find(repository: Repository, base: TemporarySource, listings: Mapping[str, frozenset[str] | None]) -> Found:
    unlisted = first_unlisted(repository.path, listings)
    if unlisted is not None:
        return Found(repository, None, unlisted)
    return Found(repository, replace(base, url=join_url(base.url, repository.path)))


def plan_repointing(
    ctx: Context,
    organization: str,
    product: str,
    base: str,
    *,
    ca: str | None = None,
    client_certificate: str | None = None,
    proxy: str | None = None,
) -> list[SourceChange]:
    """Say what it changes to have all repositories of a product synchronized from below a base, '' being nowhere.

    None leaves a content credential or the proxy as it is, and an empty text takes it away. Raises NotFoundError,
    InvalidValueError, SourceRefusedError.
    """
    ctx.require(Permission.CONTENT_MANAGE, organization, [product])
    if base:
        check_url(base)
    given = {"ca": ca, "client_certificate": client_certificate, "proxy": proxy}
    changes = {field: value or None for field, value in given.items() if value is not None}
    with ctx.store.session():
        owner = ctx.store.products.get(organization, product)
        planned = plan_sources(base, ctx.store.repositories.list(organization, product), changes)
        if not planned:
            raise NotFoundError(f"the product {organization}/{product} has no repositories", listed="repository list")
        for change in planned:
            require_upstream(ctx, owner, change.after)
        return planned


def repoint(ctx: Context, planned: list[SourceChange]) -> list[SourceChange]:
    """Carry a plan out, in one transaction, and give the changes that it made.

    What was changed meanwhile by somebody else stays, as far as the plan does not speak of it. Raises NotFoundError for
    a repository that was deleted meanwhile; then nothing is changed.
    """
    for organization, product in {(each.key.organization, each.key.product) for each in planned}:
        ctx.require(Permission.CONTENT_MANAGE, organization, [product])
    made = []
    with ctx.store.session(), ctx.store.transaction():
        for change in planned:
            present = ctx.store.repositories.get(change.key).upstream
            after = replace(present, **_differences(change))
            if after != present:
                check_upstream(ctx, change.key.organization, after)
                ctx.store.repositories.update(change.key, upstream=after)
                _audit(ctx, change.key, present, after)
                made.append(SourceChange(change.key, present, after))
    return made


def _differences(change: SourceChange) -> dict[str, Any]:
    fields = ("url", "ca", "client_certificate", "proxy")
    return {
        name: getattr(change.after, name)
        for name in fields
        if getattr(change.after, name) != getattr(change.before, name)
    }


def _audit(ctx: Context, key: RepositoryKey, before: Upstream, after: Upstream) -> None:
    old, new = describe_upstream(before), describe_upstream(after)
    details = {name: value for name, value in new.items() if value != old[name]}
    details["before"] = {name: old[name] for name in details}
    ctx.audit(
        "repository.update",
        f"{key.product}/{key.label}",
        organization=key.organization,
        details={"url": new["url"], **details},
    )
