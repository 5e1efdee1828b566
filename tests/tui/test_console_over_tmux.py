"""The real console in a real terminal: tmux at 80x24, TERM=linux, LANG=C, by keys alone."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from makers.boxes import Gap

from issbox.model import JobState
from issbox.workflows import jobs, promoting

PATIENCE = 60.0


class Tmux:
    """One terminal."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self._socket = str(directory / "tmux")
        self._environment = environment
        words = [sys.executable, "-m", "issbox", "tui"]
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "-s", "box", *words)

    def _tmux(self, *words: str) -> str:
        command = ["tmux", "-S", self._socket, *words]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, check=True).stdout

    def keys(self, *keys: str) -> None:
        """Press keys."""
        self._tmux("send-keys", "-t", "box", *keys)

    def screen(self) -> str:
        """Give what is shown."""
        return self._tmux("capture-pane", "-p", "-t", "box")

    def wait(self, words: str) -> str:
        """Wait until words are shown and give the screen."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if words in (screen := self.screen()):
                return screen
            time.sleep(0.1)
        pytest.fail(f"{words!r} is not shown:\n{self.screen()}")

    def process(self) -> int:
        """Give the process of the console."""
        return int(self._tmux("display-message", "-p", "-t", "box", "#{pane_pid}"))

    def kill(self) -> None:
        """Take the terminal away, as a dropped connection does."""
        subprocess.run(["tmux", "-S", self._socket, "kill-server"], env=self._environment, check=False)


@pytest.fixture
def terminal(gap: Gap, tmp_path: Path) -> Iterator[Tmux]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    kept = {name: value for name, value in os.environ.items() if name not in ("TMUX", "COLORTERM", "NO_COLOR")}
    environment = {**kept, **gap.outside.environment(), "TERM": "linux", "LANG": "C", "LC_ALL": "C"}
    tmux = Tmux(tmp_path, {**environment, "PYTHONPATH": str(Path(__file__).parents[2])})
    yield tmux
    tmux.kill()


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


def test_a_signal_ends_it_and_leaves_the_terminal_as_it_was(terminal: Tmux) -> None:
    terminal._tmux("set-option", "-t", "box", "remain-on-exit", "on")
    terminal.wait("Overview of acme")
    os.kill(terminal.process(), signal.SIGTERM)
    until = time.monotonic() + PATIENCE
    while terminal._tmux("display-message", "-p", "-t", "box", "#{pane_dead}").strip() != "1":
        assert time.monotonic() < until, terminal.screen()
        time.sleep(0.1)
    assert "Overview" not in terminal.screen()
    assert terminal._tmux("display-message", "-p", "-t", "box", "#{alternate_on}").strip() == "0"
    assert terminal._tmux("display-message", "-p", "-t", "box", "#{mouse_any_flag}").strip() == "0"
