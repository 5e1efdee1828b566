"""Every command line that the documentation, an error or a screen shows is one that exists, with options that exist."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from issbox.cli.app import root

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
SOURCES = sorted((ROOT / "issbox").rglob("*.py"))
_SHOWN = re.compile(r"^(?: {4,}|)(?:\$ )?(?:.*\| ?|ssh \S+ )?(issbox .+)$")

_IN_PROSE = re.compile(r"`(issbox [a-z][^`]*)`")
"""Commands between backticks, where a name in capitals stands for something, and `...` for what was put in."""


def code_lines(text: str) -> Iterator[str]:
    """Give the lines of code blocks: indented by four spaces, or fenced."""
    fenced = False
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            yield line


def command_lines(page: Path) -> list[str]:
    found = (_SHOWN.match(line) for line in code_lines(page.read_text()))
    return [match[1].split(" | ")[0].split(" > ")[0] for match in found if match]


def prose_commands(text: str) -> list[str]:
    """Give the commands between backticks that are whole enough to be looked up."""
    return [" ".join(each.split()) for each in _IN_PROSE.findall(text)]


def strings_of(source: Path) -> Iterator[str]:
    """Give the strings of a module; what is put into one at run time becomes `...`."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "..." for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


CASES = [(page, line) for page in PAGES if "/adr/" not in str(page) for line in command_lines(page)]
PROSE = sorted(
    {(page, line) for page in PAGES if "/adr/" not in str(page) for line in prose_commands(page.read_text())}
    | {(source, line) for source in SOURCES for text in strings_of(source) for line in prose_commands(text)}
)


def check_command(where: Path, line: str) -> None:
    """Fail unless the command line names a command, options it has, and arguments only where it takes some."""
    words = shlex.split(line, comments=True)[1:]
    command: click.Command = root
    ctx = click.Context(root, info_name="issbox")
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        found = command.get_command(ctx, words[0])
        if found is None and (words[0].isupper() or words[0] == "..."):  # stands for something
            return
        assert found is not None, f"{where.name}: there is no command {words[0]} in: {line}"
        command, words = found, words[1:]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    given = {word.split("=")[0] for word in words if word.startswith("--") and word != "--"}
    assert given <= known | {"--help", "--version"}, f"{where.name}: {given - known} in: {line}"
    if words and not words[0].startswith(("-", "...", "[")) and not isinstance(command, click.Group):
        takes = any(isinstance(parameter, click.Argument) for parameter in command.params)
        assert takes, f"{where.name}: {words[0]} is no option, and the command takes no argument, in: {line}"


@pytest.mark.parametrize(("page", "line"), CASES, ids=lambda each: each.name if isinstance(each, Path) else each[:60])
def test_a_command_that_is_shown_exists(page: Path, line: str) -> None:
    check_command(page, line)


@pytest.mark.parametrize(("where", "line"), PROSE, ids=lambda each: each.name if isinstance(each, Path) else each[:60])
def test_a_command_that_is_named_exists(where: Path, line: str) -> None:
    check_command(where, line)


def test_there_is_something_to_check() -> None:
    assert len(CASES) > 60
    assert len(PROSE) > 200
