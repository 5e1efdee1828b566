"""Jobs that write bundles."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from issbox.model import Slip
from issbox.rules.bundles.slips import format_ranges
from issbox.workflows import exports
from issbox.workflows.context import Context, Permission
from issbox.workflows.job_kinds import Task


@dataclass(frozen=True, slots=True)
class ExportJob:
    """Write a bundle."""

    kind: ClassVar = "export"
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
class RecutJob:
    """Write again what a re-request slip asks for."""

    kind: ClassVar = "recut"
    slip: Slip
    output: str | None = None

    def check(self, ctx: Context) -> Task:
        """Say what it is about; raises NotPermittedError, NotFoundError for a bundle of another box."""
        ctx.require_anywhere(Permission.CONTENT_EXPORT)
        export = exports.find_recut(ctx, self.slip)
        words = f"{self.slip.form} {format_ranges(self.slip.numbers)} of export {export.id}"
        return Task(words, export.organization)

    def run(self, ctx: Context) -> Mapping[str, object]:
        """Do it."""
        done = exports.recut(ctx, self.slip, None if self.output is None else Path(self.output))
        return {"export": done.export.id, "path": done.path, "numbers": format_ranges(done.numbers)}
