"""Rows of products."""

from enum import Enum
from typing import Any, Final, Literal

from issbox.errors import AlreadyExistsError, InUseError, NotFoundError
from issbox.model import Product, ProductKind
from issbox.names import check_label, plural
from issbox.store.credentials import credential_id
from issbox.store.database import Noun, first, transaction
from issbox.store.organizations import organization_id
from issbox.store.tables import ActivationKeyProductRow, CredentialRow, EntitlementRow, ProductRow, RepositoryRow


class Unchanged(Enum):
    """Marks an argument that leaves a value as it is, where None means none."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED


def product_id(organization: str, label: str) -> int:
    """Give the row id of a product; raises NotFoundError."""
    query = ProductRow.select(ProductRow.id).where(ProductRow.organization == organization_id(organization))
    row = first(query.where(ProductRow.label == label))
    if row is None:
        raise NotFoundError(f"there is no product {organization}/{label}", listed="product list")
    return int(row[0])


class Products(Noun):
    """Products."""

    def create(self, product: Product) -> Product:
        """Make a product; raises AlreadyExistsError, and NotFoundError for its organization or GPG key."""
        check_label(product.label)
        with transaction():
            organization = organization_id(product.organization)
            query = ProductRow.select().where(ProductRow.organization == organization)
            if query.where(ProductRow.label == product.label).exists():
                raise AlreadyExistsError(f"the product {product.organization}/{product.label} exists already")
            ProductRow.create(
                organization=organization,
                label=product.label,
                name=product.name,
                kind=product.kind.value,
                description=product.description,
                gpg_key=credential_id(organization, product.gpg_key),
                number=product.number,
            )
        return product

    def get(self, organization: str, label: str) -> Product:
        """Give a product; raises NotFoundError."""
        return _product(
            organization, _query(organization).where(ProductRow.id == product_id(organization, label)).get()
        )

    def list(self, organization: str) -> list[Product]:
        """Give the products of an organization by label; raises NotFoundError."""
        return [_product(organization, row) for row in _query(organization).order_by(ProductRow.label)]

    def update(
        self,
        organization: str,
        label: str,
        *,
        name: str | None = None,
        description: str | None = None,
        gpg_key: str | Literal[Unchanged.UNCHANGED] | None = UNCHANGED,
    ) -> Product:
        """Change what is given; a gpg_key of None takes the key away. Raises NotFoundError."""
        with transaction():
            present = self.get(organization, label)
            ProductRow.update(
                name=present.name if name is None else name,
                description=present.description if description is None else description,
                gpg_key=credential_id(
                    organization_id(organization), present.gpg_key if gpg_key is UNCHANGED else gpg_key
                ),
            ).where(ProductRow.id == product_id(organization, label)).execute()
            return self.get(organization, label)

    def delete(self, organization: str, label: str) -> None:
        """Delete a product; raises NotFoundError, and InUseError while it has repositories or hosts are entitled to it.

        Activation keys entitle to it no more.
        """
        with transaction():
            identity = product_id(organization, label)
            repositories = RepositoryRow.select().where(RepositoryRow.product == identity).count()
            if repositories:
                raise InUseError(
                    f"the product {organization}/{label} has {plural(repositories, 'repository')}",
                    hint="Delete its repositories first.",
                )
            hosts = EntitlementRow.select().where(EntitlementRow.product == identity).count()
            if hosts:
                raise InUseError(
                    f"the product {organization}/{label} has {plural(hosts, 'entitled host')}",
                    hint="Take the entitlements away first: `issbox entitlement delete`.",
                )
            ActivationKeyProductRow.delete().where(ActivationKeyProductRow.product == identity).execute()
            ProductRow.delete().where(ProductRow.id == identity).execute()


def _query(organization: str) -> Any:
    return (
        ProductRow.select(
            ProductRow.label,
            ProductRow.name,
            ProductRow.kind,
            ProductRow.description,
            CredentialRow.label,
            ProductRow.number,
        )
        .left_outer_join(CredentialRow)
        .where(ProductRow.organization == organization_id(organization))
        .tuples()
    )


def _product(organization: str, row: tuple[str, str, str, str, str | None, str]) -> Product:
    label, name, kind, description, gpg_key, number = row
    return Product(organization, label, name, ProductKind(kind), description, gpg_key, number)
