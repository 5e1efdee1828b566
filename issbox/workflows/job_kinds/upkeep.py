"""Jobs that look after the box: its inbox, its store, its audit log."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from issbox.workflows.appliance import upkeep
from issbox.workflows.context import Context, Permission
from issbox.workflows.inbox import intake
from issbox.workflows.job_kinds import Task


@dataclass(frozen=True, slots=True)
class InboxJob:
    """Import what has settled in the inbox; for boxes on which no service runs."""

    kind: ClassVar = "inbox"

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
    """Remove versions and files that nothing needs, and jobs of long ago."""

    kind: ClassVar = "garbage"

    def check(self, ctx: Context) -> Task:
        """Say what it is about; raises NotPermittedError."""
        ctx.require(Permission.BOX_MAINTAIN)
        return Task("the store")

    def run(self, ctx: Context) -> Mapping[str, object]:
        """Do it."""
        report = upkeep.collect_garbage(ctx, dry_run=False)
        return {"versions": report.versions, "files": report.blobs, "size": report.size, "jobs": report.jobs}


@dataclass(frozen=True, slots=True)
class AuditJob:
    """Check the chain of the audit log."""

    kind: ClassVar = "audit"

    def check(self, ctx: Context) -> Task:
        """Say what it is about; raises NotPermittedError."""
        ctx.require(Permission.AUDIT_READ)
        return Task("the audit log")

    def run(self, ctx: Context) -> Mapping[str, object]:
        """Do it; raises StoreDamagedError."""
        with ctx.store.session():
            return {"entries": ctx.store.audit.verify()}
