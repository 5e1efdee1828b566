"""The committed reference is the one of the commands, and every command is documented."""

import re
from pathlib import Path

import click
import pytest
from makers.deeds import APART, CHANGING, READING

from issbox.cli.command import IssboxCommand
from issbox.cli.reference import every_command, main
from issbox.errors import EXIT_CODE_MEANINGS, ExitCode, every_error

DOCS = Path(__file__).parents[2] / "docs"
COMMANDS = every_command()


def test_the_committed_pages_are_up_to_date() -> None:
    assert main(DOCS, check=True) == [], "run: python -m issbox.cli.reference docs"


def test_writing_and_comparing(tmp_path: Path) -> None:
    pages = [tmp_path / "commands.md", tmp_path / "exit-codes.md"]
    assert main(tmp_path, check=True) == pages
    assert not pages[0].exists()
    assert main(tmp_path, check=False) == pages
    assert main(tmp_path, check=True) == []
    pages[1].write_text("something else")
    assert main(tmp_path, check=True) == [pages[1]]


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=[path for path, _ in COMMANDS])
def test_every_command_has_help_an_example_and_json(path: str, command: click.Command) -> None:
    assert isinstance(command, IssboxCommand)
    assert command.help
    assert command.example.startswith(path)
    names = {name for parameter in command.params for name in parameter.opts}
    assert {"--json", "--verbose"} <= names
    undocumented = [each.name for each in command.params if isinstance(each, click.Option) and not each.help]
    assert undocumented == []
    about = command.help.split("\n\n")[0]
    assert about.endswith("."), "the first paragraph is a sentence"


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=[path for path, _ in COMMANDS])
def test_examples_are_understood(path: str, command: click.Command) -> None:
    """Parse the example with the command itself, without running it."""
    import shlex

    assert isinstance(command, IssboxCommand)
    words = shlex.split(command.example.split(" > ")[0])[len(path.split()) :]
    command.make_context(path, words)


def test_every_command_is_tried_as_users_who_may_not_run_it() -> None:
    known = [*CHANGING, *READING, *APART]
    assert len(known) == len(set(known))
    assert {path.removeprefix("issbox ") for path, _ in COMMANDS} == set(known), "add it to tests/makers/deeds.py"


def test_every_shape_has_unique_keys_and_meanings() -> None:
    for _, command in COMMANDS:
        assert isinstance(command, IssboxCommand)
        for shape in (command.shape, *command.instead.values()):
            if shape is not None:
                names = [field.name for field in shape.fields]
                assert len(set(names)) == len(names)
                assert all(field.meaning for field in shape.fields)
                assert shape.headings() or not command.many


def test_error_codes_are_unique_and_complete() -> None:
    errors = [each for each in every_error() if each.__module__.startswith("issbox.errors.")]
    assert errors
    assert len({each.code for each in errors}) == len(errors)
    assert all(each.__doc__ and each.hint for each in errors)
    assert set(EXIT_CODE_MEANINGS) == set(ExitCode)


def test_every_hint_that_names_what_lists_or_shows_names_a_command() -> None:
    source = Path(__file__).parents[2] / "issbox"
    text = "".join(path.read_text() for path in source.rglob("*.py"))
    named = {f"issbox {words}" for words in re.findall(r'\b(?:listed|shown)="([^"{]+)"', text)}
    assert len(named) > 20
    assert named - {path for path, _ in COMMANDS} == set()
