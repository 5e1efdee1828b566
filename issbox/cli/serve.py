"""`issbox serve`."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType

from issbox.cli.command import Run, command
from issbox.model import Actor


@command("serve", example="issbox serve")
def serve(run: Run) -> None:
    """Run the service: watch the inbox, import what arrives, and serve hosts over HTTPS.

    Hosts are served when the configuration has addresses in [web] listen or a socket for a web server in front.

    Runs in the foreground until SIGTERM, SIGINT or SIGHUP, and writes its log to standard error. An import in progress
    then stops and starts over at the next start. Only one service runs on a box.
    """
    from issbox.watcher.service import configure_log, run_service
    from issbox.web.service import serving
    from issbox.wiring import require_local_administrator

    require_local_administrator(os.environ)
    ctx = replace(run.open(), actor=Actor("inbox", "serve"))
    configure_log("debug" if run.verbose else ctx.settings.log.level)
    with _stopped_by_signals() as stop:
        run_service(ctx, stop, beside=serving)


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """Give an event that the first signal to end sets; a second one interrupts at once."""
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            signal.default_int_handler(number, frame)
        stop.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
