"""`/jobs`: how far long work is, and stopping it."""

from typing import Annotated, Any, Final

import msgspec

from issbox.errors import NotFoundError
from issbox.model import Job, JobState
from issbox.web.api.answers import Stamp, stamp
from issbox.web.api.routes import Call, NoQuery, Query, Routes, Shape, Who
from issbox.web.api.shapes import stamp_or_none
from issbox.workflows import jobs

ROUTES: Final = Routes("jobs")
_STATES: Final = {
    JobState.QUEUED: "QUEUED",
    JobState.RUNNING: "RUNNING",
    JobState.FINISHED: "FINISHED",
    JobState.FAILED: "FAILED",
    JobState.CANCELLED: "CANCELED",
}
_PREVIOUS: Final = {JobState.QUEUED: "CREATED", JobState.RUNNING: "QUEUED"}


class JobStatus(Shape):
    """How a job stands."""

    id: str
    key: str
    """What kind of work."""
    name: str
    """What is worked on."""
    group: str | None
    """Label of the organization, or null."""
    origin: str
    """From where it was asked for."""
    executor: str
    principal: str
    """Who asked for it."""
    state: str
    """QUEUED, RUNNING, FINISHED, FAILED or CANCELED."""
    previous_state: str
    created: Stamp
    updated: Stamp
    start_time: Stamp | None
    end_time: Stamp | None
    attempts: int
    max_attempts: int
    status_path: str
    result_data: dict[str, Any] | str | None
    """What came of it; when it failed, why."""
    done: int
    """Files or certificates of the present step that are done."""
    total: int
    """Files or certificates of the present step, or 0."""


class ListQuery(Query):
    """Which jobs."""

    owner: str | None = None
    state: list[str] | None = None
    key: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100


@ROUTES.add("GET", "/jobs", who=Who.USER, query=ListQuery, answer=list[JobStatus])
def list_jobs(call: Call[None, ListQuery]) -> list[JobStatus]:
    """List the jobs that the user may see, newest first."""
    query = call.query
    states = {each.upper() for each in query.state or ()}

    def wanted(job: Job) -> bool:
        named = query.owner in (None, job.organization) and query.key in (None, job.kind)
        return named and (not states or _STATES[job.state] in states)

    return [job_status(each) for each in jobs.list_jobs(call.ctx, limit=query.limit, wanted=wanted)]


@ROUTES.add("GET", "/jobs/{job_id}", who=Who.USER, answer=JobStatus)
def get_job(call: Call[None, NoQuery]) -> JobStatus:
    """Show how a job stands."""
    return job_status(jobs.get_job(call.ctx, _number(call.path["job_id"])))


@ROUTES.add("DELETE", "/jobs/{job_id}", who=Who.USER, answer=JobStatus)
def cancel_job(call: Call[None, NoQuery]) -> JobStatus:
    """Stop a job: one that has not begun is over at once, another one soon."""
    return job_status(jobs.cancel_job(call.ctx, _number(call.path["job_id"])))


def job_status(job: Job) -> JobStatus:
    """Describe a job."""
    return JobStatus(
        id=str(job.id),
        key=job.kind,
        name=job.subject,
        group=job.organization,
        origin=job.actor.origin,
        executor="issbox",
        principal=job.actor.name,
        state=_STATES[job.state],
        previous_state=_PREVIOUS.get(job.state, "RUNNING" if job.started_at else "QUEUED"),
        created=stamp(job.created_at),
        updated=stamp(job.updated_at),
        start_time=stamp_or_none(job.started_at),
        end_time=stamp_or_none(job.ended_at),
        attempts=job.attempts,
        max_attempts=jobs.MOST_ATTEMPTS,
        status_path=f"/jobs/{job.id}",
        result_data=job.reason if job.state is JobState.FAILED else dict(job.result) or None,
        done=job.progress.files,
        total=job.progress.expected_files,
    )


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise NotFoundError(f"there is no job {text[:80]}", listed="job list")
    return int(text)
