"""Jobs that issue certificates anew for many hosts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from issbox.errors import WrongStateError
from issbox.model import RegenerationState
from issbox.workflows.certificates import regenerating
from issbox.workflows.context import Context
from issbox.workflows.job_kinds import Task


@dataclass(frozen=True, slots=True)
class RegenerateJob:
    """Issue what is left of a regeneration; one that is begun again goes on where it was."""

    kind: ClassVar = "regenerate"
    regeneration: int
    """Its number, from `start_regeneration`."""

    def check(self, ctx: Context) -> Task:
        """Say what it is about; raises NotFoundError, NotPermittedError, and WrongStateError when it has ended."""
        job = regenerating.get_regeneration(ctx, self.regeneration)
        if job.ended:
            raise WrongStateError(
                f"the regeneration {job.id} is {job.state} already", shown="certificate regenerations"
            )
        return Task(f"certificates: {job.scope}", job.scope.organization)

    def run(self, ctx: Context) -> Mapping[str, object]:
        """Do it; it is over early when somebody lets the regeneration rest or ends it."""
        done = regenerating.run_regeneration(ctx, self.regeneration)
        return {
            "regeneration": done.id,
            "state": done.state.value,
            "total": done.total,
            "done": done.done,
            "kept": done.kept,
            "failed": done.failed,
        }

    def cancelled(self, ctx: Context) -> None:
        """End the regeneration with the job, inside a session; what was issued stays."""
        if not ctx.store.regenerations.get(self.regeneration).ended:
            ctx.store.regenerations.set_state(self.regeneration, RegenerationState.CANCELLED)


def forget_ended_regenerations(ctx: Context, before: datetime) -> Sequence[int]:
    """Forget regenerations that ended and were asked for before a time, and give their numbers; call it in a session.

    One stays as long as a job that did some of it is told of.
    """
    jobs = (each for each in ctx.store.jobs.list() if each.kind == RegenerateJob.kind)
    told = {each.parameters.get("regeneration") for each in jobs}
    return ctx.store.regenerations.forget_ended(before, [each for each in told if isinstance(each, int)])
