"""What the content server needs: open repositories, environments that stand in for a CDN, authorities of hosts."""

from typing import Any

from peewee import AutoField, Database, ForeignKeyField, Model, SqliteDatabase
from playhouse.migrate import SchemaMigrator


def up(_migrator: SchemaMigrator, db: Database) -> None:
    """Protect every repository there is, let no environment stand in for a CDN, and add the table of authorities."""
    _add_flag(db, "repository", "unprotected")
    _add_flag(db, "lifecycle_environment", "serves_as_cdn")

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

    class ClientAuthorityRow(Model):
        id = AutoField()
        organization = ForeignKeyField(OrganizationRow, index=False)
        credential = ForeignKeyField(CredentialRow)

        class Meta:
            database = db
            table_name = "client_authority"
            indexes = ((("organization", "credential"), True),)

    db.create_tables([ClientAuthorityRow], safe=False)


def _add_flag(db: Any, table: str, column: str) -> None:
    """Add a column in place: SQLite would otherwise copy the table, which others refer to."""
    flag = "INTEGER NOT NULL DEFAULT 0" if isinstance(db, SqliteDatabase) else "BOOLEAN NOT NULL DEFAULT FALSE"
    db.execute_sql(f"ALTER TABLE {table} ADD COLUMN {column} {flag}")
