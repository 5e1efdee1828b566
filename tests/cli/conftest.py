"""A state directory with and without a box."""

from pathlib import Path

import pytest
from makers.command_line import CommandLine


@pytest.fixture
def empty(tmp_path: Path) -> CommandLine:
    """Where no box is."""
    return CommandLine(tmp_path)


@pytest.fixture
def issbox(empty: CommandLine) -> CommandLine:
    """A box with the organization ACME."""
    empty("init", "--name", "Test box", "--organization", "ACME")
    return empty
