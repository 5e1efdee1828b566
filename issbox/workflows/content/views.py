"""Content views: making, showing, changing and deleting them, and what they are made of.

Every change is one transaction with its audit entry. In updates, None leaves a value as it is.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from issbox.errors import BusyError, InUseError
from issbox.files import FileLock
from issbox.model import ContentView, ExportState, RepositoryKey, ViewFilter, ViewVersion, ViewVersionName
from issbox.names import check_label, check_name
from issbox.rules.bundles.retention import spared_versions
from issbox.rules.changes import with_before
from issbox.rules.content.filtering import check_filter
from issbox.rules.people.permissions import Products
from issbox.workflows.context import Context, Permission


@contextmanager
def changing_view(ctx: Context, organization: str, label: str) -> Iterator[None]:
    """Hold what protects a content view from being changed or published twice at once; raises BusyError."""
    name = f"content-view-{organization}-{label}"[:240]
    with FileLock(
        ctx.store.locks / f"{name}.lock",
        busy=f"the content view {organization}/{label} is being changed or published by another process",
    ):
        yield


def create_view(ctx: Context, *, organization: str, label: str, name: str, description: str = "") -> ContentView:
    """Make a content view without repositories; raises AlreadyExistsError."""
    ctx.require(Permission.CONTENT_MANAGE, organization)
    check_label(label, "content view label")
    check_name(name, "content view name")
    with ctx.store.session(), ctx.store.transaction():
        view = ctx.store.views.create(organization, label, name=name, description=description)
        ctx.audit("content-view.create", label, organization=organization, details={"name": name})
        return view


def list_views(ctx: Context, organization: str) -> list[ContentView]:
    """Give the content views of an organization, with the repositories that who asks may see."""
    products = ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        return [_seen_view(view, products) for view in ctx.store.views.list(organization)]


def get_view(ctx: Context, organization: str, label: str) -> ContentView:
    """Give one content view, with the repositories that who asks may see; raises NotFoundError."""
    products = ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        return _seen_view(ctx.store.views.get(organization, label), products)


def update_view(
    ctx: Context, organization: str, label: str, *, name: str | None = None, description: str | None = None
) -> ContentView:
    """Change name and description of a content view; raises NotFoundError."""
    ctx.require(Permission.CONTENT_MANAGE, organization)
    if name is not None:
        check_name(name, "content view name")
    with ctx.store.session(), ctx.store.transaction():
        before = ctx.store.views.get(organization, label)
        view = ctx.store.views.update(organization, label, name=name, description=description)
        given = {"name": name, "description": description}
        details: dict[str, object] = {field: value for field, value in given.items() if value is not None}
        ctx.audit("content-view.update", label, organization=organization, details=with_before(details, before))
        return view


def delete_view(ctx: Context, organization: str, label: str, *, force: bool = False) -> ContentView:
    """Delete a content view with all its versions and give what it was.

    Raises InUseError while an environment holds something of it, or, unless forced, an export is based on it;
    BusyError while it is being published or exported.
    """
    ctx.require(Permission.CONTENT_MANAGE, organization)
    with ctx.store.session(), changing_view(ctx, organization, label):
        with ctx.store.transaction():
            view = ctx.store.views.get(organization, label)
            versions = ctx.store.view_versions.list(organization, label)
            held = sorted({environment for version in versions for environment in version.environments})
            if held:
                raise InUseError(
                    f"the environments {', '.join(held)} hold versions of the content view {organization}/{label}",
                    hint="Promote something else there, or demote it there, first.",
                )
            _check_exports(ctx, organization, _pins(versions), f"content view {label}", force=force)
            for version in versions:
                ctx.store.view_versions.delete(organization, ViewVersionName(label, version.number))
            for key in view.repositories:
                ctx.store.views.remove_repository(organization, label, key)
            trees = ctx.store.view_versions.drop_unused(organization, label)
            ctx.store.views.delete(organization, label)
            ctx.audit(
                "content-view.delete",
                label,
                organization=organization,
                details={"name": view.name, "versions": [version.number for version in versions]},
            )
        _remove_trees(ctx, trees)
        return view


def add_repository(ctx: Context, organization: str, label: str, key: RepositoryKey) -> ContentView:
    """Add a repository to a content view; the next version has it. Raises AlreadyExistsError, NotFoundError."""
    ctx.require(Permission.CONTENT_MANAGE, organization)
    with ctx.store.session(), ctx.store.transaction():
        view = ctx.store.views.add_repository(organization, label, key)
        ctx.audit("content-view.add-repository", label, organization=organization, details={"repository": key.short})
        return view


def remove_repository(ctx: Context, organization: str, label: str, key: RepositoryKey) -> ContentView:
    """Take a repository out of a content view; versions that have it stay as they are. Raises NotFoundError."""
    ctx.require(Permission.CONTENT_MANAGE, organization)
    with ctx.store.session(), changing_view(ctx, organization, label):
        with ctx.store.transaction():
            view = ctx.store.views.remove_repository(organization, label, key)
            trees = ctx.store.view_versions.drop_unused(organization, label)
            ctx.audit(
                "content-view.remove-repository", label, organization=organization, details={"repository": key.short}
            )
        _remove_trees(ctx, trees)
        return view


def create_filter(ctx: Context, organization: str, label: str, new: ViewFilter) -> ViewFilter:
    """Add a filter to a content view; versions published from now on are filtered by it.

    Raises AlreadyExistsError for its name, InvalidValueError for one that makes no sense, NotFoundError, BusyError.
    """
    ctx.require(Permission.CONTENT_MANAGE, organization)
    with ctx.store.session(), changing_view(ctx, organization, label), ctx.store.transaction():
        check_filter(new, ctx.store.views.get(organization, label))
        ctx.store.views.add_filter(organization, label, new)
        ctx.audit(
            "content-view.create-filter",
            label,
            organization=organization,
            details={"filter": new.name, "type": new.kind.value, "inclusion": new.inclusion},
        )
        return new


def delete_filter(ctx: Context, organization: str, label: str, name: str) -> ViewFilter:
    """Take a filter of a content view away and give what it was; raises NotFoundError, BusyError."""
    ctx.require(Permission.CONTENT_MANAGE, organization)
    with ctx.store.session(), changing_view(ctx, organization, label), ctx.store.transaction():
        filters = {each.name: each for each in ctx.store.views.get(organization, label).filters}
        ctx.store.views.remove_filter(organization, label, name)
        ctx.audit("content-view.delete-filter", label, organization=organization, details={"filter": name})
        return filters[name]


def list_view_versions(ctx: Context, organization: str, label: str) -> list[ViewVersion]:
    """Give the versions of a content view, newest first, with the repositories that who asks may see."""
    products = ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        return [_seen_version(version, products) for version in ctx.store.view_versions.list(organization, label)]


def get_view_version(ctx: Context, organization: str, name: ViewVersionName) -> ViewVersion:
    """Give one content view version, with the repositories that who asks may see; raises NotFoundError."""
    products = ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        return _seen_version(ctx.store.view_versions.get(organization, name), products)


def delete_view_version(ctx: Context, organization: str, name: ViewVersionName, *, force: bool = False) -> ViewVersion:
    """Delete a content view version and give what it was; its repository versions go with the next cleanup.

    Raises InUseError while an environment holds it, or, unless forced, an export is based on it; BusyError while the
    content view is being published or exported.
    """
    ctx.require(Permission.CONTENT_MANAGE, organization)
    with ctx.store.session(), changing_view(ctx, organization, name.view):
        with ctx.store.transaction():
            version = ctx.store.view_versions.get(organization, name)
            others = [each for each in ctx.store.view_versions.list(organization, name.view) if each != version]
            only_here = _pins([version]) - _pins(others)
            _check_exports(ctx, organization, only_here, f"content view version {name}", force=force)
            ctx.store.view_versions.delete(organization, name)
            trees = ctx.store.view_versions.drop_unused(organization, name.view)
            ctx.audit("content-view-version.delete", str(name), organization=organization)
        _remove_trees(ctx, trees)
        return version


def _pins(versions: Iterable[ViewVersion]) -> set[tuple[RepositoryKey, int]]:
    return {(pin.repository.key, pin.number) for version in versions for pin in version.repositories}


def _check_exports(
    ctx: Context, organization: str, pins: set[tuple[RepositoryKey, int]], what: str, *, force: bool
) -> None:
    """Refuse to delete what is being exported, or what the newest export for a destination described."""
    exports = ctx.store.exports.list(organization)
    writing = [each for each in exports if each.state is ExportState.WRITING]
    if pins & {(version.repository, version.number) for each in writing for version in each.versions}:
        raise BusyError(f"the {what} is being exported")
    spared = {(key, number) for key, numbers in spared_versions(exports).items() for number in numbers}
    if pins & spared and not force:
        raise InUseError(
            f"the newest export for a destination is based on the {what}",
            hint="Export a newer version there first. With --force it goes, and the next increment may carry it again.",
        )


def _seen_view(view: ContentView, products: Products) -> ContentView:
    return replace(view, repositories=tuple(key for key in view.repositories if key.product in products))


def _seen_version(version: ViewVersion, products: Products) -> ViewVersion:
    pins = tuple(pin for pin in version.repositories if pin.repository.key.product in products)
    return replace(version, repositories=pins)


def _remove_trees(ctx: Context, trees: list[tuple[RepositoryKey, int]]) -> None:
    """Remove published trees of versions that are no more; what a kill leaves of them is found at the next start."""
    for key, number in trees:
        ctx.store.trees.remove(key, number)
