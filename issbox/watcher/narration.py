"""What the service tells: log lines on standard error or in the journal, and its state to systemd."""

import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from issbox.errors import InterruptedByUserError
from issbox.names import format_size
from issbox.watcher.facts import Facts, fields
from issbox.watcher.journal import JournalHandler, journal_listens

_LOG: Final = logging.getLogger("issbox.work")
_EVERY: Final = 15.0
"""Seconds between two lines about the same step."""
_QUIET_LIBRARIES: Final = ("huey", "watchdog", "peewee")


class _Formatter(logging.Formatter):
    """One line a record; a trace only when debugging."""

    def __init__(self, form: str, *, traces: bool) -> None:
        super().__init__(form, "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime
        self._traces = traces

    def format(self, record: logging.LogRecord) -> str:
        """Write the record."""
        if record.exc_info and not self._traces:
            kind, error, _ = record.exc_info
            record = logging.makeLogRecord({**record.__dict__, "exc_info": None, "exc_text": None})
            record.msg, record.args = f"{record.getMessage()}: {kind.__name__ if kind else ''}: {error}", ()
        return super().format(record)


def configure_log(level: str, environ: Mapping[str, str] = os.environ) -> None:
    """Send the log of this process to standard error, or as entries with fields to the journal if that goes there.

    A line has the time in UTC and the level; the journal knows both. `level` is debug, info, warning or error.
    """
    traces = level.lower() == "debug"
    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter("%(asctime)sZ %(levelname)s %(message)s", traces=traces))
    if journal_listens(environ, sys.stderr):
        handler = JournalHandler(handler)
        handler.setFormatter(_Formatter("%(message)s", traces=traces))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(capture=True)  # what libraries warn about is for their developers
    for name in _QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.getLogger("py.warnings").setLevel(logging.ERROR)


class Systemd:
    """Tells systemd how the service is doing (sd_notify(3)); silent when systemd did not start it."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        """Find systemd's socket in the environment."""
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        microseconds = environ.get("WATCHDOG_USEC", "")
        own = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog = int(microseconds) / 1e6 if own and microseconds.isdigit() else None
        """Seconds without a sign of life after which systemd restarts the service (sd_watchdog_enabled(3)), or None."""
        self._alive_at = 0.0

    def alive(self, now: float) -> None:
        """Tell the watchdog that the service works, a few times in each of its periods; `now` only goes forward."""
        if self.watchdog is not None and now - self._alive_at >= self.watchdog / 4:
            self._alive_at = now
            self.tell("WATCHDOG=1")

    def tell(self, *lines: str) -> None:
        """Send lines such as READY=1; a systemd that does not listen is no reason to fail."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.connect(self._address)
                channel.send("\n".join(lines).encode())
        except OSError as error:
            _LOG.debug("systemd does not listen %s", fields(reason=error))


class ServiceProgress:
    """Writes steps and rates into the log, and stops the work when the service is to end."""

    def __init__(self, stop: threading.Event, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Watch `stop`: once it is set, the next `advance` raises InterruptedByUserError."""
        self._stop = stop
        self._clock = clock
        self._lock = threading.Lock()
        self._begin("")

    def _begin(self, name: str) -> None:
        self._name = name
        self._started = self._told = self._clock()
        self._files = self._size = self._expected_files = self._expected_size = 0

    def step(self, name: str, message: str = "") -> None:
        """Log that a step begins."""
        with self._lock:
            self._begin(name)
        _LOG.info("step %s", fields(step=name, what=message or None))

    def expect(self, *, files: int, size: int) -> None:
        """Remember how much there is to do."""
        with self._lock:
            self._expected_files, self._expected_size = files, size

    def advance(self, *, files: int = 0, size: int = 0) -> None:
        """Count, and log a line now and then. Raises InterruptedByUserError when the service is to end."""
        if self._stop.is_set():
            raise InterruptedByUserError("the service is ending")
        with self._lock:
            self._files += files
            self._size += size
            now = self._clock()
            if now - self._told < _EVERY:
                return
            self._told = now
            line = self._line(now)
        _LOG.info("working %s", line)

    def note(self, message: str) -> None:
        """Log what a person should read."""
        _LOG.info("note %s", fields(text=message))

    def _line(self, now: float) -> Facts:
        rate = self._size / max(now - self._started, 0.001)
        left = (self._expected_size - self._size) / rate if rate and self._expected_size > self._size else None
        return fields(
            step=self._name,
            files=f"{self._files}/{self._expected_files}" if self._expected_files else self._files,
            size=format_size(self._size),
            of=format_size(self._expected_size) if self._expected_size else None,
            rate=f"{format_size(rate)}/s",
            seconds_left=None if left is None else round(left),
        )
