"""A real terminal: tmux at 80x24, in which a program is used by keys alone."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

PATIENCE = 60.0


def terminal_environment(kind: str) -> dict[str, str]:
    """Give the environment of a terminal of this kind in the locale C."""
    unwanted = ("TMUX", "COLORTERM", "NO_COLOR", "LANGUAGE")
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    return {**kept, "TERM": kind, "LANG": "C", "LC_ALL": "C"}


class Tmux:
    """One terminal."""

    def __init__(self, directory: Path, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._socket = str(directory / "tmux")
        self._environment = dict(environment)
        # tmux itself says what TERM is in it; the program is to see another one.
        words = ["env", f"TERM={environment['TERM']}", *command]
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "-s", "box", *words)

    def tmux(self, *words: str) -> str:
        """Give an order to tmux."""
        command = ["tmux", "-S", self._socket, *words]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, check=True).stdout

    def keys(self, *keys: str) -> None:
        """Press keys."""
        self.tmux("send-keys", "-t", "box", *keys)

    def type(self, text: str) -> None:
        """Type a text and Enter."""
        self.tmux("send-keys", "-t", "box", "-l", text)
        self.keys("Enter")

    def screen(self) -> str:
        """Give what is shown."""
        return self.tmux("capture-pane", "-p", "-t", "box")

    def wait(self, *words: str) -> str:
        """Wait until all of these are shown and give the screen, which fits and is ASCII."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            screen = self.screen()
            if all(each in screen for each in words):
                assert screen.isascii(), screen
                return screen
            time.sleep(0.1)
        pytest.fail(f"{words!r} is not shown:\n{self.screen()}")

    def process(self) -> int:
        """Give the process of the program."""
        return int(self.tmux("display-message", "-p", "-t", "box", "#{pane_pid}"))

    def kill(self) -> None:
        """Take the terminal away, as a dropped connection does."""
        subprocess.run(["tmux", "-S", self._socket, "kill-server"], env=self._environment, check=False)


@contextmanager
def in_tmux(directory: Path, command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Tmux]:
    """Run a program in a terminal of its own."""
    tmux = Tmux(directory, command, environment)
    try:
        yield tmux
    finally:
        tmux.kill()
