"""An index that finds certificates in use by their end, however many were revoked before."""

from peewee import Database
from playhouse.migrate import SchemaMigrator


def up(migrator: SchemaMigrator, db: Database) -> None:
    """Replace the index of revoked certificates by one that begins with the same column."""
    del db
    migrator.drop_index("certificate", "certificaterow_revoked_at").run()
    migrator.add_index("certificate", ("revoked_at", "valid_until", "serial")).run()
