"""Rows of organizations."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from issbox.errors import AlreadyExistsError, InUseError, NotFoundError
from issbox.model import LIBRARY, CertificateType, Organization
from issbox.names import check_label, plural
from issbox.store.database import Noun, first, rows, transaction
from issbox.store.tables import (
    ActivationKeyEnvironmentRow,
    ActivationKeyOverrideRow,
    ActivationKeyProductRow,
    ActivationKeyRow,
    CdnLocationRow,
    ClientAuthorityRow,
    ConsumerRow,
    CredentialRow,
    EnvironmentOverrideRow,
    EnvironmentRow,
    GrantRow,
    ManifestEventRow,
    ManifestRow,
    OrganizationRow,
    ProductRow,
    ProfileEnvironmentRow,
    ProfileRow,
    PromotionHistoryRow,
    TakingRow,
    ViewFilterRow,
    ViewRow,
    ViewVersionRow,
)


def organization_id(label: str) -> int:
    """Give the row id of an organization; raises NotFoundError."""
    row = first(OrganizationRow.select(OrganizationRow.id).where(OrganizationRow.label == label))
    if row is None:
        raise NotFoundError(f"there is no organization {label!r}", listed="organization list")
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
        raise NotFoundError(
            f"the organization {organization} has no lifecycle environment {label!r}",
            listed="lifecycle-environment list",
        )
    return int(row[0])


class Organizations(Noun):
    """Organizations."""

    def create(self, label: str, name: str, at: datetime | None = None) -> Organization:
        """Make an organization with its Library environment, at this time; raises AlreadyExistsError."""
        check_label(label)
        with transaction():
            if OrganizationRow.select().where(OrganizationRow.label == label).exists():
                raise AlreadyExistsError(f"the organization {label} exists already")
            made = Organization(label, name)
            row = OrganizationRow.create(
                label=label,
                name=name,
                content_prefix=made.content_prefix,
                access=made.access.value,
                hands_over_environments=made.hands_over_environments,
            )
            EnvironmentRow.create(
                organization=row,
                label=LIBRARY,
                name=LIBRARY,
                prior=None,
                description="",
                serves_as_cdn=False,
                uid=uuid4().hex,
                type="",
                content_prefix="",
                created_at=at,
                updated_at=at,
            )
        return made

    def get(self, label: str) -> Organization:
        """Give an organization; raises NotFoundError."""
        return _read(OrganizationRow.get_by_id(organization_id(label)), _client_authorities())

    def list(self) -> list[Organization]:
        """Give all organizations by label."""
        authorities = _client_authorities()
        query: Any = OrganizationRow.select().order_by(OrganizationRow.label)
        return [_read(row, authorities) for row in query]

    def update(
        self,
        label: str,
        *,
        name: str | None = None,
        content_prefix: str | None = None,
        access: CertificateType | None = None,
        hands_over_environments: bool | None = None,
    ) -> Organization:
        """Change what is given; raises NotFoundError."""
        changes = {
            "name": name,
            "content_prefix": content_prefix,
            "access": None if access is None else access.value,
            "hands_over_environments": hands_over_environments,
        }
        given = {field: value for field, value in changes.items() if value is not None}
        with transaction():
            identity = organization_id(label)
            if given:
                OrganizationRow.update(**given).where(OrganizationRow.id == identity).execute()
            return self.get(label)

    def delete(self, label: str) -> None:
        """Delete an organization with its content views, environments, content credentials and the roles granted in it.

        Its activation keys go too. Raises NotFoundError, and InUseError while it has products or hosts.
        """
        with transaction():
            identity = organization_id(label)
            hosts = ConsumerRow.select().where(ConsumerRow.organization == identity).count()
            if hosts:
                raise InUseError(
                    f"the organization {label} has {plural(hosts, 'host')}", hint="Delete its hosts first."
                )
            products = ProductRow.select().where(ProductRow.organization == identity).count()
            if products:
                raise InUseError(
                    f"the organization {label} has {plural(products, 'product')}", hint="Delete its products first."
                )
            if ManifestRow.select().where(ManifestRow.organization == identity).exists():
                raise InUseError(
                    f"the organization {label} has a subscription manifest",
                    hint="Delete it first: `issbox manifest delete`.",
                )
            ManifestEventRow.delete().where(ManifestEventRow.organization == label).execute()
            CdnLocationRow.delete().where(CdnLocationRow.organization == identity).execute()
            TakingRow.delete().where(TakingRow.organization == identity).execute()
            ClientAuthorityRow.delete().where(ClientAuthorityRow.organization == identity).execute()
            CredentialRow.delete().where(CredentialRow.organization == identity).execute()
            GrantRow.delete().where(GrantRow.organization == identity).execute()
            views = ViewRow.select(ViewRow.id).where(ViewRow.organization == identity)
            for table in (ViewFilterRow, ViewVersionRow):  # without products, no version pins anything
                table.delete().where(table.content_view.in_(views)).execute()
            ViewRow.delete().where(ViewRow.organization == identity).execute()
            _delete_host_settings(identity)
            PromotionHistoryRow.delete().where(PromotionHistoryRow.organization == label).execute()
            EnvironmentRow.update(prior=None).where(EnvironmentRow.organization == identity).execute()
            EnvironmentRow.delete().where(EnvironmentRow.organization == identity).execute()
            OrganizationRow.delete().where(OrganizationRow.id == identity).execute()


def _read(row: Any, authorities: dict[str, tuple[str, ...]]) -> Organization:
    return Organization(
        row.label,
        row.name,
        authorities.get(row.label, ()),
        row.content_prefix,
        CertificateType(row.access),
        bool(row.hands_over_environments),
    )


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


def _delete_host_settings(organization: int) -> None:
    """Delete what is there for hosts that may come, and what hosts that are gone had in common."""
    keys = ActivationKeyRow.select(ActivationKeyRow.id).where(ActivationKeyRow.organization == organization)
    for table in (ActivationKeyEnvironmentRow, ActivationKeyProductRow, ActivationKeyOverrideRow):
        table.delete().where(table.activation_key.in_(keys)).execute()
    ActivationKeyRow.delete().where(ActivationKeyRow.organization == organization).execute()
    profiles = ProfileRow.select(ProfileRow.id).where(ProfileRow.organization == organization)
    ProfileEnvironmentRow.delete().where(ProfileEnvironmentRow.profile.in_(profiles)).execute()
    ProfileRow.delete().where(ProfileRow.organization == organization).execute()
    environments = EnvironmentRow.select(EnvironmentRow.id).where(EnvironmentRow.organization == organization)
    EnvironmentOverrideRow.delete().where(EnvironmentOverrideRow.environment.in_(environments)).execute()
