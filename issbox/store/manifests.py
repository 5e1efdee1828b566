"""Rows of subscription manifests: what organizations may have of Red Hat, and how that came."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Final

from issbox.errors import NotFoundError
from issbox.model import ManifestEvent, ManifestRecord, OfferedContent, ProductKind
from issbox.store.database import Noun, first, rows, transaction
from issbox.store.organizations import organization_id
from issbox.store.tables import (
    ActivationKeyProductRow,
    ContentRow,
    EntitlementRow,
    ManifestContentRow,
    ManifestEventRow,
    ManifestRow,
    OrganizationRow,
    ProductRow,
    RepositoryRow,
)
from issbox.store.tables.columns import from_json, to_json

_AT_ONCE: Final = 200
"""Rows written by one statement; SQLite takes 32766 values in one."""


class Manifests(Noun):
    """Subscription manifests."""

    def find(self, organization: str) -> ManifestRecord | None:
        """Give the manifest of an organization, or None; raises NotFoundError for the organization."""
        query = ManifestRow.select(ManifestRow.record).where(ManifestRow.organization == organization_id(organization))
        row = first(query)
        return None if row is None else from_json(row[0], ManifestRecord)

    def get(self, organization: str) -> ManifestRecord:
        """Give the manifest of an organization; raises NotFoundError."""
        found = self.find(organization)
        if found is None:
            raise NotFoundError(
                f"the organization {organization} has no subscription manifest",
                hint="Import one with `issbox manifest import FILE.zip`.",
            )
        return found

    def all(self) -> list[ManifestRecord]:
        """Give the manifests of all organizations, by organization."""
        query = ManifestRow.select(ManifestRow.record).join(OrganizationRow).order_by(OrganizationRow.label)
        return [from_json(record, ManifestRecord) for (record,) in rows(query)]

    def holder(self, distributor: str, *, besides: str) -> str | None:
        """Give another organization, besides this one, whose manifest is that of a distributor, or None."""
        query = ManifestRow.select(OrganizationRow.label).join(OrganizationRow)
        row = first(query.where(ManifestRow.distributor == distributor, OrganizationRow.label != besides))
        return None if row is None else str(row[0])

    def offered(self, organization: str, product: str | None = None) -> dict[str, list[OfferedContent]]:
        """Give what the manifest offers, by product label and content id; raises NotFoundError."""
        query = (
            ManifestContentRow.select(ProductRow.label, ManifestContentRow.offered)
            .join(ProductRow)
            .where(ManifestContentRow.organization == organization_id(organization))
            .order_by(ProductRow.label, ManifestContentRow.content_id)
        )
        if product is not None:
            query = query.where(ProductRow.label == product)
        found: dict[str, list[OfferedContent]] = {}
        for label, text in rows(query):
            found.setdefault(label, []).append(from_json(text, OfferedContent))
        return found

    def needed_products(self, organization: str) -> frozenset[str]:
        """Give the labels of Red Hat products that repositories, hosts or activation keys refer to."""
        query = ProductRow.select(ProductRow.label).where(
            ProductRow.organization == organization_id(organization),
            ProductRow.kind == ProductKind.REDHAT.value,
            ProductRow.id.in_(RepositoryRow.select(RepositoryRow.product))
            | ProductRow.id.in_(
                EntitlementRow.select(EntitlementRow.product).where(EntitlementRow.product.is_null(False))
            )
            | ProductRow.id.in_(ActivationKeyProductRow.select(ActivationKeyProductRow.product)),
        )
        return frozenset(label for (label,) in rows(query))

    def withdrawn(self, organization: str) -> frozenset[str]:
        """Give the ids of contents with repositories that a manifest took away."""
        query = ContentRow.select(ContentRow.content_id).where(
            ContentRow.organization == organization_id(organization), ContentRow.withdrawn
        )
        return frozenset(content for (content,) in rows(query))

    def rename_product(self, organization: str, label: str, name: str) -> None:
        """Give a Red Hat product the name that the manifest has for it."""
        ProductRow.update(name=name).where(
            ProductRow.organization == organization_id(organization), ProductRow.label == label
        ).execute()

    def describe_content(self, organization: str, offered: OfferedContent) -> None:
        """Bring a content that has repositories up to date with a manifest; its path and type stay as they are.

        The repositories lie at that path already.
        """
        content = offered.content
        ContentRow.update(
            label=content.label,
            name=content.name,
            arches=to_json(content.arches),
            enabled=content.enabled,
            required_tags=to_json(content.required_tags),
            vendor=offered.vendor,
            gpg_url=offered.gpg_url,
        ).where(ContentRow.organization == organization_id(organization), ContentRow.content_id == content.id).execute()

    def put(self, record: ManifestRecord, offered: Mapping[str, Iterable[OfferedContent]]) -> None:
        """Let this be the manifest of the organization, offering these contents by product label.

        What was offered before is forgotten. Raises NotFoundError for a product that is not there.
        """
        with transaction():
            owner = organization_id(record.organization)
            self._forget(owner)
            ManifestRow.insert(
                organization=owner, distributor=record.distributor.uuid, record=to_json(record)
            ).execute()
            products = dict(
                rows(ProductRow.select(ProductRow.label, ProductRow.id).where(ProductRow.organization == owner))
            )
            lines = (
                {
                    "organization": owner,
                    "product": _row_of(products, record.organization, product),
                    "content_id": each.content.id,
                    "offered": to_json(each),
                }
                for product, contents in offered.items()
                for each in contents
            )
            while batch := list(islice(lines, _AT_ONCE)):
                ManifestContentRow.insert_many(batch).execute()

    def remove(self, organization: str) -> None:
        """Forget the manifest and what it offers; products, contents and repositories stay. Raises NotFoundError."""
        with transaction():
            self._forget(organization_id(organization))

    def _forget(self, owner: int) -> None:
        for table in (ManifestContentRow, ManifestRow):
            table.delete().where(table.organization == owner).execute()

    def note(self, event: ManifestEvent) -> None:
        """Write down what happened to the manifest of an organization."""
        ManifestEventRow.insert(organization=event.organization, event=to_json(event)).execute()

    def history(self, organization: str) -> list[ManifestEvent]:
        """Give what happened to the manifests of an organization, the newest first; raises NotFoundError."""
        organization_id(organization)
        query = ManifestEventRow.select(ManifestEventRow.id, ManifestEventRow.event).where(
            ManifestEventRow.organization == organization
        )
        return [
            replace(from_json(text, ManifestEvent), id=identity)
            for identity, text in rows(query.order_by(ManifestEventRow.id.desc()))
        ]


def _row_of(products: Mapping[str, int], organization: str, label: str) -> int:
    if label not in products:
        raise NotFoundError(f"there is no product {organization}/{label}", listed="product list")
    return products[label]
