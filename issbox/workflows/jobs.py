"""Jobs: asking for long work, watching it, stopping it, and doing it.

The row is the truth. Whoever does a job holds its lock, so that a job whose process died is seen and begun again.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from issbox.errors import BugError, InterruptedByUserError, IssboxError, NotFoundError, WrongStateError
from issbox.files import FileLock, error_from_os
from issbox.model import Job, JobState
from issbox.workflows.context import Context, Permission
from issbox.workflows.job_kinds import Cancellable, JobParameters, from_row, to_row
from issbox.workflows.job_progress import JobReporter
from issbox.workflows.newest import newest

_LOG: Final = logging.getLogger("issbox.jobs")
MOST_ATTEMPTS: Final = 3
"""How often a job is begun whose process dies."""
_OPEN: Final = (JobState.QUEUED, JobState.RUNNING)


def create_job(ctx: Context, parameters: JobParameters) -> Job:
    """Ask for work and give its row; whoever works through jobs takes it up.

    Raises what the work would be refused for: NotPermittedError, NotFoundError, PromotionRefusedError and the like.
    """
    task = parameters.check(ctx)
    with ctx.store.session(), ctx.store.transaction():
        job = ctx.store.jobs.add(
            kind=parameters.kind,
            subject=task.subject,
            organization=task.organization,
            products=task.products,
            parameters=to_row(parameters),
            actor=ctx.actor,
            user=ctx.user,
            at=ctx.clock(),
        )
        ctx.audit("job.create", f"{job.kind} {job.subject}", organization=job.organization, details={"job": job.id})
    return job


def list_jobs(
    ctx: Context,
    *,
    only_open: bool = False,
    limit: int | None = None,
    wanted: Callable[[Job], bool] = lambda _: True,
) -> list[Job]:
    """Give the jobs that who asks may see, newest first: all, those that are not over, or those that are wanted."""
    with ctx.store.session():
        states = _OPEN if only_open else None
        return newest(
            lambda before, size: ctx.store.jobs.list(states, size, before=before),
            lambda job: _sees(ctx, job) and wanted(job),
            limit,
        )


def get_job(ctx: Context, job_id: int) -> Job:
    """Give one job; raises NotFoundError."""
    with ctx.store.session():
        job = ctx.store.jobs.get(job_id)
        if not _sees(ctx, job):
            raise NotFoundError(f"there is no job {job_id}", listed="job list")
        return job


def cancel_job(ctx: Context, job_id: int) -> Job:
    """Have a job stopped and give its row: one that has not begun is over at once, another one soon.

    Who asked for it may, and who maintains the box. Raises WrongStateError when it is over, NotPermittedError.
    """
    job = get_job(ctx, job_id)
    if not (ctx.user is not None and job.user == ctx.user):
        ctx.require(Permission.BOX_MAINTAIN)
    with ctx.store.session(), ctx.store.transaction():
        job = ctx.store.jobs.get(job_id)
        if job.state.over:
            raise WrongStateError(f"job {job_id} is {job.state} already", shown="job info")
        now = ctx.clock()
        if job.state is JobState.QUEUED:
            job = ctx.store.jobs.update(job_id, updated_at=now, state=JobState.CANCELLED, ended_at=now)
            _put_right(ctx, job)
        else:
            job = ctx.store.jobs.update(job_id, updated_at=now, cancel_requested=True)
        ctx.audit("job.cancel", f"{job.kind} {job.subject}", organization=job.organization, details={"job": job.id})
    return job


def why_not_cancel(ctx: Context, job: Job) -> str:
    """Say why who asks may not stop a job; empty when it may."""
    mine = ctx.user is None or job.user == ctx.user
    if mine or ctx.reach(Permission.BOX_MAINTAIN).everywhere:
        return ""
    return f"{job.actor.name} asked for it: only {job.actor.name} and a super-admin may stop it"


def next_job(ctx: Context) -> Job | None:
    """Give the oldest job that waits for a worker, after putting back those whose worker died."""
    with ctx.store.session():
        _put_back_dead(ctx)
        return ctx.store.jobs.oldest(JobState.QUEUED)


def any_left(ctx: Context) -> bool:
    """Tell whether a job waits for a worker or has lost its own."""
    with ctx.store.session():
        if ctx.store.jobs.oldest(JobState.QUEUED) is not None:
            return True
        return any(_is_dead(ctx, job) for job in ctx.store.jobs.list([JobState.RUNNING]))


def run_job(ctx: Context, job_id: int, stop: threading.Event | None = None) -> Job | None:
    """Do a queued job and give its row as it is then; None when another worker has it.

    It acts as the user who asked for it, with the roles of now. When `stop` is set, or this process is interrupted, it
    is queued again.
    """
    with _owning(ctx, job_id) as owned:
        if not owned:
            return None
        with ctx.store.session():
            job = ctx.store.jobs.claim(job_id, ctx.clock())
        return None if job is None else _work(ctx, job, stop or threading.Event())


def _work(ctx: Context, job: Job, stop: threading.Event) -> Job:
    reporter = JobReporter(ctx, job.id, stop)
    acting = replace(ctx, actor=job.actor, user=job.user, progress=reporter)
    ended: dict[str, object]
    with reporter:
        try:
            result = from_row(job.kind, job.parameters).run(acting)
            ended = {"state": JobState.FINISHED, "result": dict(result)}
        except InterruptedByUserError:
            cancelled = reporter.cancelled.is_set()
            ended = {"state": JobState.CANCELLED if cancelled else JobState.QUEUED}
        except OSError as error:
            ended = _failure(error_from_os(error))
        except IssboxError as error:
            ended = _failure(error)
        except KeyboardInterrupt:
            _end(ctx, job, reporter, {"state": JobState.QUEUED})
            raise
        except Exception as error:
            _LOG.exception("job %d (%s %s) failed in a way that is a bug", job.id, job.kind, job.subject)
            ended = _failure(BugError(f"{type(error).__name__}: {error}"))
    return _end(ctx, job, reporter, ended)


def _end(ctx: Context, job: Job, reporter: JobReporter, ended: dict[str, object]) -> Job:
    now = ctx.clock()
    over = ended["state"] is not JobState.QUEUED
    with ctx.store.session():
        if ended["state"] is JobState.CANCELLED:
            _put_right(ctx, job)
        return ctx.store.jobs.update(
            job.id, updated_at=now, ended_at=now if over else None, progress=reporter.facts(), **ended
        )


def _put_right(ctx: Context, job: Job) -> None:
    """Let a kind of job that has something to put right do so, its job being cancelled."""
    parameters = from_row(job.kind, job.parameters)
    if isinstance(parameters, Cancellable):
        parameters.cancelled(ctx)


def _failure(error: IssboxError) -> dict[str, object]:
    return {"state": JobState.FAILED, "error_code": error.code, "reason": str(error), "hint": error.hint}


def _put_back_dead(ctx: Context) -> None:
    for job in _dead(ctx, ctx.store.jobs.list([JobState.RUNNING])):
        now = ctx.clock()
        if job.cancel_requested:
            ended: dict[str, object] = {"state": JobState.CANCELLED, "ended_at": now}
            _put_right(ctx, job)
        elif job.attempts < MOST_ATTEMPTS:
            ended = {"state": JobState.QUEUED}
        else:
            reason = f"its process died {job.attempts} times"
            hint = "Look into the log of the system for why, for example too little memory, and ask for it again."
            ended = {"state": JobState.FAILED, "ended_at": now, "error_code": "died", "reason": reason, "hint": hint}
        ctx.store.jobs.update(job.id, updated_at=now, **ended)


def _dead(ctx: Context, running: Iterable[Job]) -> Iterator[Job]:
    return (job for job in running if _is_dead(ctx, job))


def _is_dead(ctx: Context, job: Job) -> bool:
    if job.state is not JobState.RUNNING:
        return False
    with _owning(ctx, job.id) as owned:
        # Read again under the lock: its worker may just have ended.
        return owned and ctx.store.jobs.get(job.id).state is JobState.RUNNING


@contextmanager
def _owning(ctx: Context, job_id: int) -> Iterator[bool]:
    lock = FileLock(ctx.store.locks / f"job-{job_id}.lock")
    owned = lock.try_acquire()
    try:
        yield owned
    finally:
        if owned:
            lock.remove()


def _sees(ctx: Context, job: Job) -> bool:
    if ctx.user is None or job.user == ctx.user:
        return True
    if job.organization is None:
        return ctx.reach(Permission.BOX_READ).everywhere
    return ctx.reach(Permission.CONTENT_READ).products(job.organization).cover(job.products)
