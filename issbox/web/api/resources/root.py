"""`/`: which resources there are."""

from typing import Final

from issbox.web.api.routes import Call, NoQuery, Routes, Shape, Who

ROUTES: Final = Routes("root")
RESOURCES: Final = (
    "activation_keys",
    "consumers",
    "content_overrides",
    "crl",
    "entitlements",
    "environments",
    "jobs",
    "owners",
    "products",
    "status",
    "users",
)
"""What stock clients look for before they use it."""


class Link(Shape):
    """Where a resource is."""

    rel: str
    href: str


@ROUTES.add("GET", "/", who=Who.ANYONE, answer=list[Link])
def resources(_call: Call[None, NoQuery]) -> list[Link]:
    """List the resources."""
    return [Link(rel=name, href=f"/{name}") for name in RESOURCES]
