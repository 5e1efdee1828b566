"""What a plan of an import needs to know of the organization, and what it says when it may not be carried out."""

from typing import Final

from issbox.errors import ImportRefusedError, IssboxError, OlderBundleError
from issbox.manifest import Manifest
from issbox.model import ContentImport, ImportState
from issbox.rules.bundles.importing import ImportPlan, Library, holds_already
from issbox.workflows.context import Context

NOTHING_TO_DO: Final = "nothing to do"


def library_of(ctx: Context, organization: str) -> Library:
    """Give what the rules of importing need to know of an organization; raises NotFoundError."""
    store = ctx.store
    store.organizations.get(organization)
    repositories = store.repositories.list(organization)
    offered = None
    if store.manifests.find(organization) is not None:
        contents = store.manifests.offered(organization).values()
        offered = frozenset(each.content.id for one in contents for each in one)
    return Library(
        organization,
        {product.label: product for product in store.products.list(organization)},
        {(repository.key.product, repository.key.label): repository for repository in repositories},
        {credential.label: credential for credential in store.credentials.list(organization)},
        offered,
    )


def imported_before(ctx: Context, manifest: Manifest, library: Library) -> ContentImport | None:
    """Give the earlier import of this bundle, if the organization still holds what it brought, or newer; else None."""
    before = ctx.store.imports.imported_bundle(manifest.bundle.id, library.organization)
    return before if before is not None and holds_already(manifest, library) else None


def words_for_before(before: ContentImport, done: str) -> str:
    """Say that a bundle was imported before, and what is done with it now; the first word is its state."""
    return f"{ImportState.IMPORTED} before, on {before.updated_at:%Y-%m-%d %H:%M} UTC: {done}"


def refusal_error(plan: ImportPlan) -> IssboxError:
    """Put all refusals of a plan into one error with every reason and every hint."""
    message = "; ".join(refusal.message for refusal in plan.refusals)
    hint = " ".join(dict.fromkeys(refusal.hint for refusal in plan.refusals))
    if all(refusal.code == OlderBundleError.code for refusal in plan.refusals):
        return OlderBundleError(message, hint=hint)
    return ImportRefusedError(message, hint=hint)
