"""Columns for what hosts tell the API, and for when the contents of organization-wide certificates changed."""

from peewee import Database, TextField
from playhouse.migrate import SchemaMigrator


def up(migrator: SchemaMigrator, db: Database) -> None:  # noqa: ARG001 - every migration is called alike
    """Add the columns."""
    for column, value in (("release", ""), ("purpose", "{}"), ("installed", "[]")):
        migrator.add_column("consumer", column, TextField(default=value)).run()
    for column in ("listing", "listed_at"):
        migrator.add_column("entitlement", column, TextField(null=True)).run()
