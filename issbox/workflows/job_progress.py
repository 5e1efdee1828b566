"""The progress of a job: counted in memory, written to its row once a second, and stopped when somebody asks."""

import threading
from types import TracebackType
from typing import Final, Self

from issbox.errors import InterruptedByUserError, IssboxError
from issbox.model import JobProgress
from issbox.workflows.context import Context

_EVERY: Final = 1.0
"""Seconds between two reports."""
_NOTES: Final = 20
_LONGEST_NOTE: Final = 500


class JobReporter:
    """Counts what a job does; inside a with-block, a thread of its own writes it down."""

    def __init__(self, ctx: Context, job_id: int, stop: threading.Event, *, every: float = _EVERY) -> None:
        """Report about a running job; once `stop` is set, or it is cancelled, the next `advance` ends it."""
        self.cancelled = threading.Event()
        self._ctx = ctx
        self._job_id = job_id
        self._stop = stop
        self._every = every
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._facts = JobProgress()
        self._thread = threading.Thread(target=self._report, name=f"job {job_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def facts(self) -> JobProgress:
        """Give how far the job has come."""
        with self._lock:
            return self._facts

    def step(self, name: str, message: str = "") -> None:
        """Begin a step."""
        with self._lock:
            words = f"{name}: {message}" if message else name
            self._facts = JobProgress(step=words, notes=self._facts.notes)

    def expect(self, *, files: int, size: int) -> None:
        """Remember how much there is to do."""
        self._set(expected_files=files, expected_size=size)

    def advance(self, *, files: int = 0, size: int = 0) -> None:
        """Count. Raises InterruptedByUserError when the job is to end."""
        if self.cancelled.is_set():
            raise InterruptedByUserError("the job was cancelled")
        if self._stop.is_set():
            raise InterruptedByUserError("whoever does the job is ending")
        with self._lock:
            now = self._facts
            self._facts = _changed(now, files=now.files + files, size=now.size + size)

    def note(self, message: str) -> None:
        """Keep what a person should read."""
        with self._lock:
            notes = (*self._facts.notes, message[:_LONGEST_NOTE])[-_NOTES:]
            self._facts = _changed(self._facts, notes=notes)

    def _set(self, **changes: int) -> None:
        with self._lock:
            self._facts = _changed(self._facts, **changes)

    def _report(self) -> None:
        written = JobProgress()
        while not self._over.wait(self._every):
            facts = self.facts()
            try:
                with self._ctx.store.session():
                    if facts != written:
                        cancel = self._ctx.store.jobs.report(self._job_id, facts, self._ctx.clock())
                    else:
                        cancel = self._ctx.store.jobs.get(self._job_id).cancel_requested
            except IssboxError:
                continue  # a busy database; the next report tells more
            written = facts
            if cancel:
                self.cancelled.set()


def _changed(facts: JobProgress, **changes: object) -> JobProgress:
    known = {name: getattr(facts, name) for name in JobProgress.__slots__}
    return JobProgress(**{**known, **changes})
