"""Options that say which user is meant."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

import click

from issbox.cli.options import read_text_file
from issbox.errors import CommandLineError

if TYPE_CHECKING:
    from issbox.workflows.context import Context

F = TypeVar("F", bound=Callable[..., object])
_LARGEST_PASSWORD_FILE: Final = 4 << 10


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


def ask_password(file: str | None, prompt: str, *, option: str, twice: bool = False) -> str:
    """Give a password: the first line of a file, `-` for standard input, or what is typed at the terminal, unseen.

    Raises CommandLineError, naming the option for the file, when there is neither.
    """
    if file is not None:
        return read_text_file(file, "a password", _LARGEST_PASSWORD_FILE).partition("\n")[0].rstrip("\r")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise CommandLineError("there is no terminal to ask for the password at", hint=f"Give it with {option} FILE.")
    asked: str = click.prompt(prompt, hide_input=True, confirmation_prompt="Once more" if twice else False, err=True)
    return asked
