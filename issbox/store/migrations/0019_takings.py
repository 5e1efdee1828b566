"""What other boxes took from this one."""

from peewee import AutoField, BigIntegerField, Database, ForeignKeyField, Model, TextField
from playhouse.migrate import SchemaMigrator


def up(_migrator: SchemaMigrator, db: Database) -> None:
    """Add the table, empty."""

    class OrganizationRow(Model):
        id = AutoField()

        class Meta:
            database = db
            table_name = "organization"

    class TakingRow(Model):
        id = AutoField()
        organization = ForeignKeyField(OrganizationRow, index=False)
        environment = TextField()
        fingerprint = TextField()
        subject = TextField()
        issuer = TextField()
        serial = TextField()
        first_at = TextField()
        last_at = TextField()
        requests = BigIntegerField()
        size = BigIntegerField()
        consumer = TextField(null=True)

        class Meta:
            database = db
            table_name = "taking"
            indexes = ((("organization", "environment", "fingerprint"), True), (("organization", "last_at"), False))

    db.create_tables([TakingRow], safe=False)
