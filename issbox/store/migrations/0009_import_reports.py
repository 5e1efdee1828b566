"""Verification reports of imports, and how much each import copied."""

from peewee import BigIntegerField, Database, IntegerField, Model, TextField
from playhouse.migrate import SchemaMigrator, migrate


def up(migrator: SchemaMigrator, db: Database) -> None:
    """Make the table and add the columns; of imports before this one nothing is known."""

    class ImportReportRow(Model):
        content_import = IntegerField(primary_key=True)
        bundle_id = TextField(index=True)
        organization = TextField()
        content = TextField()

        class Meta:
            database = db
            table_name = "import_report"

    db.create_tables([ImportReportRow])
    migrate(
        migrator.add_column("content_import", "copied_files", IntegerField(default=0)),
        migrator.add_column("content_import", "copied_size", BigIntegerField(default=0)),
    )
