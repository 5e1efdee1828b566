"""Jobs that make new versions: of repositories, and of content views."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from issbox.model import RepositoryKey
from issbox.workflows.content import repositories, view_publishing, views
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.context import Context, Permission
from issbox.workflows.job_kinds import Task


@dataclass(frozen=True, slots=True)
class SynchronizeJob:
    """Fetch a repository from its upstream."""

    kind: ClassVar = "synchronize"
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
class PublishJob:
    """Publish a version of a content view."""

    kind: ClassVar = "publish"
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
