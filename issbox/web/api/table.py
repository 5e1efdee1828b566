"""All routes of the API. A new resource is a module in `resources`, named here."""

from typing import Final

from issbox.web.api.openapi import described
from issbox.web.api.resources import (
    compliance,
    consumers,
    host_certificates,
    host_content,
    owners,
    products,
    root,
    status,
)
from issbox.web.api.routes import Table

_RESOURCES: Final = (root, status, owners, consumers, host_certificates, host_content, compliance, products)

TABLE: Final = Table(described([route for resource in _RESOURCES for route in resource.ROUTES.all]))
