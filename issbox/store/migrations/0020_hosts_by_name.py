"""An index from which the order of hosts is read without their rows, however far somebody scrolls."""

from peewee import Database
from playhouse.migrate import SchemaMigrator


def up(migrator: SchemaMigrator, db: Database) -> None:
    """Replace the index of names by one that ends with the UUID, the second part of the order."""
    del db
    migrator.drop_index("consumer", "consumerrow_organization_id_name").run()
    migrator.add_index("consumer", ("organization_id", "name", "uuid")).run()
