"""Every command line that the documentation shows is one that exists, with options that exist."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from issbox.cli.app import root

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
_SHOWN = re.compile(r"^(?: {4,}|)(?:\$ )?(?:.*\| ?|ssh \S+ )?(issbox .+)$")


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


CASES = [(page, line) for page in PAGES if "/adr/" not in str(page) for line in command_lines(page)]


@pytest.mark.parametrize(("page", "line"), CASES, ids=lambda each: each.name if isinstance(each, Path) else each[:60])
def test_a_command_that_is_shown_exists(page: Path, line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    command: click.Command = root
    ctx = click.Context(root, info_name="issbox")
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        found = command.get_command(ctx, words[0])
        if found is None and words[0].isupper():  # stands for something
            return
        assert found is not None, f"{page.name}: there is no command {words[0]} in: {line}"
        command, words = found, words[1:]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    given = {word.split("=")[0] for word in words if word.startswith("--") and word != "--"}
    assert given <= known | {"--help", "--version"}, f"{page.name}: {given - known} in: {line}"


def test_there_is_something_to_check() -> None:
    assert len(CASES) > 60
