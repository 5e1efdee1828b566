"""Jobs that write bundles."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from issbox.workflows import exports
from issbox.workflows.context import Context
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
