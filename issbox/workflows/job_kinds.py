"""The kinds of jobs: what each is told, what it checks before it is accepted, and what it does.

Parameters are dataclasses that become JSON in the job's row; they hold no secrets.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from issbox.errors import PlanChangedError, PromotionRefusedError, StoreDamagedError
from issbox.model import PromotionAction, RepositoryKey, ViewVersionName
from issbox.rules.promoting import PromotionPlan
from issbox.workflows import exports, intake, promoting, repositories, upkeep, view_publishing, views
from issbox.workflows.context import Context, Permission
from issbox.workflows.synchronize import synchronize


@dataclass(frozen=True, slots=True)
class Task:
    """What a job is about, as its row tells it."""

    subject: str
    organization: str | None = None
    products: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class SynchronizeJob:
    """Fetch a repository from its upstream."""

    repository: RepositoryKey
    repair: bool = False

    def check(self, ctx: Context) -> Task:
        """Say what it is about; raises NotPermittedError, NotFoundError."""
        key = self.repository
        ctx.require(Permission.CONTENT_MANAGE, key.organization, [key.product])
        repositories.get_repository(ctx, key)
        return Task(key.short, key.organization, [key.product])

    def run(self, ctx: Context) -> Mapping[str, object]:
        """Do it."""
        report = synchronize(ctx, self.repository, repair=self.repair)
        number = None if report.version is None else report.version.number
        return {
            "version": number,
            "unchanged": report.unchanged,
            "downloaded": report.downloaded,
            "packages": report.packages,
        }


@dataclass(frozen=True, slots=True)
class ExportJob:
    """Write a bundle."""

    request: exports.ExportRequest
    output: str | None = None

    def check(self, ctx: Context) -> Task:
        """Plan it, so that whatever stands against it is said at once; raises what `plan_export` raises."""
        plan = exports.plan_export(ctx, self.request)
        to = f" for {plan.destination}" if plan.destination else ""
        return Task(f"{plan.short_words}{to}", plan.organization, plan.products)

    def run(self, ctx: Context) -> Mapping[str, object]:
        """Do it."""
        output = None if self.output is None else Path(self.output)
        done = exports.export(ctx, exports.plan_export(ctx, self.request), output)
        return {"export": done.id, "path": done.path, "files": done.files, "size": done.size}


@dataclass(frozen=True, slots=True)
class PublishJob:
    """Publish a version of a content view."""

    organization: str
    view: str
    description: str = ""

    def check(self, ctx: Context) -> Task:
        """Say what it is about; raises NotPermittedError, NotFoundError."""
        ctx.require(Permission.CONTENT_MANAGE, self.organization)
        view = views.get_view(ctx, self.organization, self.view)
        return Task(self.view, self.organization, {key.product for key in view.repositories})

    def run(self, ctx: Context) -> Mapping[str, object]:
        """Do it."""
        made = view_publishing.publish_view(ctx, self.organization, self.view, description=self.description)
        return {"view": made.view, "version": made.number}


@dataclass(frozen=True, slots=True)
class PromoteJob:
    """Change what a lifecycle environment holds, as one of the four kinds of plan says that was confirmed."""

    organization: str
    environment: str
    confirmed: str
    """Digest of the plan that somebody saw, from `plan_digest`."""
    view: ViewVersionName | None = None
    """Content view version to promote."""
    repository: RepositoryKey | None = None
    """Repository to promote a version of."""
    number: int = 0
    demote: tuple[RepositoryKey, ...] = ()
    undo: int | None = None
    force: bool = False
    reason: str = ""

    def plan(self, ctx: Context) -> PromotionPlan:
        """Plan it; raises NotFoundError, NotPermittedError."""
        if self.undo is not None:
            return promoting.plan_undo(ctx, self.undo)
        if self.view is not None:
            return promoting.plan_view_promotion(
                ctx, self.organization, self.view, self.environment, force=self.force, reason=self.reason
            )
        if self.repository is not None:
            return promoting.plan_repository_promotion(
                ctx, self.repository, self.number, self.environment, force=self.force, reason=self.reason
            )
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
            raise PromotionRefusedError(
                "; ".join(each.message for each in plan.refusals),
                hint=" ".join(dict.fromkeys(each.hint for each in plan.refusals)),
            )
        if self.confirmed and plan_digest(plan) != self.confirmed:
            raise PlanChangedError(f"{plan.subject} into {plan.environment} would no longer do what was confirmed")
        return plan


@dataclass(frozen=True, slots=True)
class InboxJob:
    """Import what has settled in the inbox; for boxes on which no service runs."""

    def check(self, ctx: Context) -> Task:
        """Say what it is about; raises NotPermittedError."""
        ctx.require_anywhere(Permission.CONTENT_IMPORT)
        return Task("the inbox")

    def run(self, ctx: Context) -> Mapping[str, object]:
        """Do it, as the box: what a user may import was decided when it was approved or put back."""
        done = intake.import_settled(ctx, intake.Attempts(ctx.settings.inbox.rescan_seconds))
        return {"imports": [row.id for row in done]}


@dataclass(frozen=True, slots=True)
class GarbageJob:
    """Remove versions and files that nothing needs."""

    def check(self, ctx: Context) -> Task:
        """Say what it is about; raises NotPermittedError."""
        ctx.require(Permission.BOX_MAINTAIN)
        return Task("the store")

    def run(self, ctx: Context) -> Mapping[str, object]:
        """Do it."""
        report = upkeep.collect_garbage(ctx, dry_run=False)
        return {"versions": report.versions, "files": report.blobs, "size": report.size}


@dataclass(frozen=True, slots=True)
class AuditJob:
    """Check the chain of the audit log."""

    def check(self, ctx: Context) -> Task:
        """Say what it is about; raises NotPermittedError."""
        ctx.require(Permission.AUDIT_READ)
        return Task("the audit log")

    def run(self, ctx: Context) -> Mapping[str, object]:
        """Do it; raises StoreDamagedError."""
        with ctx.store.session():
            return {"entries": ctx.store.audit.verify()}


JobParameters = SynchronizeJob | ExportJob | PublishJob | PromoteJob | InboxJob | GarbageJob | AuditJob

KINDS: Final[Mapping[str, type[JobParameters]]] = {
    "synchronize": SynchronizeJob,
    "export": ExportJob,
    "publish": PublishJob,
    "promote": PromoteJob,
    "inbox": InboxJob,
    "garbage": GarbageJob,
    "audit": AuditJob,
}
"""Names of the kinds, as rows have them."""


def kind_of(parameters: JobParameters) -> str:
    """Give the name of the kind."""
    return next(name for name, kind in KINDS.items() if type(parameters) is kind)


def to_row(parameters: JobParameters) -> Mapping[str, object]:
    """Give the parameters as plain JSON."""
    plain: Mapping[str, object] = msgspec.to_builtins(parameters)
    return plain


def from_row(kind: str, plain: Mapping[str, object]) -> JobParameters:
    """Read what `to_row` wrote; raises StoreDamagedError for what is no job of this issbox."""
    convert: Callable[..., Any] = msgspec.convert
    try:
        parameters: JobParameters = convert(plain, KINDS[kind])
    except (KeyError, msgspec.ValidationError) as error:
        raise StoreDamagedError(
            f"a job of the kind {kind!r} cannot be read: {error}",
            hint="An older or newer issbox wrote it: ask for the work again.",
        ) from error
    return parameters


def plan_digest(plan: PromotionPlan) -> str:
    """Give a digest of what a plan changes, to tell whether another one does the same."""
    changes = [[repr(each.before), repr(each.after)] for each in plan.changes]
    return hashlib.sha256(msgspec.json.encode([plan.organization, plan.environment, changes])).hexdigest()
