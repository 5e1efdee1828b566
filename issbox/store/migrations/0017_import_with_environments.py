"""Whether an import was asked to take over the lifecycle environments of its bundle."""

from peewee import BooleanField, Database
from playhouse.migrate import SchemaMigrator


def up(migrator: SchemaMigrator, _db: Database) -> None:
    """Add the column; nobody asked before."""
    migrator.migrate(migrator.add_column("content_import", "with_environments", BooleanField(default=False)))
