"""Which keys and checks the newest version of a repository passed."""

from peewee import Database, TextField
from playhouse.migrate import SchemaMigrator


def up(migrator: SchemaMigrator, _db: Database) -> None:
    """Add the column; of the versions there are, it is not known."""
    migrator.migrate(migrator.add_column("repository", "checked_with", TextField(null=True)))
