"""`issbox job`."""

import os

import click

from issbox.cli.command import Run, command
from issbox.cli.index import noun
from issbox.cli.options import chosen_id, id_option
from issbox.cli.shapes import Field, Shape, size
from issbox.model import Job

job = noun("job")

JOB = Shape[Job](
    "job",
    (
        Field("id", "its number", lambda each: each.id, column=True),
        Field(
            "kind",
            "`synchronize`, `export`, `publish`, `promote`, `promote-content`, `regenerate`, `inbox`, `garbage` or "
            "`audit`",
            lambda each: each.kind,
            column=True,
        ),
        Field("subject", "what is worked on", lambda each: each.subject, column=True),
        Field(
            "state", "`queued`, `running`, `finished`, `failed` or `cancelled`", lambda each: each.state, column=True
        ),
        Field("requested_by", "who asked for it", lambda each: each.actor.name, column=True),
        Field("organization", "label of the organization, or null", lambda each: each.organization),
        Field("created_at", "when it was asked for", lambda each: each.created_at, column=True),
        Field("started_at", "when it was begun, or null", lambda each: each.started_at),
        Field("ended_at", "when it was over, or null", lambda each: each.ended_at),
        Field("attempts", "how often it was begun", lambda each: each.attempts),
        Field("cancel_requested", "true when it is to stop", lambda each: each.cancel_requested),
        Field("step", "its present or last step", lambda each: each.progress.step),
        Field("files", "files or certificates of this step that are done", lambda each: each.progress.files),
        Field("expected_files", "files or certificates of this step, or 0", lambda each: each.progress.expected_files),
        Field("size", "bytes of this step that are done", lambda each: each.progress.size, show=size),
        Field("expected_size", "bytes of this step, or 0", lambda each: each.progress.expected_size, show=size),
        Field("notes", "array: what a person should read", lambda each: each.progress.notes),
        Field("result", "object: what came of it, depending on the kind", lambda each: each.result),
        Field("error_code", "code of the error, or null", lambda each: each.error_code),
        Field("reason", "what went wrong; empty when nothing did", lambda each: each.reason),
        Field("hint", "what to do then", lambda each: each.hint),
    ),
)


@command("list", group=job, example="issbox job list --open", shape=JOB, many=True)
@click.option("--open", "only_open", is_flag=True, help="Only those that are not over.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the newest.")
def list_(run: Run, *, only_open: bool, limit: int | None) -> None:
    """List long work that was asked for in the console or with --async, newest first."""
    from issbox.workflows import jobs

    run.show_all(JOB, jobs.list_jobs(run.open(), only_open=only_open, limit=limit))


@command("info", group=job, example="issbox job info 7", shape=JOB)
@id_option("job")
def info(run: Run, *, number: int | None, id_: int | None) -> None:
    """Show one job: how far it is, and what came of it."""
    from issbox.workflows import jobs

    job_id = chosen_id(number, id_)
    run.show(JOB, jobs.get_job(run.open(), job_id))


@command("cancel", group=job, example="issbox job cancel 7", shape=JOB)
@id_option("job")
def cancel(run: Run, *, number: int | None, id_: int | None) -> None:
    """Stop a job. What it has done so far is undone, or goes on when the same work is asked for again."""
    from issbox.workflows import jobs

    job_id = chosen_id(number, id_)
    run.show(JOB, jobs.cancel_job(run.open(), job_id))


@command("wait", group=job, example="issbox job wait 7", shape=JOB)
@id_option("job")
def wait(run: Run, *, number: int | None, id_: int | None) -> None:
    """Wait until a job is over, showing its progress; Ctrl-C ends only the waiting."""
    from issbox.job_running import wait_for

    job_id = chosen_id(number, id_)
    run.show(JOB, wait_for(run.open(), job_id))


@command("work", group=job, example="issbox job work", shape=JOB, many=True)
def work(run: Run) -> None:
    """Do the jobs that wait for a worker, and end; where the service runs, it does them by itself."""
    from issbox.job_running import work_through
    from issbox.wiring import require_local_administrator

    require_local_administrator(os.environ)
    run.show_all(JOB, work_through(run.open()))
