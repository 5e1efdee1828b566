"""The real console in a real terminal: tmux at 80x24, TERM=linux, LANG=C, by keys alone."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from makers.boxes import Gap
from makers.terminals import PATIENCE, Tmux, in_tmux, terminal_environment

from issbox.model import JobState
from issbox.workflows import jobs
from issbox.workflows.environments import promoting

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


@pytest.fixture
def terminal(gap: Gap, tmp_path: Path) -> Iterator[Tmux]:
    environment = {**gap.outside.environment(), **terminal_environment("linux")}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    environment["ISSBOX_STATE_DIR"] = str(gap.outside.state)
    with in_tmux(tmp_path, [sys.executable, "-m", "issbox", "tui"], environment) as tmux:
        yield tmux


def test_a_promotion_by_keys_alone_goes_on_after_the_terminal(gap: Gap, terminal: Tmux) -> None:
    assert terminal.wait("Overview of acme").isascii()
    terminal.keys("4")
    terminal.wait("Promotions of acme")
    terminal.keys("p")
    terminal.wait("Servers 2.0")
    terminal.keys("Down", "Right", "F2")
    assert terminal.wait("Promote servers 2.0 into qa?").isascii()
    terminal.keys("y")
    terminal.wait("Job 1")
    terminal.kill()
    ctx = gap.outside.context()
    until = time.monotonic() + PATIENCE
    while not jobs.get_job(ctx, 1).state.over and time.monotonic() < until:
        time.sleep(0.1)
    assert jobs.get_job(ctx, 1).state is JobState.FINISHED
    assert promoting.list_promotions(ctx, "acme")[0].environment == "qa"


def test_values_are_copied_from_the_normal_screen(terminal: Tmux) -> None:
    terminal.wait("Overview of acme")
    terminal.keys("8")
    terminal.wait("Ada Byron")
    terminal.keys("y")
    screen = terminal.wait("Press Enter to go back")
    assert "Ada Byron" in screen.splitlines()
    terminal.keys("Enter")
    terminal.wait("[8 People]")


def test_an_escape_and_the_key_after_it_are_two_keys_when_they_come_at_once(terminal: Tmux) -> None:
    terminal.wait("Overview of acme")
    terminal.keys("3")
    terminal.wait("Environments of acme")
    terminal.keys("m")
    terminal.wait("Content by environment of acme")
    terminal.keys("Escape", "4")
    terminal.wait("Promotions of acme")
    terminal.keys("p")
    terminal.wait("Servers 2.0")
    terminal.keys("Escape", "F1")
    terminal.wait("Help: Promotions")


def test_a_signal_ends_it_and_leaves_the_terminal_as_it_was(terminal: Tmux) -> None:
    terminal.tmux("set-option", "-t", "box", "remain-on-exit", "on")
    terminal.wait("Overview of acme")
    os.kill(terminal.process(), signal.SIGTERM)
    until = time.monotonic() + PATIENCE
    while terminal.tmux("display-message", "-p", "-t", "box", "#{pane_dead}").strip() != "1":
        assert time.monotonic() < until, terminal.screen()
        time.sleep(0.1)
    assert "Overview" not in terminal.screen()
    assert terminal.tmux("display-message", "-p", "-t", "box", "#{alternate_on}").strip() == "0"
    assert terminal.tmux("display-message", "-p", "-t", "box", "#{mouse_any_flag}").strip() == "0"
