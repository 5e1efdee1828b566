"""Which command lines are run for somebody who comes in over SSH: decided with the commands' own parsers."""

from collections.abc import Iterator, Sequence
from typing import Any

import click

from issbox.cli.app import root
from issbox.errors import RemoteRefusedError
from issbox.rules.people import remote

_HELP = frozenset({"-h", "--help", "--version"})


def check_remote(words: Sequence[str]) -> None:
    """Go on only when the words are a command of issbox that touches no file of the box.

    What the user's roles allow is decided by the command itself. Raises RemoteRefusedError, and click's UsageError for
    options that the command does not have.
    """
    found = _find(list(words))
    if found is None:
        return
    command, ctx, rest = found
    values, left, _ = command.make_parser(ctx).parse_args(args=rest)
    if left:
        raise click.UsageError(f"unexpected words: {' '.join(left)}", ctx=ctx)
    for parameter in command.params:
        _check(parameter, values.get(parameter.name or ""))


def _find(words: list[str]) -> tuple[click.Command, click.Context, list[str]] | None:
    """Give the command that is meant and the words after its name; None when only help is asked for."""
    command: click.Command = root
    ctx = click.Context(root, info_name="issbox", **root.context_settings)
    while isinstance(command, click.Group):
        if not words or words[0] in _HELP:
            return None
        name = words.pop(0)
        if command is root and name in remote.NEVER:
            raise RemoteRefusedError(
                f"`issbox {name}` is not run over SSH: {remote.NEVER[name]}",
                hint="Log in on the box itself, to the account that owns it.",
            )
        below = command.get_command(ctx, name)
        if below is None:
            raise RemoteRefusedError(
                f"{name[:100]!r} is not a command of issbox",
                hint="Only commands of issbox are run over SSH: no shell, no scp, no sftp.",
            )
        command, ctx = below, click.Context(below, parent=ctx, info_name=name)
    return command, ctx, words


def _check(parameter: click.Parameter, value: object) -> None:
    if isinstance(parameter, click.Option) and parameter.is_flag:
        return
    if isinstance(parameter.type, click.Choice | click.types.IntParamType | click.types.FloatParamType):
        return  # click takes nothing else for them
    metavar = _metavar(parameter)
    for each in _texts(value):
        problem = remote.value_problem(metavar, each)
        if problem is not None:
            name = parameter.opts[0] if isinstance(parameter, click.Option) else metavar
            raise RemoteRefusedError(f"{name}: {problem}, which nobody gets at over SSH")


def _metavar(parameter: click.Parameter) -> str:
    if isinstance(parameter.type, click.Path | click.File):
        return "FILE"
    return parameter.metavar or (parameter.name or "").upper()


def _texts(value: Any) -> Iterator[str]:
    """Give every text in what the parser found for a parameter, which may be a list."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
