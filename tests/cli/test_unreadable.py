"""A path that the account may not read is told with the account and a way out, not as a mistake in the command line."""

import click

from issbox.cli.reference import every_command


def test_click_leaves_it_to_issbox_to_say_that_a_path_may_not_be_read() -> None:
    found = {
        name: each.type
        for name, command in every_command()
        for each in command.params
        if isinstance(each.type, click.Path)
    }
    assert any(name.endswith("verify") for name in found)
    assert [name for name, each in found.items() if each.readable or each.exists] == []
