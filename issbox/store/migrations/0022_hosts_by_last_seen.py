"""An index from which the order of hosts by when they were seen last is read."""

from peewee import Database
from playhouse.migrate import SchemaMigrator


def up(migrator: SchemaMigrator, db: Database) -> None:
    """Add the index, which ends with the UUID, the second part of the order."""
    del db
    migrator.add_index("consumer", ("organization_id", "seen_at", "uuid")).run()
