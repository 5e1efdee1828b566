"""`issbox serve`: watches the inbox and has what settles imported, until it is told to stop."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Final

from issbox.errors import IssboxError
from issbox.files import FileLock, error_from_os
from issbox.job_running import JobThreads
from issbox.jobs import InboxQueue
from issbox.model import ContentImport
from issbox.watcher.facts import fields
from issbox.watcher.narration import ServiceProgress, Systemd, configure_log
from issbox.watcher.observer import InboxObserver
from issbox.watcher.rounds import Round, Rounds
from issbox.workflows.appliance.upkeep import reconcile
from issbox.workflows.context import Context, Permission
from issbox.workflows.inbox.approving import expire_waiting
from issbox.workflows.inbox.inbox import heal
from issbox.workflows.inbox.intake import Attempts, import_settled, is_left_behind, next_settled

__all__ = ["Systemd", "configure_log", "run_service", "scan_once"]

_LOG: Final = logging.getLogger("issbox.serve")
_DEBOUNCE: Final = 0.2
"""Seconds between the first event and the scan: one drop makes thousands of events."""
_SLICE: Final = 0.5
"""Longest wait without looking whether to stop, in seconds."""
_LONGEST_GAP: Final = 5.0
_STOP_PATIENCE: Final = 8.0
"""Seconds that an import gets to stop by itself. What it had done by then is undone at the next start."""


def run_service(
    ctx: Context,
    stop: threading.Event,
    *,
    systemd: Systemd | None = None,
    beside: Callable[[Context], AbstractContextManager[object]] = nullcontext,
) -> None:
    """Serve the inbox until `stop` is set; signal handlers are the caller's.

    `beside` is entered once the box is in order and left before it is let go: what else the service does.
    Raises BusyError when another service runs on this box, and what reconciling raises at the start. Later failures
    are logged, and tried again.
    """
    with _serving(ctx):
        _make_inbox(ctx)
        report = reconcile(ctx)
        _LOG.info("started %s", fields(inbox=ctx.settings.inbox.path, put_back=report.imports_put_back))
        with beside(ctx):
            _Service(ctx, stop, systemd or Systemd()).run()
    _LOG.info("stopped")


def scan_once(ctx: Context, *, sleep: Callable[[float], None] = time.sleep) -> list[ContentImport]:
    """Look at the inbox once, as a cron job does, import what has settled, and give the imports.

    Waits `quiet_for_seconds` and looks again only if something new may settle in that time; what is incomplete is
    left to the next call. Raises BusyError when a service runs on this box.
    """
    ctx.require(Permission.BOX_MAINTAIN)
    with _serving(ctx):
        _make_inbox(ctx)
        if is_left_behind(ctx):
            reconcile(ctx)
        expire_waiting(ctx)
        heal(ctx)
        rounds = Rounds(ctx)
        left = ctx.settings.inbox.quiet_for_seconds
        # What was there at the first look settles within that time, one after the other.
        while (wait := rounds.go().next_look) is not None and wait <= left:
            sleep(wait)
            left -= wait
        return import_settled(ctx, Attempts(ctx.settings.inbox.rescan_seconds))


def _serving(ctx: Context) -> FileLock:
    return FileLock(
        ctx.store.locks / "serve.lock",
        busy="a service is already looking after the inbox of this box",
        hint="Leave it to that one, or stop it first, as with `systemctl stop issbox`.",
    )


def _make_inbox(ctx: Context) -> None:
    """Make the inbox if it is missing. Later it is not made again: then it has been unmounted, not forgotten."""
    try:
        ctx.settings.inbox.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise error_from_os(error) from error


class _Service:
    """The loop around rounds, observer and queue."""

    def __init__(self, ctx: Context, stop: threading.Event, systemd: Systemd) -> None:
        self._ctx = ctx
        self._stop = stop
        self._systemd = systemd
        self._bell = threading.Event()
        self._rounds = Rounds(ctx)
        settings = ctx.settings.inbox
        self._rescan_every = settings.rescan_seconds
        self._attempts = Attempts(settings.rescan_seconds)
        self._observer = InboxObserver(
            settings.path, self._bell.set, polling=settings.polling, poll_interval=settings.poll_interval_seconds
        )
        working = replace(ctx, progress=ServiceProgress(stop))
        self._jobs = JobThreads(ctx, stop)
        self._queue = InboxQueue(ctx.store, lambda: import_settled(working, self._attempts, stopped=self._stop.is_set))

    def run(self) -> None:
        """Serve until told to stop."""
        self._observer.ensure()
        self._queue.start()
        self._jobs.start()
        self._systemd.tell("READY=1", "STATUS=watching the inbox")
        try:
            self._loop()
        finally:
            self._systemd.tell("STOPPING=1", "STATUS=stopping")
            self._observer.stop()
            if not self._queue.stop(_STOP_PATIENCE):
                _LOG.warning("an import did not stop in time; it is undone or finished at the next start")
            if not self._jobs.stop(_STOP_PATIENCE):
                _LOG.warning("a job did not stop in time; it is begun again at the next start")

    def _loop(self) -> None:
        rescan_at = time.monotonic()
        while not self._stop.is_set():
            began = time.monotonic()
            self._systemd.alive(began)
            due = began >= rescan_at
            if due:
                rescan_at = began + self._rescan_every
            found = self._round(rescan=due)
            took = time.monotonic() - began
            wait = rescan_at - time.monotonic()
            if found is not None and found.next_look is not None:
                wait = min(wait, found.next_look)
            # Scans of a large inbox that is being filled must not eat the machine that fills it.
            if self._wait_for_bell(max(0.01, wait)):
                self._stop.wait(max(_DEBOUNCE, min(10 * took, _LONGEST_GAP)))
                self._bell.clear()

    def _wait_for_bell(self, seconds: float) -> bool:
        """Wait until something happens in the inbox, the time is over, or the service is to stop."""
        until = time.monotonic() + seconds
        while not self._stop.is_set() and (left := until - time.monotonic()) > 0:
            self._systemd.alive(time.monotonic())
            if self._bell.wait(min(left, _SLICE)):
                return True
        return False

    def _round(self, *, rescan: bool) -> Round | None:
        """Do one round; what fails is logged and done again at the next."""
        try:
            self._observer.ensure()
            if rescan:
                self._put_in_order()
            found = self._rounds.go()
            for row in found.changed:
                _LOG.info("%s %s", row.state, fields(id=row.id, path=row.path or None, words=row.reason or None))
            if next_settled(self._ctx, lambda each: self._attempts.may_try(each, time.monotonic())) is not None:
                self._queue.enqueue()
        except IssboxError as error:
            _LOG.warning("a look at the inbox failed; trying again %s", fields(code=error.code, reason=error))
        except OSError as error:
            _LOG.warning("a look at the inbox failed; trying again %s", fields(reason=error_from_os(error)))
        except Exception:  # hosts are served by this process too
            _LOG.exception("a look at the inbox failed in a way that is a mistake in issbox; trying again")
        else:
            return found
        return None

    def _put_in_order(self) -> None:
        """Make good what went wrong since the last rescan."""
        self._queue.keep_alive()
        if is_left_behind(self._ctx):
            reconcile(self._ctx)
        for row in expire_waiting(self._ctx):
            _LOG.warning("refused %s", fields(id=row.id, path=row.path or None, reason=row.reason))
        for row in heal(self._ctx):
            _LOG.info("moved %s", fields(id=row.id, state=row.state, path=row.path or None))
