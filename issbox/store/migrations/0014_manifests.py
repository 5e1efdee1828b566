"""Subscription manifests: what they offer, what happened to them, and what contents and products have of them."""

from typing import Any

from peewee import AutoField, Database, ForeignKeyField, Model, SqliteDatabase, TextField
from playhouse.migrate import SchemaMigrator


def up(migrator: SchemaMigrator, db: Database) -> None:  # noqa: ARG001  # columns are added in place
    """Add the columns, empty, and the tables."""
    _extend(db)

    class OrganizationRow(Model):
        id = AutoField()

        class Meta:
            database = db
            table_name = "organization"

    class ProductRow(Model):
        id = AutoField()

        class Meta:
            database = db
            table_name = "product"

    class ManifestRow(Model):
        organization = ForeignKeyField(OrganizationRow, primary_key=True)
        distributor = TextField(index=True)
        record = TextField()

        class Meta:
            database = db
            table_name = "manifest"

    class ManifestContentRow(Model):
        id = AutoField()
        organization = ForeignKeyField(OrganizationRow, index=False)
        product = ForeignKeyField(ProductRow, index=False)
        content_id = TextField()
        offered = TextField()

        class Meta:
            database = db
            table_name = "manifest_content"
            indexes = ((("product", "content_id"), True), (("organization", "content_id"), False))

    class ManifestEventRow(Model):
        id = AutoField()
        organization = TextField(index=True)
        event = TextField()

        class Meta:
            database = db
            table_name = "manifest_event"

    db.create_tables([ManifestRow, ManifestContentRow, ManifestEventRow])


def _extend(db: Any) -> None:
    """Add columns in place: SQLite would otherwise copy the tables, which others refer to."""
    text = "TEXT" if isinstance(db, SqliteDatabase) else 'TEXT COLLATE "C"'
    for table, column in (("product", "number"), ("content", "vendor"), ("content", "gpg_url")):
        db.execute_sql(f"ALTER TABLE {table} ADD COLUMN {column} {text} NOT NULL DEFAULT ''")
