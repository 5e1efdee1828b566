"""What could be had of Red Hat content: what the manifest offers and the location really holds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from issbox.errors import InvalidValueError, NotFoundError
from issbox.model import CdnChoice, CdnLocation, Content, Repository, RepositoryKey
from issbox.rules.content.cdn import ARCH, RELEASE, TYPES, base_url, template_segments, variable_of
from issbox.rules.content.urls import mask_url
from issbox.rules.entitlements.arches import fits
from issbox.workflows.cdn.location import location_request, redhat_repositories
from issbox.workflows.cdn.presenting import by_certificate
from issbox.workflows.context import Context, Permission
from issbox.yum.walking import Place, Template, Walk, walk


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is looked for; None is anything."""

    product: str | None = None
    """Label."""
    content: str | None = None
    """Label or content id."""
    release: str | None = None
    arch: str | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """What the location holds of what is offered."""

    choices: tuple[CdnChoice, ...]
    """By product and path."""
    base: str
    """Where was looked, without secrets."""
    readable: bool
    """Whether there was any listing file."""
    skipped: int
    """Contents of which no yum repository can be made."""
    cut: bool
    """Whether there is more than is shown."""


def list_choices(ctx: Context, organization: str, wish: Wish) -> Choices:
    """Look which repositories of the offered contents lie at the location, following its listing files.

    Raises NotFoundError when nothing is offered, InvalidValueError for a location without a URL, and what reading the
    location raises.
    """
    ctx.require(Permission.CONTENT_MANAGE, organization)
    with ctx.store.session():
        location = ctx.store.cdn_locations.get(organization)
        base = base_url(location)
        if base is None:
            raise InvalidValueError(
                f"the CDN of {organization} has no URL, so there is nothing to choose from",
                hint="Give one with `issbox cdn update --url`, or enable what a bundle needs by name.",
            )
        offered = wanted_contents(ctx, organization, wish)
        usable = {key: found for key, found in offered.items() if is_repository(found[1])}
        enabled = _enabled(redhat_repositories(ctx, organization))
        walks = walk_location(ctx, location, [content for _, content in usable.values()], wish)
    choices = [_choice(place, *usable[place.key], enabled) for each in walks for place in each.places]
    return Choices(
        tuple(sorted(choices, key=lambda each: (each.product, each.path))),
        mask_url(base),
        any(each.readable for each in walks),
        len(offered) - len(usable),
        any(each.cut for each in walks),
    )


def wanted_contents(ctx: Context, organization: str, wish: Wish) -> dict[str, tuple[str, Content]]:
    """Give what the manifest offers and is wished for: product and content by content id; call it inside a session.

    A content that several products have is that of the first. Raises NotFoundError when there is none.
    """
    offered = ctx.store.manifests.offered(organization, wish.product)
    found: dict[str, tuple[str, Content]] = {}
    for product, contents in offered.items():
        for each in contents:
            content = each.content
            if wish.content in (None, content.id, content.label) and (
                wish.arch is None or fits(content.arches, [wish.arch])
            ):
                found.setdefault(content.id, (product, content))
    if not found:
        named = (("product", wish.product), ("content", wish.content), ("architecture", wish.arch))
        words = [f"{what} {value}" for what, value in named if value]
        raise NotFoundError(
            f"the subscription manifest of {organization} offers nothing of {', '.join(words)}"
            if words
            else f"no subscription manifest offers Red Hat content to {organization}",
            hint="`issbox manifest info` shows what is offered; import one with `issbox manifest import FILE.zip`.",
        )
    return found


def is_repository(content: Content) -> bool:
    """Tell whether yum repositories can be made of a content."""
    return content.type in TYPES and template_segments(content.path) is not None


def walk_location(ctx: Context, location: CdnLocation, contents: Iterable[Content], wish: Wish) -> list[Walk]:
    """Follow content paths at a location, with the certificate that opens each; call it inside a session."""
    values = {name: value for name, value in ((RELEASE, wish.release), (ARCH, wish.arch)) if value is not None}
    walks = []
    for certificate, opened in by_certificate(ctx, location, contents):
        templates = [Template(each.id, each.path, each.arches, _used(each.path, values)) for each in opened]
        with location_request(ctx, location, certificate) as request:
            walks.append(walk(request, templates))
    return walks


def _used(path: str, values: Mapping[str, str]) -> dict[str, str]:
    names = set(map(variable_of, template_segments(path) or ()))
    return {name: value for name, value in values.items() if name in names}


def _enabled(repositories: Iterable[Repository]) -> dict[tuple[str, frozenset[tuple[str, str]]], RepositoryKey]:
    return {(each.content.id, frozenset(each.variables.items())): each.key for each in repositories}


def _choice(
    place: Place,
    product: str,
    content: Content,
    enabled: Mapping[tuple[str, frozenset[tuple[str, str]]], RepositoryKey],
) -> CdnChoice:
    key = enabled.get((content.id, frozenset(place.variables.items())))
    owner = product if key is None else key.product
    return CdnChoice(owner, content, place.path, dict(place.variables), key, place.confirmed)
