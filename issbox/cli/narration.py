"""Standard error: what is being done, in plain lines or with a live line on a terminal."""

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TextIO

from issbox.cli.output import printable
from issbox.names import format_size

if TYPE_CHECKING:
    from rich.live import Live

LINE_EVERY: Final = 10.0
"""Seconds between two lines about the same step when there is no terminal."""


def format_duration(seconds: float) -> str:
    """Write a duration as minutes:seconds or hours:minutes:seconds."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


class Meter:
    """Counts files and bytes of one step. Not thread-safe by itself."""

    def __init__(self, now: float) -> None:
        self.started = now
        self.files = self.size = 0
        self.expected_files = self.expected_size = 0

    def line(self, now: float) -> str:
        """Say what is done: percent, bytes, files, rate and time left, as far as they are known."""
        elapsed = max(now - self.started, 1e-9)
        parts = []
        if self.expected_size:
            parts.append(f"{min(self.size / self.expected_size, 1):.0%}")
        if self.size or self.expected_size:
            of = f" of {format_size(self.expected_size)}" if self.expected_size else ""
            parts.append(f"{format_size(self.size)}{of}")
        if self.files or self.expected_files:
            parts.append(f"{self.files}{f' of {self.expected_files}' if self.expected_files else ''} files")
        if self.size:
            parts.append(f"{format_size(self.size / elapsed)}/s")
            if self.expected_size > self.size:
                parts.append(f"{format_duration((self.expected_size - self.size) * elapsed / self.size)} left")
        return ", ".join(parts) or f"{format_duration(elapsed)} so far"


class Narrator:
    """Progress as plain lines: one a step, and while it goes on, one every ten seconds."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._lock = threading.RLock()
        self._meter = Meter(clock())
        self._last_line = clock()

    def say(self, text: str) -> None:
        """Write one line; a standard error that is closed is no reason to stop the work."""
        stream = self._stream or sys.stderr
        with self._lock:
            try:
                stream.write(printable(text) + "\n")
                stream.flush()
            except (OSError, ValueError):
                pass

    def step(self, name: str, message: str = "") -> None:
        """Begin a step: its line is written and counting starts anew."""
        with self._lock:
            self._meter = Meter(self._clock())
            self._last_line = self._meter.started
            words = name.replace("-", " ")
            title = words[:1].upper() + words[1:]
            self.say(f"{title}: {message}" if message else title)

    def expect(self, *, files: int, size: int) -> None:
        """Say how much the step will handle."""
        with self._lock:
            self._meter.expected_files, self._meter.expected_size = files, size

    def advance(self, *, files: int = 0, size: int = 0) -> None:
        """Count, and write a line when the last one is ten seconds old."""
        with self._lock:
            self._meter.files += files
            self._meter.size += size
            self._tell()

    def note(self, message: str) -> None:
        """Write something a person should read."""
        self.say(f"note: {message}")

    def close(self) -> None:
        """Finish; there is nothing to clear away."""

    def _tell(self) -> None:
        now = self._clock()
        if now - self._last_line >= LINE_EVERY:
            self._last_line = now
            self.say(f"  {self._meter.line(now)}")


class TerminalNarrator(Narrator):
    """The same lines, and below them one that is alive while a step goes on."""

    def __init__(self) -> None:
        super().__init__()
        self._live: Live | None = None

    def say(self, text: str) -> None:
        """Write one line above the live one."""
        with self._lock:
            if self._live is None:
                super().say(text)
            else:
                self._live.console.print(printable(text), markup=False, highlight=False, soft_wrap=True)

    def step(self, name: str, message: str = "") -> None:
        """Begin a step; the first one starts the live line."""
        if self._live is None:
            from rich.console import Console
            from rich.live import Live
            from rich.text import Text

            def line() -> Text:
                meter = self._meter
                return Text(f"  {meter.line(self._clock())}", no_wrap=True, overflow="ellipsis")

            self._live = Live(console=Console(stderr=True), get_renderable=line, refresh_per_second=4, transient=True)
            self._live.start()
        super().step(name, message)

    def close(self) -> None:
        """Clear the live line away."""
        with self._lock:
            if self._live is not None:
                live, self._live = self._live, None
                live.stop()

    def _tell(self) -> None:
        """Leave it to the live line."""


def make_narrator() -> Narrator:
    """Give the narrator that fits standard error."""
    if sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        return TerminalNarrator()
    return Narrator()
