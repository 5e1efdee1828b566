"""Tables for receipts that other boxes gave, and the exports they acknowledge."""

from peewee import AutoField, BigIntegerField, BooleanField, Database, ForeignKeyField, Model, TextField
from playhouse.migrate import SchemaMigrator


def up(_migrator: SchemaMigrator, db: Database) -> None:
    """Make both tables."""

    class ReceiptRow(Model):
        id = AutoField()
        received_at = TextField()
        received_by = TextField()
        form = TextField()
        verified = BooleanField()
        organization = TextField(null=True)
        fingerprint = TextField(unique=True)
        content = TextField()
        packages = TextField(null=True)

        class Meta:
            database = db
            table_name = "receipt"

    class AcknowledgementRow(Model):
        id = AutoField()
        receipt = ForeignKeyField(ReceiptRow)
        organization = TextField()
        destination = TextField()
        first = BigIntegerField()
        last = BigIntegerField()

        class Meta:
            database = db
            table_name = "acknowledgement"
            indexes = ((("organization", "destination"), False),)

    db.create_tables([ReceiptRow, AcknowledgementRow])
