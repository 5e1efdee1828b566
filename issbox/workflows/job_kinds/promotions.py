"""Jobs that change what lifecycle environments hold."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, TypedDict

import msgspec

from issbox.errors import PlanChangedError
from issbox.model import PromotionAction, RepositoryKey, ViewVersionName, WantedContent
from issbox.rules.environments.promoting import PromotionPlan
from issbox.workflows.context import Context, Permission
from issbox.workflows.environments import exact_content, promoting
from issbox.workflows.environments.promotion_parts import refusal_of
from issbox.workflows.job_kinds import Task


class _Order(TypedDict):
    """Whether it may go out of order, and why."""

    force: bool
    reason: str


@dataclass(frozen=True, slots=True)
class PromoteJob:
    """Change what a lifecycle environment holds, as one of the kinds of plan says that was confirmed."""

    kind: ClassVar = "promote"
    organization: str
    environment: str
    confirmed: str
    """Digest of the plan that somebody saw, from `plan_digest`."""
    view: ViewVersionName | None = None
    """Content view version to promote."""
    repository: RepositoryKey | None = None
    """Repository to promote a version of."""
    number: int = 0
    source: str | None = None
    """Environment to promote everything of."""
    exactly: bool = False
    """Whether whatever else it holds goes then."""
    wanted: tuple[WantedContent, ...] | None = None
    """All that it is to hold."""
    demote: tuple[RepositoryKey, ...] = ()
    undo: int | None = None
    force: bool = False
    reason: str = ""

    def plan(self, ctx: Context) -> PromotionPlan:
        """Plan it; raises NotFoundError, NotPermittedError."""
        order = _Order(force=self.force, reason=self.reason)
        if self.undo is not None:
            return promoting.plan_undo(ctx, self.undo)
        if self.view is not None:
            return promoting.plan_view_promotion(ctx, self.organization, self.view, self.environment, **order)
        if self.repository is not None:
            return promoting.plan_repository_promotion(ctx, self.repository, self.number, self.environment, **order)
        if self.source is not None:
            return exact_content.plan_everything(
                ctx, self.organization, self.source, self.environment, exactly=self.exactly, **order
            )
        if self.wanted is not None:
            return exact_content.plan_content_set(ctx, self.organization, self.environment, self.wanted, **order)
        return promoting.plan_demotion(ctx, self.organization, self.environment, self.demote)

    def check(self, ctx: Context) -> Task:
        """Plan it; raises PromotionRefusedError with every reason, and PlanChangedError."""
        plan = self._confirmed(ctx)
        ctx.require(Permission.CONTENT_PROMOTE, plan.organization, plan.products)
        way = "out of" if plan.action is PromotionAction.DEMOTE else "in"
        return Task(f"{plan.subject} {way} {plan.environment}", plan.organization, plan.products)

    def run(self, ctx: Context) -> Mapping[str, object]:
        """Do it."""
        record = promoting.promote(ctx, self._confirmed(ctx))
        return {"promotion": None if record is None else record.id, "environment": self.environment}

    def _confirmed(self, ctx: Context) -> PromotionPlan:
        plan = self.plan(ctx)
        if plan.refusals:
            raise refusal_of(plan)
        if self.confirmed and plan_digest(plan) != self.confirmed:
            raise PlanChangedError(f"{plan.subject} into {plan.environment} would no longer do what was confirmed")
        return plan


def plan_digest(plan: PromotionPlan) -> str:
    """Give a digest of what a plan changes, to tell whether another one does the same."""
    changes = [[repr(each.before), repr(each.after)] for each in plan.changes]
    return hashlib.sha256(msgspec.json.encode([plan.organization, plan.environment, changes])).hexdigest()
