"""Who manages the lifecycle environments of an organization, and content overrides of activation keys."""

from peewee import AutoField, BooleanField, Database, ForeignKeyField, Model, TextField
from playhouse.migrate import SchemaMigrator


def up(migrator: SchemaMigrator, db: Database) -> None:
    """Add the column and make the table."""
    migrator.add_column("organization", "hands_over_environments", BooleanField(default=False)).run()

    class ActivationKeyRow(Model):
        class Meta:
            database = db
            table_name = "activation_key"

    class ActivationKeyOverrideRow(Model):
        id = AutoField()
        activation_key = ForeignKeyField(ActivationKeyRow, index=False)
        label = TextField()
        name = TextField()
        value = TextField()

        class Meta:
            database = db
            table_name = "activation_key_override"
            indexes = ((("activation_key", "label", "name"), True),)

    db.create_tables([ActivationKeyOverrideRow])
