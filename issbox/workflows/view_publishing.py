"""Publishing a content view: one repository version of each of its repositories, pinned under a number.

Where no filter changes what is in a repository, the version that Library holds is pinned as it is. Killed at any
step, the content view has the new version or it does not.
"""

from typing import Final

from issbox.errors import NotFoundError
from issbox.model import LIBRARY, RepositoryKey, RepositoryVersion, VersionOrigin, ViewVersion
from issbox.workflows import publishing
from issbox.workflows.context import Context, Permission
from issbox.workflows.publishing import changing_content, publish
from issbox.workflows.views import changing_view

STEPS: Final = ("plan-view", *publishing.STEPS)
"""What `publish_view` announces, in order."""


def publish_view(ctx: Context, organization: str, label: str, *, description: str = "") -> ViewVersion:
    """Make the next version of a content view of what Library holds now.

    A repository that has nothing in Library yet is left out, and noted. Raises NotFoundError when that leaves
    nothing, BusyError while the view or what its filters make is being changed.
    """
    ctx.require(Permission.CONTENT_MANAGE, organization)
    with ctx.store.session(), changing_view(ctx, organization, label), changing_content(ctx, []):
        ctx.progress.step("plan-view", label)
        pins = _library_versions(ctx, organization, label)
        made: list[ViewVersion] = []

        def record(_: list[RepositoryVersion]) -> None:
            version = ctx.store.view_versions.add(
                organization, label, created_at=ctx.clock(), description=description, pins=pins
            )
            made.append(version)
            ctx.audit(
                "content-view.publish",
                f"{version}",
                organization=organization,
                details={"repositories": {key.short: number for key, number in sorted(pins.items())}},
            )

        publish(ctx, [], origin=VersionOrigin.PUBLISH, source=label, repomd={}, record=record, environment=None)
        return made[0]


def _library_versions(ctx: Context, organization: str, label: str) -> dict[RepositoryKey, int]:
    """Give the versions of the view's repositories that Library holds; raises NotFoundError when there is none."""
    view = ctx.store.views.get(organization, label)
    library = {each.repository.key: each.number for each in ctx.store.promotions.list(organization, LIBRARY)}
    for key in view.repositories:
        if key not in library:
            ctx.progress.note(f"the repository {key.short} has no version in Library yet; it is left out")
    pins = {key: library[key] for key in view.repositories if key in library}
    if not pins:
        raise NotFoundError(
            f"no repository of the content view {organization}/{label} has a version in Library",
            hint="Add repositories with `issbox content-view add-repository`, and synchronize or import them.",
        )
    return pins
