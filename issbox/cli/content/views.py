"""Content views on the command line: which one is meant, and what is shown of it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from issbox.cli.options import pick
from issbox.cli.shapes import Field, Shape, size
from issbox.errors import NotFoundError
from issbox.model import ContentView, PinnedVersion, ViewVersion, ViewVersionName

if TYPE_CHECKING:
    from issbox.workflows.context import Context

F = TypeVar("F", bound=Callable[..., object])

VIEW = Shape[ContentView](
    "content view",
    (
        Field("organization", "label of its organization", lambda each: each.organization),
        Field("label", "label, unique in the organization", lambda each: each.label, column=True),
        Field("name", "name for people", lambda each: each.name, column=True),
        Field("latest", "number of the newest version, such as `3.0`, or null", lambda each: each.latest, column=True),
        Field(
            "repositories",
            "array of `product/repository` it is made of",
            lambda each: [key.short for key in each.repositories],
            column=True,
        ),
        Field("filters", "array of the names of its filters", lambda each: [one.name for one in each.filters]),
        Field("description", "free text", lambda each: each.description),
    ),
)


def _pin(pin: PinnedVersion) -> dict[str, object]:
    return {
        "repository": pin.repository.key.source.short,
        "version": pin.number,
        "filtered": bool(pin.repository.key.view),
        "packages": pin.packages,
        "size": pin.size,
    }


def _pins(value: object) -> str:
    assert isinstance(value, list), "the field gives a list"
    return ", ".join(
        f"{pin['repository']} version {pin['version']}{' filtered' if pin['filtered'] else ''}" for pin in value
    )


VIEW_VERSION = Shape[ViewVersion](
    "content view version",
    (
        Field("organization", "label of its organization", lambda each: each.organization),
        Field("content_view", "label of the content view", lambda each: each.view, column=True),
        Field("version", "its number, such as `3.0`", lambda each: each.number, column=True),
        Field("created_at", "when it was published", lambda each: each.created_at, column=True),
        Field("description", "free text", lambda each: each.description, column=True),
        Field("environments", "array of environments that hold it", lambda each: each.environments, column=True),
        Field("packages", "packages in all repositories", lambda each: sum(pin.packages for pin in each.repositories)),
        Field(
            "size",
            "bytes of all files of its repository versions",
            lambda each: sum(pin.size for pin in each.repositories),
            show=size,
        ),
        Field(
            "repositories",
            "array of objects with `repository` (`product/repository`), `version` (number of the repository version), "
            "`filtered` (whether filters changed it; the number counts the filtered versions then), `packages`, `size`",
            lambda each: [_pin(pin) for pin in each.repositories],
            show=_pins,
        ),
    ),
)


def find_view(ctx: "Context", organization: str, *, label: str | None, name: str | None) -> ContentView:
    """Give the one content view meant by label or name."""
    from issbox.workflows.content import views

    return pick(views.list_views(ctx, organization), label=label, name=name, what="content view")


def find_view_version(ctx: "Context", organization: str, view: str, number: str | None) -> ViewVersion:
    """Give the version with this number (`3.0`, or `3`) of the content view with this label, or its newest one."""
    from issbox.workflows.content import views

    if number is None:
        versions = views.list_view_versions(ctx, organization, view)
        if not versions:
            raise NotFoundError(
                f"the content view {organization}/{view} has no version yet",
                hint="Make one with `issbox content-view publish`.",
            )
        return versions[0]
    return views.get_view_version(ctx, organization, ViewVersionName(view, number if "." in number else f"{number}.0"))


def view_option(function: F) -> F:
    """Add --content-view."""
    return click.option("--content-view", "view", required=True, metavar="LABEL", help="Which content view.")(function)


def version_option(*, required: bool) -> Callable[[F], F]:
    """Add --version of a content view."""
    text = "Number of its version, such as 3.0." if required else "Number of its version; the newest when left out."
    return click.option("--version", "number", required=required, metavar="NUMBER", help=text)


def force_option(function: F) -> F:
    """Add --force to what deletes versions."""
    text = "Also when the newest export for a destination is based on it; the next increment may carry it again then."
    return click.option("--force", is_flag=True, help=text)(function)
