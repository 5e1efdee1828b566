"""Which repository versions an export takes."""

from typing import TYPE_CHECKING

from issbox.errors import InvalidValueError, NotFoundError
from issbox.manifest import Scope, ScopeKind
from issbox.model import LIBRARY, Repository, RepositoryKey, RepositoryVersion, ViewVersionName
from issbox.workflows.context import Context

if TYPE_CHECKING:
    from issbox.workflows.exports.plan import ExportRequest

Found = list[tuple[Repository, RepositoryVersion]]


def find_scope(ctx: Context, request: "ExportRequest") -> tuple[Scope, Found]:
    """Give what was asked for and the repository versions that come to; call it inside a session."""
    ctx.store.organizations.get(request.organization)
    if request.scope is ScopeKind.LIBRARY:
        return Scope(kind=request.scope), _held(ctx, request.organization, LIBRARY)
    if request.scope is ScopeKind.CONTENT_VIEW_VERSION:
        return _view_version(ctx, request)
    held = _held(ctx, request.organization, request.environment)
    scope = Scope(kind=request.scope, products=request.products, lifecycle_environment=request.environment)
    if request.scope is ScopeKind.PRODUCT:
        for product in request.products:
            ctx.store.products.get(request.organization, product)
        return scope, [each for each in held if each[0].key.product in request.products]
    if request.scope is ScopeKind.REPOSITORY:
        return scope, _named(ctx, request, held)
    return scope, held


def _held(ctx: Context, organization: str, environment: str) -> Found:
    return [
        (repository, ctx.store.versions.get(repository.key, number))
        for repository, number in ctx.store.versions.promoted(organization, environment)
    ]


def _view_version(ctx: Context, request: "ExportRequest") -> tuple[Scope, Found]:
    view = ctx.store.views.get(request.organization, request.content_view)
    name = ViewVersionName(view.label, _version_number(ctx, request, view.latest))
    version = ctx.store.view_versions.get(request.organization, name)
    scope = Scope(
        kind=request.scope,
        lifecycle_environment="",
        content_view=view.label,
        content_view_name=view.name,
        content_view_version=version.number,
        description=version.description,
    )
    pins = version.repositories
    return scope, [(pin.repository, ctx.store.versions.get(pin.repository.key, pin.number)) for pin in pins]


def _version_number(ctx: Context, request: "ExportRequest", latest: str | None) -> str:
    """Give the number that was asked for, the one that the environment holds, or the newest one."""
    if request.content_view_version:
        if request.environment != LIBRARY:
            raise InvalidValueError("a content view version is chosen by its number or by an environment, not by both")
        return request.content_view_version
    where = f"the content view {request.organization}/{request.content_view}"
    if request.environment == LIBRARY:
        if latest is None:
            raise NotFoundError(f"{where} has no version yet", hint="Make one with `issbox content-view publish`.")
        return latest
    promotions = ctx.store.promotions.list(request.organization, request.environment)
    names = {each.view_version for each in promotions if each.view_version is not None}
    numbers = sorted({name.number for name in names if name.view == request.content_view})
    if not numbers:
        raise NotFoundError(
            f"the lifecycle environment {request.environment} holds no version of {where}",
            hint="Promote one there first, or choose one with --version.",
        )
    if len(numbers) > 1:
        raise InvalidValueError(
            f"the lifecycle environment {request.environment} holds parts of several versions of {where}: "
            f"{', '.join(numbers)}",
            hint="Choose one with --version.",
        )
    return numbers[0]


def _named(ctx: Context, request: "ExportRequest", held: Found) -> Found:
    by_name = {(repository.key.product, repository.key.label): (repository, version) for repository, version in held}
    found: Found = []
    for key in sorted(set(request.repositories)):
        ctx.store.repositories.get(key)
        if (key.product, key.label) not in by_name:
            raise _no_version(key, request.environment)
        found.append(by_name[key.product, key.label])
    return found


def _no_version(key: RepositoryKey, environment: str) -> NotFoundError:
    if environment == LIBRARY:
        return NotFoundError(
            f"the repository {key} has no version yet",
            hint="Run `issbox repository synchronize` for it first, or import a bundle that holds it.",
        )
    return NotFoundError(
        f"the lifecycle environment {environment} holds no version of the repository {key}",
        hint="Promote one there first, or export it from Library.",
    )
