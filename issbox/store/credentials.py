"""Rows of content credentials."""

from collections.abc import Collection

from issbox.errors import AlreadyExistsError, InUseError, NotFoundError
from issbox.model import ContentCredential, CredentialKind
from issbox.names import check_label
from issbox.store.database import Noun, first, rows, transaction
from issbox.store.organizations import organization_id
from issbox.store.tables import CdnLocationRow, ClientAuthorityRow, CredentialRow, ProductRow, RepositoryRow


def credential_id(organization: int, label: str | None) -> int | None:
    """Give the row id of a content credential of this organization, None for None; raises NotFoundError."""
    if label is None:
        return None
    query = CredentialRow.select(CredentialRow.id)
    row = first(query.where(CredentialRow.organization == organization, CredentialRow.label == label))
    if row is None:
        raise NotFoundError(
            f"there is no content credential {label!r} in the organization", listed="content-credential list"
        )
    return int(row[0])


class Credentials(Noun):
    """Content credentials."""

    def create(self, credential: ContentCredential) -> ContentCredential:
        """Keep a content credential; raises AlreadyExistsError, NotFoundError."""
        check_label(credential.label)
        with transaction():
            organization = organization_id(credential.organization)
            query = CredentialRow.select().where(CredentialRow.organization == organization)
            if query.where(CredentialRow.label == credential.label).exists():
                raise AlreadyExistsError(
                    f"the content credential {credential.organization}/{credential.label} exists already"
                )
            CredentialRow.create(
                organization=organization,
                label=credential.label,
                name=credential.name,
                kind=credential.kind.value,
                content=credential.content,
            )
        return credential

    def get(self, organization: str, label: str) -> ContentCredential:
        """Give a content credential; raises NotFoundError."""
        for credential in self.list(organization):
            if credential.label == label:
                return credential
        raise NotFoundError(f"there is no content credential {organization}/{label}", listed="content-credential list")

    def list(self, organization: str) -> list[ContentCredential]:
        """Give the content credentials of an organization by label; raises NotFoundError."""
        query = (
            CredentialRow.select(CredentialRow.label, CredentialRow.name, CredentialRow.kind, CredentialRow.content)
            .where(CredentialRow.organization == organization_id(organization))
            .order_by(CredentialRow.label)
        )
        return [
            ContentCredential(organization, label, name, CredentialKind(kind), content)
            for label, name, kind, content in rows(query)
        ]

    def update(
        self, organization: str, label: str, *, name: str | None = None, content: str | None = None
    ) -> ContentCredential:
        """Change the name or the content, None leaving it as it is; raises NotFoundError."""
        with transaction():
            present = self.get(organization, label)
            CredentialRow.update(
                name=present.name if name is None else name, content=present.content if content is None else content
            ).where(CredentialRow.id == credential_id(organization_id(organization), label)).execute()
            return self.get(organization, label)

    def accept_from_hosts(self, organization: str, labels: Collection[str]) -> None:
        """Let the authorities in these credentials, and no others, sign for hosts of the organization.

        Raises NotFoundError.
        """
        with transaction():
            owner = organization_id(organization)
            ClientAuthorityRow.delete().where(ClientAuthorityRow.organization == owner).execute()
            for label in sorted(set(labels)):
                ClientAuthorityRow.insert(organization=owner, credential=credential_id(owner, label)).execute()

    def delete(self, organization: str, label: str) -> None:
        """Delete a content credential; raises NotFoundError, and InUseError naming what uses it."""
        with transaction():
            self.get(organization, label)
            identity = credential_id(organization_id(organization), label)
            products = ProductRow.select(ProductRow.label).where(ProductRow.gpg_key == identity)
            repositories = RepositoryRow.select(RepositoryRow.label).where(
                (RepositoryRow.gpg_key == identity)
                | (RepositoryRow.ca == identity)
                | (RepositoryRow.client_certificate == identity)
            )
            users = [f"product {row[0]}" for row in rows(products)]
            users += [f"repository {row[0]}" for row in rows(repositories)]
            if ClientAuthorityRow.select().where(ClientAuthorityRow.credential == identity).exists():
                users.append(f"organization {organization} for certificates of hosts")
            locations = CdnLocationRow.select().where(
                (CdnLocationRow.ca == identity) | (CdnLocationRow.client_certificate == identity)
            )
            if locations.exists():
                users.append(f"the CDN location of {organization}")
            if users:
                raise InUseError(
                    f"the content credential {organization}/{label} is used by {', '.join(sorted(users))}",
                    hint="Give them another one, or none, first.",
                )
            CredentialRow.delete().where(CredentialRow.id == identity).execute()
