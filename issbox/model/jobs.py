"""Words for jobs: work that goes on without whoever asked for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from issbox.model.box import Actor


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        """Whether nothing more happens."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job has come, in its present step."""

    step: str = ""
    files: int = 0
    expected_files: int = 0
    size: int = 0
    """Bytes."""
    expected_size: int = 0
    """Bytes; 0 when nobody knows."""
    notes: tuple[str, ...] = ()
    """The last things that a person should read."""


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of long work, asked for by somebody and done by the service or a process of its own."""

    id: int
    kind: str
    subject: str
    """What is worked on, for people."""
    organization: str | None
    products: tuple[str, ...]
    """Labels of the products that it touches; whoever may see all of them sees the job."""
    parameters: Mapping[str, object]
    actor: Actor
    """Who asked for it."""
    user: str | None
    """The user whose roles limit it. None: the account that owns the box."""
    created_at: datetime
    updated_at: datetime
    state: JobState = JobState.QUEUED
    started_at: datetime | None = None
    ended_at: datetime | None = None
    attempts: int = 0
    """How often it was begun: more than once after a process that died."""
    cancel_requested: bool = False
    progress: JobProgress = field(default_factory=JobProgress)
    result: Mapping[str, object] = field(default_factory=dict)
    """What came of it; its keys depend on the kind."""
    error_code: str | None = None
    reason: str = ""
    hint: str = ""
