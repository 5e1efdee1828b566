"""Tables for signed heads of the audit log, checks of stored files and events that were told; indexes of the log."""

from peewee import BooleanField, Database, IntegerField, Model, TextField
from playhouse.migrate import SchemaMigrator


def up(migrator: SchemaMigrator, db: Database) -> None:
    """Make the tables and the indexes."""

    class AuditHeadRow(Model):
        number = IntegerField(primary_key=True)
        digest = TextField()
        signed_at = TextField()
        key_id = TextField()
        signature = TextField()

        class Meta:
            database = db
            table_name = "audit_head"

    class BlobCheckRow(Model):
        sha256 = TextField(primary_key=True)
        checked_at = TextField(index=True)
        sound = BooleanField(index=True)

        class Meta:
            database = db
            table_name = "blob_check"

    class NoticeRow(Model):
        subject = TextField(primary_key=True)
        told_at = TextField()

        class Meta:
            database = db
            table_name = "notice"

    db.create_tables([AuditHeadRow, BlobCheckRow, NoticeRow])
    for columns in (("actor", "number"), ("action", "number"), ("organization", "number"), ("at",)):
        migrator.add_index("audit_entry", columns).run()
