"""What a bundle may change in this box: the plan of an import, with every reason against it.

The rules are those of the request: custom products and repositories are made or updated by label; Red Hat products
are never made here and their repositories are matched by content id and variables; custom content never fills a Red
Hat repository nor the other way round; a bundle changes only the organization it goes into.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from issbox.manifest import Manifest, ManifestProduct, ManifestRepository
from issbox.model import (
    ContentCredential,
    ImportMark,
    Product,
    ProductKind,
    Repository,
    RepositoryKey,
)
from issbox.rules.bundles.layout import custom_path


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason against an import."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Library:
    """What the rules need to know of the organization a bundle goes into."""

    organization: str
    products: Mapping[str, Product]
    """By label."""
    repositories: Mapping[tuple[str, str], Repository]
    """By product and repository label."""
    credentials: Mapping[str, ContentCredential]
    """By label."""
    offered: frozenset[str] | None = None
    """Ids of the contents that its subscription manifest offers; None when there is no manifest."""


@dataclass(frozen=True, slots=True)
class PlannedRepository:
    """What happens to one repository of the bundle."""

    index: int
    """Its place in the manifest."""
    repository: Repository
    """As it will be."""
    exists: bool
    changed: bool
    """Whether an existing repository's description changes."""
    mark: ImportMark


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import will do to the organization, or why it may not."""

    organization: str
    refusals: tuple[Refusal, ...]
    credentials_to_create: tuple[ContentCredential, ...] = ()
    credentials_to_update: tuple[ContentCredential, ...] = ()
    products_to_create: tuple[Product, ...] = ()
    products_to_update: tuple[Product, ...] = ()
    repositories: tuple[PlannedRepository, ...] = ()
    foreseen: tuple[PlannedRepository, ...] = ()
    """What would become of those repositories against which nothing speaks, also when there are refusals."""


def plan_import(manifest: Manifest, library: Library, *, allow_older: bool = False) -> ImportPlan:
    """Say what importing this bundle changes in the organization; all refusals are collected."""
    refusals = [*_product_refusals(manifest, library), *_credential_refusals(manifest, library)]
    planned: list[PlannedRepository] = []
    for index, described in enumerate(manifest.repositories):
        target = _target(manifest, library, described)
        if isinstance(target, Refusal):
            refusals.append(target)
            continue
        repository, exists = target
        mark = ImportMark(manifest.source.box_id, described.version.number, described.version.lineage)
        if not allow_older and _is_older(repository.imported, mark):
            refusals.append(_older(described, repository, mark))
        planned.append(PlannedRepository(index, repository, exists, _changes(library, repository), mark))
    if refusals:
        return ImportPlan(library.organization, tuple(refusals), foreseen=tuple(planned))
    credentials = [
        ContentCredential(library.organization, each.label, each.name, each.kind, each.content)
        for each in manifest.content_credentials
    ]
    products = [_product(library.organization, each) for each in manifest.products if each.kind is ProductKind.CUSTOM]
    return ImportPlan(
        library.organization,
        (),
        tuple(each for each in credentials if each.label not in library.credentials),
        tuple(each for each in credentials if library.credentials.get(each.label, each) != each),
        tuple(each for each in products if each.label not in library.products),
        tuple(each for each in products if library.products.get(each.label, each) != each),
        tuple(planned),
        tuple(planned),
    )


def holds_already(manifest: Manifest, library: Library) -> bool:
    """Tell whether each repository of the bundle has its version, or a newer one of the same box, by import."""
    for described in manifest.repositories:
        target = _target(manifest, library, described)
        if isinstance(target, Refusal):
            return False
        imported = target[0].imported
        if imported is None or (imported.box_id, imported.lineage) != (
            manifest.source.box_id,
            described.version.lineage,
        ):
            return False
        if imported.number < described.version.number:
            return False
    return True


def _product(organization: str, described: ManifestProduct) -> Product:
    return Product(
        organization, described.label, described.name, described.kind, described.description, described.gpg_key
    )


def _product_refusals(manifest: Manifest, library: Library) -> list[Refusal]:
    refusals = []
    for described in manifest.products:
        present = library.products.get(described.label)
        if present is not None and present.kind is not described.kind:
            refusals.append(
                Refusal(
                    "product-kind",
                    f"the product {described.label} is {described.kind} in the bundle but {present.kind} in the "
                    f"organization {library.organization}",
                    "Custom content never fills a Red Hat product nor the other way round: rename the custom one.",
                )
            )
    return refusals


def _credential_refusals(manifest: Manifest, library: Library) -> list[Refusal]:
    return [
        Refusal(
            "credential-kind",
            f"the content credential {each.label} is a {each.kind} in the bundle but a "
            f"{library.credentials[each.label].kind} in the organization {library.organization}",
            "Rename one of the two.",
        )
        for each in manifest.content_credentials
        if each.label in library.credentials and library.credentials[each.label].kind is not each.kind
    ]


def _target(manifest: Manifest, library: Library, described: ManifestRepository) -> tuple[Repository, bool] | Refusal:
    """Give the repository as it will be and whether it exists, or the reason why there is none."""
    kinds = {product.label: product.kind for product in manifest.products}
    if kinds[described.product] is ProductKind.REDHAT:
        return _redhat_target(library, described)
    key = RepositoryKey(library.organization, described.product, described.label)
    if described.path != custom_path(described.product, described.label):
        return Refusal(
            "repository-path",
            f"the custom repository {described.product}/{described.label} claims the path {described.path} instead of "
            f"{custom_path(described.product, described.label)}",
            "No issbox writes such a bundle: find out where it comes from.",
        )
    present = library.repositories.get((described.product, described.label))
    if present is None and described.content.id in _redhat_contents(library):
        return Refusal(
            "content-kind",
            f"the custom repository {described.product}/{described.label} claims the content id "
            f"{described.content.id}, which is one of Red Hat's in the organization {library.organization}",
            "No issbox writes such a bundle: find out where it comes from.",
        )
    if present is None:
        variables = dict(described.variables)
        return Repository(key, described.name, described.content, described.path, variables, described.gpg_key), False
    return replace(
        present,
        name=described.name,
        content=replace(described.content, id=present.content.id),
        variables=dict(described.variables),
        gpg_key=described.gpg_key,
    ), True


def _redhat_contents(library: Library) -> frozenset[str]:
    held = {
        repository.content.id
        for (product, _), repository in library.repositories.items()
        if product in library.products and library.products[product].kind is ProductKind.REDHAT
    }
    return (library.offered or frozenset()) | held


def _redhat_target(library: Library, described: ManifestRepository) -> tuple[Repository, bool] | Refusal:
    for (product, _), repository in library.repositories.items():
        present = library.products.get(product)
        if (
            present is not None
            and present.kind is ProductKind.REDHAT
            and repository.content.id == described.content.id
            and dict(repository.variables) == dict(described.variables)
        ):
            return repository, True
    return _not_enabled(library, described)


def _not_enabled(library: Library, described: ManifestRepository) -> Refusal:
    """Say what has to be done before a Red Hat repository can be filled; `content-import retry` goes on then."""
    organization, content = library.organization, described.content
    values = [described.variables[name] for name in ("releasever", "basearch") if name in described.variables]
    shown = f"the Red Hat repository {described.label} (content {content.label}, {' '.join(values) or 'one for all'})"
    if library.offered is None:
        return Refusal(
            "red-hat-manifest-missing",
            f"{shown} cannot be filled: the organization {organization} has no subscription manifest",
            f"Run `issbox manifest import FILE.zip --organization {organization}`, enable the repository with `issbox "
            "cdn enable`, then retry.",
        )
    if content.id not in library.offered:
        return Refusal(
            "red-hat-content-missing",
            f"{shown} cannot be filled: the subscription manifest of {organization} does not offer the content "
            f"{content.id}",
            "Add a subscription that includes it to the manifest, export and import that anew, then retry.",
        )
    options = "".join(
        f" {option} {described.variables[name]}"
        for name, option in (("releasever", "--release"), ("basearch", "--arch"))
        if name in described.variables
    )
    return Refusal(
        "red-hat-repository-missing",
        f"{shown} is not enabled in the organization {organization} with this release and architecture",
        f"Run `issbox cdn enable {content.label}{options} --no-check --organization {organization}`, then retry.",
    )


def _is_older(present: ImportMark | None, mark: ImportMark) -> bool:
    same_line = present is not None and (present.box_id, present.lineage) == (mark.box_id, mark.lineage)
    return same_line and present is not None and mark.number < present.number


def _older(described: ManifestRepository, repository: Repository, mark: ImportMark) -> Refusal:
    number = repository.imported.version if repository.imported else None
    return Refusal(
        "older-bundle",
        f"the bundle holds version {mark.version} of {described.product}/{described.label}, but version {number} of "
        "the same box has been imported already",
        "If going back is what you want, import it with --allow-older.",
    )


def _changes(library: Library, repository: Repository) -> bool:
    present = library.repositories.get((repository.key.product, repository.key.label))
    return present is not None and present != repository
