"""Tables of subscription manifests. Certificates and private keys lie in files, never in a row."""

from peewee import AutoField, ForeignKeyField

from issbox.store.tables.catalog import OrganizationRow, ProductRow
from issbox.store.tables.columns import Row, Text


class ManifestRow(Row):
    """The manifest that an organization has; `record` is what it says of itself, in JSON."""

    organization = ForeignKeyField(OrganizationRow, primary_key=True)
    distributor = Text(index=True)
    record = Text()

    class Meta:
        """Table settings."""

        table_name = "manifest"


class ManifestContentRow(Row):
    """What the manifest of an organization offers, by product; `offered` is the content in JSON.

    Only contents that have repositories are in the table of contents too.
    """

    id = AutoField()
    organization = ForeignKeyField(OrganizationRow, index=False)
    product = ForeignKeyField(ProductRow, index=False)
    content_id = Text()
    offered = Text()

    class Meta:
        """Table settings."""

        table_name = "manifest_content"
        indexes = ((("product", "content_id"), True), (("organization", "content_id"), False))


class ManifestEventRow(Row):
    """What happened to manifests. Labels, not references; `event` is JSON."""

    id = AutoField()
    organization = Text(index=True)
    event = Text()

    class Meta:
        """Table settings."""

        table_name = "manifest_event"
