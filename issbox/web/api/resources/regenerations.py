"""Issuing certificates anew for many hosts: of an organization, an environment or a product, as jobs."""

from typing import Any, Final

from issbox.errors import NotFoundError
from issbox.job_running import begin
from issbox.model import RegenerationScope
from issbox.rules.entitlements.entitlements import offer_number
from issbox.web.api.failures import Refusal
from issbox.web.api.resources.jobs import JobStatus, job_status
from issbox.web.api.routes import Call, Query, Routes, Who
from issbox.workflows.certificates import regenerating
from issbox.workflows.content import catalog
from issbox.workflows.context import Permission
from issbox.workflows.environments import environments
from issbox.workflows.hosts.offers import read_offers
from issbox.workflows.job_kinds.regeneration import RegenerateJob

ROUTES: Final = Routes("certificates")


class RegenerationQuery(Query):
    """Whose certificates are issued anew."""

    unchanged: bool = False
    """Also those that say the same: all get new serial numbers."""


class ProductQuery(Query):
    """Of which organization the product is."""

    owner: str | None = None
    """Needed only when several have it."""


@ROUTES.add("PUT", "/certificates", who=Who.USER, query=RegenerationQuery, answer=list[JobStatus])
def regenerate_everywhere(call: Call[None, RegenerationQuery]) -> list[JobStatus]:
    """Issue the certificates that are stale or missing in all organizations that the user manages, a job for each.

    An organization where nothing is to be issued is left out; when there is none, the list is empty.
    """
    found = regenerating.start_everywhere(call.ctx, unchanged=call.query.unchanged)
    return [job_status(begin(call.ctx, RegenerateJob(each.id))) for each in found]


@ROUTES.add("PUT", "/owners/{owner_key}/certificates", who=Who.USER, query=RegenerationQuery, answer=JobStatus)
def regenerate_of_owner(call: Call[None, RegenerationQuery]) -> JobStatus:
    """Issue the certificates of an organization's hosts that are stale or missing, as a job."""
    return regenerate(call, RegenerationScope(call.path["owner_key"], unchanged=call.query.unchanged))


@ROUTES.add(
    "PUT", "/environments/{environment_id}/certificates", who=Who.USER, query=RegenerationQuery, answer=JobStatus
)
def regenerate_of_environment(call: Call[None, RegenerationQuery]) -> JobStatus:
    """Issue the certificates of an environment's hosts that are stale or missing, as a job."""
    place = environments.find_environment(call.ctx, call.path["environment_id"])
    scope = RegenerationScope(place.organization, environment=place.label, unchanged=call.query.unchanged)
    return regenerate(call, scope)


@ROUTES.add("PUT", "/entitlements/product/{product_id}", who=Who.USER, query=ProductQuery, answer=JobStatus)
def regenerate_of_product(call: Call[None, ProductQuery]) -> JobStatus:
    """Issue all certificates that may hold content of a product anew, with new serial numbers, as a job."""
    wanted = call.path["product_id"]
    reach = call.ctx.reach(Permission.CERTIFICATE_MANAGE)
    mine = [each.label for each in catalog.list_organizations(call.ctx) if reach.products(each.label).cover(())]
    found = [
        (owner, label)
        for owner in mine
        if call.query.owner in (None, owner)
        for label, offer in read_offers(call.ctx, owner).products.items()
        if wanted in (offer_number(owner, offer), label)
    ]
    if not found:
        raise NotFoundError(
            f"there is no product {wanted[:80]!r} in an organization whose certificates the user manages",
            listed="product list",
        )
    if len(found) > 1:
        raise Refusal(400, f"{len(found)} products are called {wanted[:80]!r}: name the organization as owner")
    ((owner, label),) = found
    return regenerate(call, RegenerationScope(owner, product=label, unchanged=True))


def regenerate(call: Call[Any, Any], scope: RegenerationScope) -> JobStatus:
    """Begin issuing certificates anew and say how the job stands; raises NotPermittedError, NotFoundError."""
    return job_status(begin(call.ctx, RegenerateJob(regenerating.start_regeneration(call.ctx, scope).id)))
