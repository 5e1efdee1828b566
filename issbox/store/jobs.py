"""Rows of jobs."""

from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, cast

from peewee import fn

from issbox.errors import NotFoundError
from issbox.model import Actor, Job, JobProgress, JobState
from issbox.store.database import Noun, rows, transaction
from issbox.store.tables import JobRow
from issbox.store.tables.columns import from_json, to_json


class Jobs(Noun):
    """Jobs."""

    def add(
        self,
        *,
        kind: str,
        subject: str,
        organization: str | None,
        products: Collection[str],
        parameters: Mapping[str, object],
        actor: Actor,
        user: str | None,
        at: datetime,
    ) -> Job:
        """Record that somebody asks for work."""
        new = Job(0, kind, subject, organization, tuple(sorted(products)), parameters, actor, user, at, at)
        with transaction():
            return self.get(int(JobRow.insert(**_columns(new)).execute()))

    def get(self, job_id: int) -> Job:
        """Give a job by its number; raises NotFoundError."""
        found = _read(JobRow.select().where(JobRow.id == job_id))
        if not found:
            raise NotFoundError(f"there is no job {job_id}", listed="job list")
        return found[0]

    def list(
        self, states: Collection[JobState] | None = None, limit: int | None = None, *, before: int | None = None
    ) -> list[Job]:
        """Give jobs, newest first: all, or those in these states, or with numbers below one."""
        query = JobRow.select().order_by(JobRow.id.desc())
        if states is not None:
            query = query.where(JobRow.state.in_([state.value for state in states]))
        if before is not None:
            query = query.where(JobRow.id < before)
        return _read(query if limit is None else query.limit(limit))

    def count(self) -> dict[JobState, int]:
        """Give the number of jobs by state, of every state."""
        query = JobRow.select(JobRow.state, fn.COUNT(JobRow.id)).group_by(JobRow.state)
        return dict.fromkeys(JobState, 0) | {JobState(state): int(number) for state, number in rows(query)}

    def oldest(self, state: JobState) -> Job | None:
        """Give the job that has been there longest of those in a state, or None."""
        found = _read(JobRow.select().where(JobRow.state == state.value).order_by(JobRow.id).limit(1))
        return found[0] if found else None

    def claim(self, job_id: int, at: datetime) -> Job | None:
        """Let a queued job be running and give it; None when it is queued no more, since another worker was faster."""
        with transaction():
            changed = (
                JobRow.update(state=JobState.RUNNING.value, started_at=at, updated_at=at, attempts=JobRow.attempts + 1)
                .where(JobRow.id == job_id, JobRow.state == JobState.QUEUED.value)
                .execute()
            )
            return self.get(job_id) if changed else None

    def update(self, job_id: int, *, updated_at: datetime, **changes: object) -> Job:
        """Change fields by name and give the row as it is then; raises NotFoundError."""
        with transaction():
            wanted = replace(self.get(job_id), updated_at=updated_at, **cast("dict[str, Any]", changes))
            columns = _columns(wanted)
            kept = {name: columns[name] for name in (*changes, "updated_at")}
            JobRow.update(**kept).where(JobRow.id == job_id).execute()
            return self.get(job_id)

    def report(self, job_id: int, progress: JobProgress, at: datetime) -> bool:
        """Write down how far a running job has come; tell whether it is to stop."""
        with transaction():
            changed = JobRow.update(progress=to_json(progress), updated_at=at).where(
                JobRow.id == job_id, JobRow.state == JobState.RUNNING.value
            )
            changed.execute()
            return self.get(job_id).cancel_requested

    def forget_ended(self, before: datetime) -> int:
        """Delete the jobs that ended before a time and give how many they were.

        The newest job stays: SQLite would give its number to the next one, and a number never means two things.
        """
        with transaction():
            newest = JobRow.select(fn.MAX(JobRow.id)).scalar()
            over = [state.value for state in JobState if state.over]
            old = (JobRow.state.in_(over)) & (JobRow.ended_at < before) & (JobRow.id < newest)
            return 0 if newest is None else int(JobRow.delete().where(old).execute())


def _columns(row: Job) -> dict[str, object]:
    columns: dict[str, object] = {each.name: getattr(row, each.name) for each in fields(row) if each.name != "id"}
    return columns | {
        "actor": row.actor.name,
        "origin": row.actor.origin,
        "state": row.state.value,
        "products": to_json(row.products),
        "parameters": to_json(row.parameters),
        "progress": to_json(row.progress),
        "result": to_json(row.result),
    }


def _read(query: Any) -> list[Job]:
    return [
        Job(
            **{
                **{name: value for name, value in row.items() if name != "origin"},
                "actor": Actor(row["actor"], row["origin"]),
                "state": JobState(row["state"]),
                "products": from_json(row["products"], tuple[str, ...]),
                "parameters": from_json(row["parameters"], dict[str, object]),
                "progress": from_json(row["progress"], JobProgress),
                "result": from_json(row["result"], dict[str, object]),
            }
        )
        for row in query.dicts()
    ]
