"""The content view version that an import brought."""

from peewee import Database, TextField
from playhouse.migrate import SchemaMigrator


def up(migrator: SchemaMigrator, _db: Database) -> None:
    """Add the column; of imports before this one it is not known."""
    migrator.migrate(migrator.add_column("content_import", "view_version", TextField(null=True)))
