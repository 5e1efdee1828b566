"""Writes docs/commands.md and docs/exit-codes.md from the commands and the error tree themselves.

`python -m issbox.cli.reference docs` writes them, `python -m issbox.cli.reference --check docs` only compares.
"""

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from issbox.cli.app import root
from issbox.cli.command import IssboxCommand
from issbox.cli.shapes import Shape
from issbox.errors import EXIT_CODE_MEANINGS, every_error

_HEAD = """# Commands

This page is made from the commands themselves by `python -m issbox.cli.reference docs`.

Standard output is data: a table or details for people, or JSON with `--json`. Standard error tells what is being done
and what went wrong. With `--json` an error is the last line of standard error, one JSON object:

    {"error": {"code": "not-found", "message": "...", "hint": "...", "exit_code": 4}}

Times in JSON are ISO 8601 in UTC, sizes are bytes. Keys keep their meaning from one release to the next; new ones may
be added. In tables and details, characters that could command a terminal are shown as `\\x1b` and the like, and `-`
stands for nothing. Error codes and exit codes are in [exit-codes.md](exit-codes.md). A reader that closes standard
output early, such as `head`, is no failure.

Every command has these options besides its own:

| option | meaning |
|---|---|
"""


def commands(command: click.Command, ctx: click.Context) -> Iterator[tuple[click.Context, click.Command]]:
    """Give every command that does something, below and including this one, each with its context."""
    if not isinstance(command, click.Group):
        yield ctx, command
        return
    for name in command.list_commands(ctx):
        below = command.get_command(ctx, name)
        if below is not None:
            yield from commands(below, click.Context(below, parent=ctx, info_name=name))


def every_command() -> list[tuple[str, click.Command]]:
    """Give every command of issbox with the words that call it."""
    return [(ctx.command_path, command) for ctx, command in _found()]


def _found() -> list[tuple[click.Context, click.Command]]:
    return list(commands(root, click.Context(root, info_name="issbox", **root.context_settings)))


def command_reference() -> str:
    """Give the text of docs/commands.md."""
    found = _found()
    made = [command for _, command in found if isinstance(command, IssboxCommand)]
    common = [each for each in made[0].params if isinstance(each, click.Option)][-2:]
    parts = [_HEAD + "".join(_option(option) for option in common)]
    parts.extend(_command(ctx, command, {option.name for option in common}) for ctx, command in found)
    parts.append("\n# JSON objects\n")
    shapes = {shape.name: shape for command in made for shape in _shapes(command)}
    parts.extend(_shape(shapes[name]) for name in sorted(shapes))
    return "".join(parts)


def exit_code_reference() -> str:
    """Give the text of docs/exit-codes.md."""
    lines = [
        "# Exit codes and error codes\n",
        "\nThis page is made from the errors themselves by `python -m issbox.cli.reference docs`. Neither kind of code",
        "\nchanges its meaning.\n",
        "\n## Exit codes\n\n| exit code | name | meaning |\n|---|---|---|\n",
        *(f"| {code.value} | {code.name.lower()} | {meaning} |\n" for code, meaning in EXIT_CODE_MEANINGS.items()),
        "\n## Error codes\n",
        "\nA front end shows the message, which names the thing, the code, and a hint that says what to do next.\n",
        "\n| code | exit code | meaning | usual hint |\n|---|---|---|---|\n",
    ]
    errors = {each.code: each for each in reversed(every_error()) if each.__module__.startswith("issbox.errors.")}
    for code in sorted(errors):
        error = errors[code]
        meaning = inspect.cleandoc(error.__doc__ or "").replace("\n", " ")
        lines.append(f"| `{code}` | {error.exit_code.value} | {_cell(meaning)} | {_cell(error.hint)} |\n")
    return "".join(lines)


def _command(ctx: click.Context, command: click.Command, common: set[str | None]) -> str:
    about = inspect.cleandoc(command.help or "").partition("\n\n\b")[0]
    usage = " ".join([ctx.command_path, *command.collect_usage_pieces(ctx)])
    options = [each for each in command.params if isinstance(each, click.Option) and each.name not in common]
    text = f"\n## {ctx.command_path}\n\n{about}\n\n    {usage}\n"
    if options:
        text += "\n| option | meaning |\n|---|---|\n" + "".join(map(_option, options))
    if isinstance(command, IssboxCommand):
        text += f"\nExample:\n\n    {command.example}\n"
        if command.shape is not None:
            number = "an array of" if command.many else "one"
            text += f"\nJSON: {number} {_link(command.shape)}"
            text += "".join(f"; with `{option}` {number} {_link(shape)}" for option, shape in command.instead.items())
            text += ".\n"
    return text


def _shapes(command: IssboxCommand) -> list[Shape[Any]]:
    return [*([] if command.shape is None else [command.shape]), *command.instead.values()]


def _option(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    kind = "" if option.is_flag else f" `{_cell(option.metavar or _choices(option))}`"
    needed = " Required." if option.required else ""
    return f"| {names}{kind} | {_cell(option.help or '')}{needed} |\n"


def _choices(option: click.Option) -> str:
    return "|".join(option.type.choices) if isinstance(option.type, click.Choice) else (option.name or "").upper()


def _link(shape: Shape[Any]) -> str:
    return f"[{shape.name}](#{shape.name.replace(' ', '-')})"


def _shape(shape: Shape[Any]) -> str:
    rows = "".join(f"| `{field.name}` | {_cell(field.meaning)} |\n" for field in shape.fields)
    return f"\n## {shape.name}\n\n| key | meaning |\n|---|---|\n{rows}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main(directory: Path, *, check: bool) -> list[Path]:
    """Write the pages into the directory and give those that changed; with `check` nothing is written."""
    changed = []
    for name, text in (("commands.md", command_reference()), ("exit-codes.md", exit_code_reference())):
        page = directory / name
        if not page.exists() or page.read_text() != text:
            changed.append(page)
            if not check:
                page.write_text(text)
    return changed


if __name__ == "__main__":
    only_check = sys.argv[1:2] == ["--check"]
    different = main(Path(sys.argv[-1]), check=only_check)
    for page in different:
        sys.stderr.write(f"{page} {'differs: run python -m issbox.cli.reference docs' if only_check else 'written'}\n")
    sys.exit(1 if only_check and different else 0)
