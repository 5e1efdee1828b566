"""The commands `list` and `info` of nouns whose things belong to an organization and are known by label and name."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from issbox.cli.command import Run, command
from issbox.cli.options import N, chosen_organization, identity_options, organization_option, pick
from issbox.cli.shapes import Shape

if TYPE_CHECKING:
    from issbox.workflows.context import Context


def add_list_and_info(
    group: click.Group, shape: Shape[N], read: Callable[["Context", str], Sequence[N]], *, example: str
) -> None:
    """Add both commands to the noun; `read` gives the things of an organization, `example` is the label of one.

    What `read` needs of the workflows it imports when it is called, so that help stays quick.
    """
    name, noun = shape.name, f"issbox {group.name}"

    def show_all(run: Run, *, organization: str | None) -> None:
        ctx = run.open()
        run.show_all(shape, read(ctx, chosen_organization(ctx, organization)))

    def show(run: Run, *, organization: str | None, label: str | None, name: str | None) -> None:
        ctx = run.open()
        found = read(ctx, chosen_organization(ctx, organization))
        run.show(shape, pick(found, label=label, name=name, what=shape.name))

    show_all.__doc__ = f"List the {name}s of an organization."
    show.__doc__ = f"Show one {name}."
    listing = command("list", group=group, example=f"{noun} list --organization ACME", shape=shape, many=True)
    listing(organization_option(show_all))
    info = command("info", group=group, example=f"{noun} info --label {example}", shape=shape)
    info(organization_option(identity_options(name)(show)))
