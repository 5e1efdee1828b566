"""Tables of where Red Hat content comes from."""

from peewee import BooleanField, ForeignKeyField

from issbox.store.tables.catalog import CredentialRow, OrganizationRow
from issbox.store.tables.columns import Row, Text


class CdnLocationRow(Row):
    """Where organizations read Red Hat content from; one without a row reads from Red Hat's own CDN.

    `upstream` is which content of another box is read, in JSON.
    """

    organization = ForeignKeyField(OrganizationRow, primary_key=True)
    type = Text()
    url = Text(null=True)
    ca = ForeignKeyField(CredentialRow, null=True)
    client_certificate = ForeignKeyField(CredentialRow, null=True)
    proxy = Text(null=True)
    shows_manifest = BooleanField()
    upstream = Text(null=True)

    class Meta:
        """Table settings."""

        table_name = "cdn_location"
