"""`issbox serve`."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING, Final

import click

from issbox.cli.command import Run, command
from issbox.errors import ConfigurationError
from issbox.model import Actor

if TYPE_CHECKING:
    from issbox.workflows.context import Context

_SLICE: Final = 0.5
"""Seconds between two looks whether to stop."""


@command("serve", example="issbox serve")
@click.option(
    "--web-only",
    is_flag=True,
    help="Only serve hosts, beside the service that looks after the inbox: on another machine with the same database "
    "and state directory, behind a balancer. Any number of them may run.",
)
def serve(run: Run, *, web_only: bool) -> None:
    """Run the service: watch the inbox, import what arrives, and serve hosts over HTTPS.

    Hosts are served when the configuration has addresses in [web] listen or a socket for a web server in front.

    Runs in the foreground until SIGTERM, SIGINT or SIGHUP, and writes its log to standard error. An import in progress
    then stops and starts over at the next start. Only one service looks after the inbox of a box.
    """
    from issbox.watcher.service import configure_log, run_service
    from issbox.web.service import serving
    from issbox.wiring import require_local_administrator

    require_local_administrator(os.environ)
    ctx = replace(run.open(), actor=Actor("inbox", "serve"))
    configure_log("debug" if run.verbose else ctx.settings.log.level)
    with _stopped_by_signals() as stop:
        if web_only:
            _serve_hosts(ctx, stop)
        else:
            run_service(ctx, stop, beside=serving)


def _serve_hosts(ctx: "Context", stop: threading.Event) -> None:
    """Serve hosts and nothing else until told to stop; raises ConfigurationError when nobody said where."""
    from issbox.watcher.service import Systemd
    from issbox.web.service import serving, take_post

    systemd = Systemd()
    with serving(ctx, post=take_post(os.environ, stop.set)) as running:
        if running is None:
            raise ConfigurationError(
                "there is nothing to serve: [web] has neither listen nor socket",
                hint='Set listen, for example to ["0.0.0.0:8443"].',
            )
        systemd.tell("READY=1", "STATUS=serving hosts")
        while not stop.wait(_SLICE):
            systemd.alive(time.monotonic())
        systemd.tell("STOPPING=1", "STATUS=stopping")


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
