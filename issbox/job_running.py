"""Who works through jobs: threads of the service, and where none runs, a process of its own.

A process that a console starts is in a session of its own: it has no terminal, and goes on when the console ends.
"""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from issbox.errors import BusyError, IssboxError, JobFailedError, every_error
from issbox.files import FileLock
from issbox.model import Job, JobState
from issbox.workflows.context import Context
from issbox.workflows.job_kinds import JobParameters
from issbox.workflows.jobs import any_left, create_job, get_job, next_job, run_job

_LOG: Final = logging.getLogger("issbox.jobs")
_LOOK: Final = 0.5
"""Seconds between two looks for jobs."""
_TAKING_UP: Final = 10.0
"""Seconds that a process that was started for jobs has to take one up before another one is started."""
_LOOK_SOON: Final = 0.05
_THREADS: Final = 3
_LOCK: Final = "jobs.lock"


def begin(ctx: Context, parameters: JobParameters, environ: Mapping[str, str] | None = None) -> Job:
    """Ask for work, see to it that somebody does it, and give the job; raises what `create_job` raises."""
    job = create_job(ctx, parameters)
    see_to_it(ctx, environ)
    return job


def do_now(ctx: Context, parameters: JobParameters) -> Job:
    """Ask for work that takes a moment, do it, and give the job.

    Somebody who works through jobs may be quicker; then this waits. Raises what `create_job` raises, and whatever the
    job failed with.
    """
    job = create_job(ctx, parameters)
    done = run_job(ctx, job.id) or _waited_for(ctx, job.id)
    if done.state is JobState.FINISHED:
        return done
    kinds = {each.code: each for each in every_error()}
    raise kinds.get(done.error_code or "", JobFailedError)(done.reason or f"job {done.id} {done.state}", hint=done.hint)


def _waited_for(ctx: Context, job_id: int) -> Job:
    with suppress(JobFailedError):
        wait_for(ctx, job_id, look=_LOOK_SOON)
    return get_job(ctx, job_id)


def see_to_it(ctx: Context, environ: Mapping[str, str] | None = None) -> bool:
    """Start a process for the jobs that wait, unless a service works through them; tell whether one was started."""
    if service_runs(ctx) or not any_left(ctx):
        return False
    # The process acts for whoever asked for each job; by itself it is the box.
    given = {name: value for name, value in (environ or os.environ).items() if name != "ISSBOX_USER"}
    subprocess.Popen(
        [sys.executable, "-m", "issbox", "job", "work"],
        env=given,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    return True


class Caretaker:
    """Sees to it again and again that somebody does the jobs; a process that it started gets time to take one up."""

    def __init__(self, ctx: Context, environ: Mapping[str, str] | None = None) -> None:
        self._ctx = ctx
        self._environ = environ
        self._quiet_until = 0.0

    def look(self) -> None:
        """Start a process for jobs that wait, unless one was started a moment ago."""
        if time.monotonic() >= self._quiet_until and see_to_it(self._ctx, self._environ):
            self._quiet_until = time.monotonic() + _TAKING_UP


def service_runs(ctx: Context) -> bool:
    """Tell whether a service works through jobs."""
    lock = FileLock(ctx.store.locks / _LOCK, shared=True)
    free = lock.try_acquire()
    lock.release()
    return not free


def work_through(ctx: Context, stop: threading.Event | None = None) -> list[Job]:
    """Do all jobs that wait, one after the other, and give them."""
    stop = stop or threading.Event()
    done: list[Job] = []
    while not stop.is_set() and (job := next_job(ctx)) is not None:
        ended = run_job(ctx, job.id, stop)
        if ended is not None:
            done.append(ended)
    return done


def wait_for(ctx: Context, job_id: int, *, look: float = _LOOK) -> Job:
    """Wait until a job is over and give it, telling the context's progress how far it is; raises JobFailedError."""
    step, files, size, expected = "", 0, 0, (0, 0)
    caretaker = Caretaker(ctx)
    while True:
        job = get_job(ctx, job_id)
        facts = job.progress
        if facts.step != step:
            step, files, size, expected = facts.step, 0, 0, (0, 0)
            ctx.progress.step(step)
        if expected != (facts.expected_files, facts.expected_size):  # it grows while the work finds more
            expected = (facts.expected_files, facts.expected_size)
            ctx.progress.expect(files=facts.expected_files, size=facts.expected_size)
        ctx.progress.advance(files=facts.files - files, size=facts.size - size)
        files, size = facts.files, facts.size
        if job.state.over:
            break
        caretaker.look()
        time.sleep(look)
    if job.state is not JobState.FINISHED:
        raise JobFailedError(f"job {job.id} ({job.kind} {job.subject}) {job.state}: {job.reason}".rstrip(": "))
    return job


class JobThreads:
    """The service's workers: a few jobs at a time, so that a promotion need not wait for an export."""

    def __init__(self, ctx: Context, stop: threading.Event, *, threads: int = _THREADS, look: float = _LOOK) -> None:
        """Prepare them; they end when `stop` is set, and their jobs are queued again."""
        self._ctx = ctx
        self._stop = stop
        self._look = look
        self._lock = FileLock(ctx.store.locks / _LOCK)
        names = range(threads)
        self._threads = [threading.Thread(target=self._loop, name=f"jobs {each}", daemon=True) for each in names]

    def start(self, patience: float = 5.0) -> None:
        """Start the threads; raises BusyError when another service has them."""
        until = time.monotonic() + patience
        while not self._lock.try_acquire():  # a console may just be looking whether it is held
            if time.monotonic() > until:
                raise BusyError("another service works through the jobs of this box")
            time.sleep(0.05)
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float) -> bool:
        """Wait for the threads to end, `stop` having been set; tell whether they have."""
        until = time.monotonic() + timeout
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))
        self._lock.release()
        return not any(thread.is_alive() for thread in self._threads)

    def _loop(self) -> None:
        while not self._stop.is_set():
            try:
                for job in work_through(self._ctx, self._stop):
                    _LOG.info("job %d %s: %s %s %s", job.id, job.kind, job.subject, job.state, job.reason)
            except IssboxError as error:
                _LOG.warning("jobs cannot be worked through now: %s", error)
            except Exception:
                _LOG.exception("a job failed in a way that is a bug")
            self._stop.wait(self._look)
