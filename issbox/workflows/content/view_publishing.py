"""Publishing a content view: one repository version of each of its repositories, pinned under a number.

Where no filter changes what is in a repository, the version that Library holds is pinned as it is. Otherwise the
filtered files become the next version of a repository of their own, unless they are those of its newest one. Killed at
any step, the content view has the new version or it does not.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Final

from issbox.errors import NotFoundError
from issbox.model import LIBRARY, ContentView, RepositoryKey, RepositoryVersion, VersionOrigin, ViewVersion
from issbox.names import plural
from issbox.rules.content.filtering import filters_for
from issbox.store import Batch
from issbox.workflows.content import publishing
from issbox.workflows.content.filtering import FilteredVersion, filter_version
from issbox.workflows.content.publishing import changing_content, publish
from issbox.workflows.content.views import changing_view
from issbox.workflows.context import Context, Permission

STEPS: Final = ("plan-view", "filter-packages", "store-files", *publishing.STEPS)
"""What `publish_view` announces, in order."""


def publish_view(ctx: Context, organization: str, label: str, *, description: str = "") -> ViewVersion:
    """Make the next version of a content view of what Library holds now.

    A repository that has nothing in Library yet is left out, and noted. Raises NotFoundError when that leaves
    nothing, BusyError while the view or what its filters make is being changed, BadMetadataError for metadata that
    filters cannot be applied to.
    """
    ctx.require(Permission.CONTENT_MANAGE, organization)
    with ctx.store.session(), changing_view(ctx, organization, label), ExitStack() as stack:
        view = ctx.store.views.get(organization, label)
        looked_at = [replace(key, view=label) for key in view.repositories if filters_for(view, key)]
        stack.enter_context(changing_content(ctx, looked_at))
        ctx.progress.step("plan-view", label)
        pins = _library_versions(ctx, view)
        batch = stack.enter_context(ctx.store.blobs.batch())
        ctx.progress.step("filter-packages")
        filtered = _filter(ctx, batch, view, pins)
        ctx.progress.step("store-files")
        batch.commit()
        return _publish(ctx, view, pins, filtered, description)


def _filter(
    ctx: Context, batch: Batch, view: ContentView, pins: Mapping[RepositoryKey, int]
) -> dict[RepositoryKey, FilteredVersion]:
    """Apply the view's filters; gives what changed, by the key of the filtered repository."""
    filtered = {}
    for key, number in pins.items():
        filters = filters_for(view, key)
        made = filter_version(ctx, batch, key, number, filters) if filters else None
        if made is not None:
            filtered[replace(key, view=view.label)] = made
        if filters:
            gone = plural(made.dropped, "package") if made is not None else "nothing"
            ctx.progress.note(f"{key.short}: filters take {gone} away")
    return filtered


def _publish(
    ctx: Context,
    view: ContentView,
    pins: Mapping[RepositoryKey, int],
    filtered: Mapping[RepositoryKey, FilteredVersion],
    description: str,
) -> ViewVersion:
    made: list[ViewVersion] = []

    def prepare() -> None:
        for key in filtered:
            ctx.store.repositories.derive(key)

    def record(versions: list[RepositoryVersion]) -> None:
        numbers = {version.repository: version.number for version in versions}
        final = {key: number for key, number in pins.items() if replace(key, view=view.label) not in filtered}
        for key in filtered:
            final[key] = numbers.get(key) or _newest(ctx, key)
        made.append(_add_version(ctx, view, final, description))

    with ExitStack() as stack:
        drafts = []
        for key, each in filtered.items():
            draft = stack.enter_context(ctx.store.versions.draft(key))
            draft.add(each.files(ctx))
            drafts.append(draft)
        publish(
            ctx,
            drafts,
            origin=VersionOrigin.PUBLISH,
            source={key: f"version {each.number} of {each.source.short}" for key, each in filtered.items()},
            repomd={key: each.repomd_sha256 for key, each in filtered.items()},
            record=record,
            prepare=prepare,
            environment=None,
        )
    return made[0]


def _newest(ctx: Context, key: RepositoryKey) -> int:
    newest = ctx.store.versions.latest(key)
    assert newest is not None, "what made no version is like the newest one"
    return newest.number


def _add_version(ctx: Context, view: ContentView, pins: Mapping[RepositoryKey, int], description: str) -> ViewVersion:
    version = ctx.store.view_versions.add(
        view.organization, view.label, created_at=ctx.clock(), description=description, pins=pins
    )
    ctx.audit(
        "content-view.publish",
        f"{version}",
        organization=view.organization,
        details={"repositories": {key.short: number for key, number in sorted(pins.items())}},
    )
    return version


def _library_versions(ctx: Context, view: ContentView) -> dict[RepositoryKey, int]:
    """Give the versions of the view's repositories that Library holds; raises NotFoundError when there is none."""
    library = {each.repository.key: each.number for each in ctx.store.promotions.list(view.organization, LIBRARY)}
    for key in view.repositories:
        if key not in library:
            ctx.progress.note(f"the repository {key.short} has no version in Library yet; it is left out")
    pins = {key: library[key] for key in view.repositories if key in library}
    if not pins:
        raise NotFoundError(
            f"no repository of the content view {view.organization}/{view.label} has a version in Library",
            hint="Add repositories with `issbox content-view add-repository`, and synchronize or import them.",
        )
    return pins
