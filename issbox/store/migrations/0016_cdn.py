"""Where organizations read Red Hat content from."""

from peewee import AutoField, BooleanField, Database, ForeignKeyField, Model, TextField
from playhouse.migrate import SchemaMigrator


def up(_migrator: SchemaMigrator, db: Database) -> None:
    """Add the table; organizations without a row read from Red Hat's own CDN."""

    class OrganizationRow(Model):
        id = AutoField()

        class Meta:
            database = db
            table_name = "organization"

    class CredentialRow(Model):
        id = AutoField()

        class Meta:
            database = db
            table_name = "content_credential"

    class CdnLocationRow(Model):
        organization = ForeignKeyField(OrganizationRow, primary_key=True)
        type = TextField()
        url = TextField(null=True)
        ca = ForeignKeyField(CredentialRow, null=True)
        client_certificate = ForeignKeyField(CredentialRow, null=True)
        proxy = TextField(null=True)
        shows_manifest = BooleanField()
        upstream = TextField(null=True)

        class Meta:
            database = db
            table_name = "cdn_location"

    db.create_tables([CdnLocationRow], safe=False)
