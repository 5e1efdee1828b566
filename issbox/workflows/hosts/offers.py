"""What an organization offers to its hosts: products with their contents as they are now."""

from dataclasses import replace

from issbox.model import LIBRARY, Catalogue
from issbox.rules.entitlements.consumers import release_order
from issbox.rules.entitlements.entitlements import contents
from issbox.workflows.context import Context, Permission
from issbox.workflows.hosts.consumers import get_consumer


def read_offers(ctx: Context, organization: str) -> Catalogue:
    """Give the catalogue of an organization, with the products that who asks may see; raises NotFoundError."""
    visible = ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        found = ctx.store.catalogues.get(organization)
    return replace(found, products={label: each for label, each in found.products.items() if label in visible})


def releases_for(ctx: Context, uuid: str) -> list[str]:
    """Give the releases that a host can be set to: those of which its environments hold something that it may read.

    A host in no environment may have those of Library. Raises NotFoundError, ConsumerDeletedError.
    """
    consumer = get_consumer(ctx, uuid)
    ctx.require(Permission.CONSUMER_MANAGE, consumer.organization)
    with ctx.store.session():
        catalogue = ctx.store.catalogues.get(consumer.organization)
        scopes = {each.product for each in ctx.store.entitlements.of(uuid)}
        granted = {one.id for scope in scopes for one in contents(catalogue, consumer.profile, scope)}
        places = consumer.environments if consumer.profile.confined else (LIBRARY,)
        found = {
            repository.variables.get("releasever", "")
            for place in places
            for repository, _ in ctx.store.versions.promoted(consumer.organization, place)
            if repository.content.id in granted
        }
    return sorted(found - {""}, key=release_order)
