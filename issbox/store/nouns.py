"""The nouns of a store: each is loaded, and its tables with it, when it is first asked for.

A command needs a few of them, and loading them all takes longer than what most commands do.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import issbox.store.activation_keys
    import issbox.store.audit
    import issbox.store.blob_checks
    import issbox.store.boxes
    import issbox.store.browsing
    import issbox.store.catalogues
    import issbox.store.cdn_locations
    import issbox.store.certificates
    import issbox.store.consumers
    import issbox.store.credentials
    import issbox.store.entitlements
    import issbox.store.environments
    import issbox.store.exports
    import issbox.store.host_lists
    import issbox.store.imports
    import issbox.store.increments
    import issbox.store.jobs
    import issbox.store.logins
    import issbox.store.manifests
    import issbox.store.notices
    import issbox.store.organizations
    import issbox.store.overrides
    import issbox.store.products
    import issbox.store.promotions
    import issbox.store.pulse
    import issbox.store.receipts
    import issbox.store.regenerations
    import issbox.store.reports
    import issbox.store.repositories
    import issbox.store.takings
    import issbox.store.users
    import issbox.store.view_versions
    import issbox.store.views


class Nouns:
    """The nouns by name. They keep nothing of their own, so that threads may share them."""

    box: "issbox.store.boxes.BoxIdentity"
    trusted_keys: "issbox.store.boxes.TrustedKeys"
    organizations: "issbox.store.organizations.Organizations"
    environments: "issbox.store.environments.Environments"
    products: "issbox.store.products.Products"
    credentials: "issbox.store.credentials.Credentials"
    repositories: "issbox.store.repositories.Repositories"
    increments: "issbox.store.increments.Increments"
    views: "issbox.store.views.Views"
    view_versions: "issbox.store.view_versions.ViewVersions"
    promotions: "issbox.store.promotions.Promotions"
    manifests: "issbox.store.manifests.Manifests"
    catalogues: "issbox.store.catalogues.Catalogues"
    consumers: "issbox.store.consumers.Consumers"
    entitlements: "issbox.store.entitlements.Entitlements"
    overrides: "issbox.store.overrides.Overrides"
    activation_keys: "issbox.store.activation_keys.ActivationKeys"
    host_lists: "issbox.store.host_lists.HostLists"
    certificates: "issbox.store.certificates.Certificates"
    takings: "issbox.store.takings.Takings"
    cdn_locations: "issbox.store.cdn_locations.CdnLocations"
    regenerations: "issbox.store.regenerations.Regenerations"
    imports: "issbox.store.imports.Imports"
    reports: "issbox.store.reports.Reports"
    exports: "issbox.store.exports.Exports"
    receipts: "issbox.store.receipts.Receipts"
    audit: "issbox.store.audit.Audit"
    blob_checks: "issbox.store.blob_checks.BlobChecks"
    notices: "issbox.store.notices.Notices"
    jobs: "issbox.store.jobs.Jobs"
    pulse: "issbox.store.pulse.Pulse"
    browsing: "issbox.store.browsing.Browsing"
    users: "issbox.store.users.Users"
    grants: "issbox.store.users.Grants"
    passwords: "issbox.store.logins.Passwords"
    tokens: "issbox.store.logins.Tokens"
    ssh_keys: "issbox.store.logins.SshKeys"

    if not TYPE_CHECKING:  # type checkers would take any name at all for a noun

        def __getattr__(self, name: str) -> object:
            """Load a noun."""
            if name not in Nouns.__annotations__:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            module, _, kind = Nouns.__annotations__[name].rpartition(".")
            noun = getattr(importlib.import_module(module), kind)()
            setattr(self, name, noun)
            return noun
