"""What a plan of an import needs to know of the organization, and what it says when it may not be carried out."""

from issbox.errors import ImportRefusedError, IssboxError, OlderBundleError
from issbox.rules.importing import ImportPlan, Library
from issbox.workflows.context import Context


def library_of(ctx: Context, organization: str) -> Library:
    """Give what the rules of importing need to know of an organization; raises NotFoundError."""
    store = ctx.store
    store.organizations.get(organization)
    repositories = store.repositories.list(organization)
    return Library(
        organization,
        {product.label: product for product in store.products.list(organization)},
        {(repository.key.product, repository.key.label): repository for repository in repositories},
        {credential.label: credential for credential in store.credentials.list(organization)},
    )


def refusal_error(plan: ImportPlan) -> IssboxError:
    """Put all refusals of a plan into one error with every reason and every hint."""
    message = "; ".join(refusal.message for refusal in plan.refusals)
    hint = " ".join(dict.fromkeys(refusal.hint for refusal in plan.refusals))
    if all(refusal.code == OlderBundleError.code for refusal in plan.refusals):
        return OlderBundleError(message, hint=hint)
    return ImportRefusedError(message, hint=hint)
