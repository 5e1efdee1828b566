"""Rows of organizations."""

from issbox.errors import AlreadyExistsError, InUseError, NotFoundError
from issbox.model import LIBRARY, Organization
from issbox.names import check_label
from issbox.store.database import Noun, first, rows, transaction
from issbox.store.tables import (
    ClientAuthorityRow,
    CredentialRow,
    EnvironmentRow,
    GrantRow,
    OrganizationRow,
    ProductRow,
    PromotionHistoryRow,
    ViewFilterRow,
    ViewRow,
    ViewVersionRow,
)


def organization_id(label: str) -> int:
    """Give the row id of an organization; raises NotFoundError."""
    row = first(OrganizationRow.select(OrganizationRow.id).where(OrganizationRow.label == label))
    if row is None:
        raise NotFoundError(f"there is no organization {label!r}")
    return int(row[0])


def environment_id(organization: str, label: str) -> int:
    """Give the row id of a lifecycle environment; raises NotFoundError."""
    owner = organization_id(organization)
    row = first(
        EnvironmentRow.select(EnvironmentRow.id).where(
            EnvironmentRow.organization == owner, EnvironmentRow.label == label
        )
    )
    if row is None:
        raise NotFoundError(f"the organization {organization} has no lifecycle environment {label!r}")
    return int(row[0])


class Organizations(Noun):
    """Organizations."""

    def create(self, label: str, name: str) -> Organization:
        """Make an organization with its Library environment; raises AlreadyExistsError."""
        check_label(label)
        with transaction():
            if OrganizationRow.select().where(OrganizationRow.label == label).exists():
                raise AlreadyExistsError(f"the organization {label} exists already")
            row = OrganizationRow.create(label=label, name=name)
            EnvironmentRow.create(
                organization=row, label=LIBRARY, name=LIBRARY, prior=None, description="", serves_as_cdn=False
            )
        return Organization(label, name)

    def get(self, label: str) -> Organization:
        """Give an organization; raises NotFoundError."""
        row = OrganizationRow.get_by_id(organization_id(label))
        return Organization(row.label, row.name, _client_authorities().get(row.label, ()))

    def list(self) -> list[Organization]:
        """Give all organizations by label."""
        query = OrganizationRow.select(OrganizationRow.label, OrganizationRow.name).order_by(OrganizationRow.label)
        authorities = _client_authorities()
        return [Organization(label, name, authorities.get(label, ())) for label, name in rows(query)]

    def update(self, label: str, *, name: str) -> Organization:
        """Rename an organization; raises NotFoundError."""
        with transaction():
            identity = organization_id(label)
            OrganizationRow.update(name=name).where(OrganizationRow.id == identity).execute()
            return self.get(label)

    def delete(self, label: str) -> None:
        """Delete an organization with its content views, environments, content credentials and the roles granted in it.

        Raises NotFoundError, and InUseError while it has products.
        """
        with transaction():
            identity = organization_id(label)
            products = ProductRow.select().where(ProductRow.organization == identity).count()
            if products:
                raise InUseError(f"the organization {label} has {products} products", hint="Delete its products first.")
            ClientAuthorityRow.delete().where(ClientAuthorityRow.organization == identity).execute()
            CredentialRow.delete().where(CredentialRow.organization == identity).execute()
            GrantRow.delete().where(GrantRow.organization == identity).execute()
            views = ViewRow.select(ViewRow.id).where(ViewRow.organization == identity)
            for table in (ViewFilterRow, ViewVersionRow):  # without products, no version pins anything
                table.delete().where(table.content_view.in_(views)).execute()
            ViewRow.delete().where(ViewRow.organization == identity).execute()
            PromotionHistoryRow.delete().where(PromotionHistoryRow.organization == label).execute()
            EnvironmentRow.update(prior=None).where(EnvironmentRow.organization == identity).execute()
            EnvironmentRow.delete().where(EnvironmentRow.organization == identity).execute()
            OrganizationRow.delete().where(OrganizationRow.id == identity).execute()


def _client_authorities() -> dict[str, tuple[str, ...]]:
    """Give the labels of the content credentials that each organization accepts certificates of hosts from."""
    query = (
        ClientAuthorityRow.select(OrganizationRow.label, CredentialRow.label)
        .join(OrganizationRow)
        .switch(ClientAuthorityRow)
        .join(CredentialRow)
        .order_by(OrganizationRow.label, CredentialRow.label)
    )
    found: dict[str, tuple[str, ...]] = {}
    for organization, label in rows(query):
        found[organization] = (*found.get(organization, ()), label)
    return found
