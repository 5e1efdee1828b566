"""What an export was asked for, and what that comes to."""

from dataclasses import dataclass
from datetime import datetime

from issbox.errors import InvalidValueError, NotFoundError
from issbox.manifest import Scope, ScopeKind
from issbox.model import LIBRARY, BundleForm, Repository, RepositoryKey, RepositoryVersion
from issbox.names import check_name
from issbox.workflows.context import Context, Permission
from issbox.workflows.exports.bases import Base, find_base, receipt_for
from issbox.workflows.exports.forms import Style
from issbox.workflows.exports.scopes import find_scope


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """What is to be exported, for whom, and how."""

    organization: str
    scope: ScopeKind
    repositories: tuple[RepositoryKey, ...] = ()
    """For scope repository."""
    products: tuple[str, ...] = ()
    """Labels, for scope product."""
    environment: str = LIBRARY
    """Whose versions of the repositories are taken; for a content view, one that is not Library chooses the version."""
    content_view: str = ""
    content_view_version: str = ""
    """Empty for the one that the environment holds, or the newest one."""
    destination: str = ""
    form: BundleForm = BundleForm.DIRECTORY
    volume_size: int | None = None
    """Bytes of a volume or chunk; None for a single one."""
    largest_file: int | None = None
    """Bytes of the largest file that the medium holds, for directories."""
    udf: bool = False
    """Whether images get UDF besides Rock Ridge, for readers on Windows."""
    incremental: bool = False
    since: datetime | None = None
    """The far side has what Library held then; makes it incremental."""
    from_export: int | None = None
    """The far side has what this export described; the last one to the destination by default."""
    from_receipt: str | None = None
    """The far side has what this receipt says: a file, the text of one, or the short text."""
    with_environments: bool = False
    """Whether the bundle says which lifecycle environments there are here, and what they hold."""

    @property
    def style(self) -> Style:
        """Give how the bundle is to lie on its medium."""
        return Style(self.form, self.volume_size, self.largest_file, self.udf)


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """What a bundle will hold."""

    request: ExportRequest
    scope: Scope
    repositories: tuple[tuple[Repository, RepositoryVersion], ...]
    """Sorted by the paths of their files."""
    base: Base | None
    files: int
    """Files of the repositories, carried or not."""
    size: int
    """Their bytes."""

    @property
    def organization(self) -> str:
        """Give the label of the organization."""
        return self.request.organization

    @property
    def destination(self) -> str:
        """Give the destination server, may be empty."""
        return self.request.destination

    @property
    def brings_nothing(self) -> bool:
        """Tell whether the far side holds every repository version already, so that only metadata would travel."""
        return self.base is not None and all(
            (repository.key, version.number) in self.base.held.get((repository.key.product, repository.key.label), ())
            for repository, version in self.repositories
        )

    @property
    def products(self) -> set[str]:
        """Give the labels of the products that something is taken of."""
        return {repository.key.product for repository, _ in self.repositories}

    @property
    def words(self) -> str:
        """Give the scope in words, as the history shows it."""
        scope = self.scope
        if scope.kind is ScopeKind.CONTENT_VIEW_VERSION:
            return f"content view {scope.content_view} {scope.content_view_version}"
        where = "" if scope.lifecycle_environment == LIBRARY else f" of {scope.lifecycle_environment}"
        if scope.kind is ScopeKind.LIFECYCLE_ENVIRONMENT:
            return f"lifecycle environment {scope.lifecycle_environment}"
        if scope.kind is ScopeKind.PRODUCT:
            return f"product {', '.join(scope.products)}{where}"
        if scope.kind is ScopeKind.LIBRARY:
            return "library"
        return f"repository {', '.join(f'{r.key.product}/{r.key.label}' for r, _ in self.repositories)}{where}"

    @property
    def short_words(self) -> str:
        """Give the scope in one word, as the bundle's name has it."""
        if self.scope.content_view:
            return f"{self.scope.content_view}-{self.scope.content_view_version}"
        if len(self.repositories) == 1:
            return self.repositories[0][0].key.label
        return f"{len(self.repositories)}-repositories"

    @property
    def layout_values(self) -> dict[str, str]:
        """Give what the directories of the configured layout may be called after, as far as the plan knows it."""
        scope = self.scope
        named = {
            ScopeKind.LIBRARY: LIBRARY,
            ScopeKind.LIFECYCLE_ENVIRONMENT: scope.lifecycle_environment,
            ScopeKind.CONTENT_VIEW_VERSION: scope.content_view,
            ScopeKind.PRODUCT: scope.products[0] if len(scope.products) == 1 else f"{len(scope.products)}-products",
            ScopeKind.REPOSITORY: self.short_words,
        }
        return {
            "organization": self.organization,
            "scope": named[scope.kind],
            "version": scope.content_view_version,
            "destination": self.destination,
        }


def plan_export(ctx: Context, request: ExportRequest) -> ExportPlan:
    """Say what the bundle holds. Nothing is written, and no number is taken.

    Raises NotFoundError for a repository that has no version yet and for anything named that there is not,
    InvalidValueError for a request that contradicts itself, and ReceiptError and its kinds for a receipt, which is
    kept when it was read for the first time.
    """
    if request.destination:
        check_name(request.destination, "destination server")
    if request.volume_size is not None and request.volume_size <= 0:
        raise InvalidValueError("a volume has at least one byte")
    ctx.require_some(Permission.CONTENT_EXPORT, request.organization)
    if request.with_environments:
        ctx.require(Permission.CONTENT_EXPORT, request.organization)
    receipt = None if request.from_receipt is None else receipt_for(ctx, request.organization, request.from_receipt)
    with ctx.store.session():
        scope, found = find_scope(ctx, request)
        if not found:
            raise NotFoundError(
                f"there is nothing to export: no repository of the organization {request.organization} that was asked "
                "for has a version",
                hint="Run `issbox repository synchronize` first, or import a bundle that holds it.",
            )
        ctx.require(Permission.CONTENT_EXPORT, request.organization, {each.key.product for each, _ in found})
        base = find_base(ctx, request, found, receipt)
    chosen = tuple(sorted(found, key=lambda each: f"{each[0].path}/"))
    files = sum(version.files for _, version in chosen)
    size = sum(version.size for _, version in chosen)
    return ExportPlan(request, scope, chosen, base, files, size)
