"""Jobs that promote and demote contents by their ids, for programs that follow a job's state."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from issbox.errors import BusyError, WrongStateError
from issbox.rules.environments.promoting import PromotionPlan
from issbox.workflows.context import Context, Permission
from issbox.workflows.environments import promoting, promoting_contents
from issbox.workflows.environments.promotion_parts import refusal_of
from issbox.workflows.job_kinds import Task

_PAUSES: Final = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds to wait for others that change the environment, one after the other."""


class Deed(StrEnum):
    """What is done with contents."""

    PROMOTE = "promote"
    DEMOTE = "demote"
    SET = "set"


@dataclass(frozen=True, slots=True)
class PromoteContentJob:
    """Change which contents an environment holds."""

    kind: ClassVar = "promote-content"
    organization: str
    environment: str
    deed: Deed
    contents: dict[str, bool | None]
    """Ids, and whether hosts are to have each enabled."""
    newest: bool = False
    """Whether what is there already gets the version of the environment before."""
    force: bool = False
    reason: str = ""

    def plan(self, ctx: Context) -> PromotionPlan:
        """Plan it; raises NotFoundError, AlreadyExistsError, NotPermittedError."""
        if self.deed is Deed.DEMOTE:
            return promoting_contents.plan_contents_out(ctx, self.organization, self.environment, self.contents)
        if self.deed is Deed.PROMOTE:
            return promoting_contents.plan_contents_in(
                ctx, self.organization, self.environment, self.contents, force=self.force, reason=self.reason
            )
        return promoting_contents.plan_contents_exactly(
            ctx,
            self.organization,
            self.environment,
            self.contents,
            newest=self.newest,
            force=self.force,
            reason=self.reason,
        )

    def check(self, ctx: Context) -> Task:
        """Plan it; raises PromotionRefusedError with every reason besides."""
        ctx.require_some(Permission.CONTENT_PROMOTE, self.organization)
        plan = self.plan(ctx)
        if plan.products:
            ctx.require(Permission.CONTENT_PROMOTE, plan.organization, plan.products)
        if plan.refusals:
            raise refusal_of(plan)
        return Task(f"{plan.subject} in {plan.environment}: {self.deed}", plan.organization, plan.products)

    def run(self, ctx: Context) -> Mapping[str, object]:
        """Do it, after others that are at the same environment; raises BusyError when they take too long."""
        for pause in _PAUSES:
            try:
                return self._do(ctx)
            except (BusyError, WrongStateError):  # the plan is made anew: it may be another one now
                ctx.progress.advance()
                time.sleep(pause)
        return self._do(ctx)

    def _do(self, ctx: Context) -> Mapping[str, object]:
        record = promoting.promote(ctx, self.plan(ctx))
        return {"promotion": None if record is None else record.id, "environment": self.environment}
