"""Options that say which user is meant."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from issbox.errors import CommandLineError

if TYPE_CHECKING:
    from issbox.workflows.context import Context

F = TypeVar("F", bound=Callable[..., object])


def name_option(*, required: bool) -> Callable[[F], F]:
    """Add --name."""
    own = "" if required else " Not needed for the own account."
    return click.option("--name", required=required, metavar="NAME", help=f"Which user.{own}")


def chosen_user(ctx: "Context", name: str | None) -> str:
    """Give the user named, or who runs the command; raises CommandLineError for the local administrator."""
    chosen = name if name is not None else ctx.user
    if chosen is None:
        raise CommandLineError("which user? --name was not given", hint="Give --name; `issbox user list` shows them.")
    return chosen
