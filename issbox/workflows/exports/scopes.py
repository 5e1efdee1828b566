"""Which repository versions an export takes."""

from typing import TYPE_CHECKING

from issbox.errors import NotFoundError
from issbox.manifest import Scope, ScopeKind
from issbox.model import LIBRARY, Repository, RepositoryKey, RepositoryVersion
from issbox.workflows.context import Context

if TYPE_CHECKING:
    from issbox.workflows.exports.plan import ExportRequest

Found = list[tuple[Repository, RepositoryVersion]]


def find_scope(ctx: Context, request: "ExportRequest") -> tuple[Scope, Found]:
    """Give what was asked for and the repository versions that come to; call it inside a session."""
    ctx.store.organizations.get(request.organization)
    if request.scope is ScopeKind.LIBRARY:
        return Scope(kind=request.scope), _held(ctx, request.organization, LIBRARY)
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
