"""Enabling Red Hat content: making the repository of a content, release and architecture, and taking it away."""

import hashlib
from collections.abc import Mapping
from typing import Final

from issbox.errors import AlreadyExistsError, InUseError, InvalidValueError, NotFoundError
from issbox.model import LIBRARY, Content, Repository, RepositoryKey, Upstream
from issbox.names import make_label
from issbox.rules.content.cdn import ARCH, RELEASE, base_url, fill
from issbox.rules.content.urls import mask_url
from issbox.workflows.cdn.choices import Wish, is_repository, walk_location, wanted_contents
from issbox.workflows.cdn.location import redhat_repositories, upstream_at
from issbox.workflows.certificates.following import certificates_follow
from issbox.workflows.content.repositories import delete_repository
from issbox.workflows.context import Context, Permission

_LONGEST_LABEL: Final = 128
_LONGEST_NAME: Final = 255


def enable(
    ctx: Context,
    organization: str,
    content: str,
    *,
    release: str | None = None,
    arch: str | None = None,
    check: bool = True,
) -> Repository:
    """Make the repository of an offered content, named by label or id, for a release and architecture.

    It is read from the location. With `check`, that has to hold it; a location without a URL is not asked. Raises
    NotFoundError for what is not offered or not held, InvalidValueError for values that are missing or too much,
    AlreadyExistsError, and what reading the location raises.
    """
    values = _values(release, arch)
    wish = Wish(content=content, release=release)
    with ctx.store.session():
        ctx.require(Permission.CONTENT_MANAGE, organization)
        (product, chosen), *_ = wanted_contents(ctx, organization, wish).values()
        if not is_repository(chosen):
            raise InvalidValueError(f"{chosen.label} is of type {chosen.type}: only yum repositories can be enabled")
        path = fill(chosen.path, values)
        _require_new(ctx, organization, chosen, values)
        location = ctx.store.cdn_locations.get(organization)
        if check and base_url(location) is not None:
            walks = walk_location(ctx, location, [chosen], Wish(release=release, arch=arch))
            if not any(place.confirmed for each in walks for place in each.places):
                raise NotFoundError(
                    f"{mask_url(base_url(location) or '')} does not hold {path}",
                    hint="`issbox cdn choices` shows what it holds; `issbox cdn test` says why it cannot be read. "
                    "--no-check enables it nevertheless.",
                )
        label = _label(ctx, organization, product, chosen, values)
        name = " ".join((chosen.name, *values.values()))[:_LONGEST_NAME]
        key = RepositoryKey(organization, product, label)
        with ctx.store.transaction(), certificates_follow(ctx, organization):
            made = ctx.store.repositories.create(
                Repository(key, name, chosen, path, values, upstream=upstream_at(location, path, Upstream()))
            )
            details: dict[str, object] = {"content": chosen.id, "path": path, **values}
            ctx.audit("cdn.enable", key.short, organization=organization, details=details)
            return made


def find_enabled(
    ctx: Context, organization: str, content: str, *, release: str | None = None, arch: str | None = None
) -> Repository:
    """Give the repository that was enabled for a content, named by label or id, a release and an architecture.

    The content need not be offered any more. Raises NotFoundError.
    """
    ctx.require(Permission.CONTENT_MANAGE, organization)
    values = _values(release, arch)
    with ctx.store.session():
        for each in redhat_repositories(ctx, organization):
            if content in (each.content.id, each.content.label) and dict(each.variables) == values:
                return each
    said = " ".join(values.values()) or "no release and architecture"
    raise NotFoundError(
        f"the content {content} is not enabled for {said}",
        hint="`issbox cdn choices` and `issbox repository list` show what is enabled.",
    )


def disable(ctx: Context, repository: Repository) -> Repository:
    """Delete a Red Hat repository with all its versions, and give what it was.

    Raises InUseError while an environment other than Library or a content view holds it, BusyError while it is being
    synchronized or imported.
    """
    key = repository.key
    ctx.require(Permission.CONTENT_MANAGE, key.organization, [key.product])
    with ctx.store.session():
        holders = [
            each.label
            for each in ctx.store.environments.list(key.organization)
            if each.label != LIBRARY
            and any(held.key.source == key for held, _ in ctx.store.versions.promoted(key.organization, each.label))
        ]
    if holders:
        raise InUseError(
            f"the repository {key} is in the lifecycle environments {', '.join(holders)}",
            hint="Demote it there first: hosts in them would lose it.",
        )
    return delete_repository(ctx, key)


def _values(release: str | None, arch: str | None) -> dict[str, str]:
    return {name: value for name, value in ((RELEASE, release), (ARCH, arch)) if value is not None}


def _require_new(ctx: Context, organization: str, content: Content, values: Mapping[str, str]) -> None:
    present = ctx.store.repositories.find_redhat(organization, content.id, values)
    if present is not None:
        raise AlreadyExistsError(
            f"{content.label} is enabled already, as {present.key}",
            hint="Synchronize it: `issbox repository synchronize`.",
        )


def _label(ctx: Context, organization: str, product: str, content: Content, values: Mapping[str, str]) -> str:
    """Give a label that is new in the product: the content's with the values, and a digest when that is taken."""
    whole = "_".join((content.label, *values.values()))
    label = make_label(whole)
    taken = {each.key.label for each in ctx.store.repositories.list(organization, product)}
    if label not in taken:
        return label
    digest = hashlib.sha256(f"{content.id}/{whole}".encode()).hexdigest()[:16]
    return f"{label[: _LONGEST_LABEL - 17]}_{digest}"
