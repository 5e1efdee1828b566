"""Jobs: long work that goes on by itself, of every operator."""

from typing import Any, Final

from issbox.console.lines import details, listed
from issbox.console.session import Session
from issbox.console.showing import progress_words, when
from issbox.console.words import (
    Action,
    Answers,
    Column,
    Consequences,
    Line,
    Mood,
    Outcome,
    Place,
    Target,
    Text,
    View,
    Wanted,
)
from issbox.model import Job, JobState
from issbox.names import format_size

_MOST: Final = 500
_COUNTED: Final = {"regenerate": "certificate"}
"""What kinds of jobs count that are not about files."""
_MOODS: Final = {
    JobState.QUEUED: Mood.PLAIN,
    JobState.RUNNING: Mood.BUSY,
    JobState.FINISHED: Mood.GOOD,
    JobState.FAILED: Mood.BAD,
    JobState.CANCELLED: Mood.QUIET,
}


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows import jobs

    del subject
    return View(
        "Jobs",
        (
            Column("ID", 5),
            Column("State", 10),
            Column("Work", 12),
            Column("On", 18, 2),
            Column("How far", 20, 2),
            Column("By", 8, 1, spare=True),
        ),
        listed((job_line(each) for each in jobs.list_jobs(session.ctx, limit=_MOST)), wanted),
        empty="No long work was asked for yet.",
    )


def job_line(job: Job) -> Line:
    """Give the line of a job."""
    far = job.reason or how_far(job)
    cells = (str(job.id), job.state.value, job.kind, job.subject, far, job.actor.name)
    return Line(str(job.id), cells, job, _MOODS[job.state])


def how_far(job: Job) -> str:
    """Give how far a job is, in a few words."""
    facts = job.progress
    if job.state.over:
        return when(job.ended_at)
    words = _progress(job)
    return ", ".join(part for part in (words, facts.step) if part)


def _progress(job: Job) -> str:
    facts = job.progress
    noun = _COUNTED.get(job.kind, "file")
    return progress_words(facts.files, facts.expected_files, facts.size, facts.expected_size, noun)


def _fact(name: str, value: object) -> object:
    return format_size(value) if name == "size" and isinstance(value, int) else value


def job_text(session: Session, job_id: int) -> Text:
    """Give all there is to know about a job, for watching it."""
    from issbox.workflows import jobs

    job = jobs.get_job(session.ctx, job_id)
    facts = job.progress
    result = [(f"result: {name}", _fact(name, value)) for name, value in job.result.items()]
    lines = details(
        [
            ("state", f"{job.state}{', is to stop' if job.cancel_requested and not job.state.over else ''}"),
            ("work", f"{job.kind} {job.subject}"),
            ("organization", job.organization),
            ("asked for by", f"{job.actor.name} from {job.actor.origin}"),
            ("asked for", when(job.created_at)),
            ("begun", when(job.started_at)),
            ("over", when(job.ended_at)),
            ("step", facts.step),
            ("how far", _progress(job)),
            ("why", job.reason),
            ("what to do", job.hint),
            ("error code", job.error_code),
            *result,
        ]
    )
    notes = ("", *(f"Note: {note}" for note in facts.notes)) if facts.notes else ()
    values = tuple((name, str(value)) for name, value in job.result.items() if value not in (None, ""))
    return Text(f"Job {job.id}", (*lines, *notes), values)


def _open(session: Session, target: Target, answers: Answers) -> Outcome:
    """Watch a job, or see what came of it."""
    del session, answers
    return Outcome(job=target.thing.id)


def _cancel_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    del session, answers
    job: Job = target.thing
    lines = ("Nothing half-done stays visible. The same work can be asked for again.",)
    return Consequences(f"Stop job {job.id}, {job.kind} {job.subject}?", lines, "Stop it")


def _cancel(session: Session, target: Target, answers: Answers) -> Outcome:
    """Stop a job."""
    from issbox.workflows import jobs

    del answers
    job = jobs.cancel_job(session.ctx, target.thing.id)
    return Outcome(f"Job {job.id} is {'cancelled' if job.state.over else 'told to stop'}.")


def _not_to_cancel(session: Session, target: Target) -> str:
    from issbox.workflows import jobs

    job: Job = target.thing
    return f"it is {job.state}" if job.state.over else jobs.why_not_cancel(session.ctx, job)


PLACE: Final = Place(
    "jobs",
    "Jobs",
    "Long work: synchronizing, exporting, promoting, importing. It goes on when the console ends, and everybody who "
    "may see the content sees it here.",
    _show,
    "7",
)

ACTIONS: Final = (
    Action("jobs.open", "enter", "Watch", _open, Job),
    Action("jobs.cancel", "c", "Stop", _cancel, Job, confirm=_cancel_confirm, why_not=_not_to_cancel),
)
