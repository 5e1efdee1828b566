"""`/owners/.../products` and `/owners/.../content`: what an organization offers to hosts, read only."""

from typing import Final

from issbox.errors import NotFoundError
from issbox.model import Catalogue, ContentSnapshot, Offer
from issbox.rules.entitlements.entitlements import offer_number
from issbox.web.api.routes import Call, NoQuery, Routes, Shape, Who
from issbox.workflows.hosts.offers import read_offers

ROUTES: Final = Routes("products")


class Content(Shape):
    """A content set, as its product has it now; what was promoted may still be as it was."""

    id: str
    type: str
    label: str
    name: str
    vendor: str
    content_url: str
    gpg_url: str | None
    required_tags: str
    """With commas between them."""
    arches: str
    """With commas between them."""


class ProductContent(Shape):
    """A content of a product."""

    content: Content
    enabled: bool
    """Whether hosts have it enabled by default."""


class Product(Shape):
    """A product with its contents."""

    id: str
    """The number that certificates have."""
    name: str
    label: str
    owner: str
    product_content: list[ProductContent]


@ROUTES.add("GET", "/owners/{owner_key}/products", who=Who.USER, answer=list[Product])
def list_products(call: Call[None, NoQuery]) -> list[Product]:
    """List the products of an organization that the user may see."""
    found = read_offers(call.ctx, call.path["owner_key"])
    return [_product(found, found.products[label]) for label in sorted(found.products)]


@ROUTES.add("GET", "/owners/{owner_key}/products/{product_id}", who=Who.USER, answer=Product)
def get_product(call: Call[None, NoQuery]) -> Product:
    """Show a product by its number or label."""
    wanted = call.path["product_id"]
    for each in list_products(call):
        if wanted in (each.id, each.label):
            return each
    raise NotFoundError(f"the organization {call.path['owner_key']} has no product {wanted!r}", listed="product list")


@ROUTES.add("GET", "/owners/{owner_key}/content", who=Who.USER, answer=list[Content])
def list_content(call: Call[None, NoQuery]) -> list[Content]:
    """List the contents of all products of an organization that the user may see, each once."""
    found = {one.content.id: one.content for each in list_products(call) for one in each.product_content}
    return [found[id_] for id_ in sorted(found)]


@ROUTES.add("GET", "/owners/{owner_key}/content/{content_id}", who=Who.USER, answer=Content)
def get_content(call: Call[None, NoQuery]) -> Content:
    """Show a content by its id."""
    wanted = call.path["content_id"]
    for each in list_content(call):
        if each.id == wanted:
            return each
    raise NotFoundError(f"the organization {call.path['owner_key']} has no content {wanted!r}", listed="content status")


def _product(catalogue: Catalogue, offer: Offer) -> Product:
    return Product(
        id=offer_number(catalogue.organization, offer),
        name=offer.name,
        label=offer.label,
        owner=catalogue.organization,
        product_content=[
            ProductContent(content=_content(catalogue, each), enabled=each.enabled)
            for _, each in sorted(offer.content.items())
        ],
    )


def _content(catalogue: Catalogue, found: ContentSnapshot) -> Content:
    return Content(
        id=found.id,
        type=found.type,
        label=found.label,
        name=found.name,
        vendor="",
        content_url=found.path,
        gpg_url=None if found.gpg_key is None else f"/{catalogue.organization}/gpg-keys/{found.gpg_key}",
        required_tags=",".join(found.required_tags),
        arches=",".join(found.arches),
    )
