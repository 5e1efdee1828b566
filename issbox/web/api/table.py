"""All routes of the API. A new resource is a module in `resources`, named here."""

from typing import Final

from issbox.web.api.openapi import described
from issbox.web.api.resources import (
    activation_keys,
    compliance,
    consumers,
    environment_content,
    environments,
    host_certificates,
    host_content,
    host_files,
    jobs,
    owners,
    products,
    regenerations,
    root,
    status,
)
from issbox.web.api.routes import Table

_RESOURCES: Final = (
    root,
    status,
    owners,
    environments,
    environment_content,
    activation_keys,
    consumers,
    host_certificates,
    host_content,
    host_files,
    compliance,
    products,
    regenerations,
    jobs,
)

TABLE: Final = Table(described([route for resource in _RESOURCES for route in resource.ROUTES.all]))
