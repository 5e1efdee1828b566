"""The table of jobs."""

from peewee import AutoField, BooleanField, Database, IntegerField, Model, TextField
from playhouse.migrate import SchemaMigrator


def up(_migrator: SchemaMigrator, db: Database) -> None:
    """Make the table."""

    class JobRow(Model):
        id = AutoField()
        kind = TextField()
        subject = TextField()
        organization = TextField(null=True)
        products = TextField()
        parameters = TextField()
        actor = TextField()
        origin = TextField()
        user = TextField(null=True, column_name="user_name")
        created_at = TextField()
        updated_at = TextField()
        state = TextField(index=True)
        started_at = TextField(null=True)
        ended_at = TextField(null=True)
        attempts = IntegerField()
        cancel_requested = BooleanField()
        progress = TextField()
        result = TextField()
        error_code = TextField(null=True)
        reason = TextField()
        hint = TextField()

        class Meta:
            database = db
            table_name = "job"

    db.create_tables([JobRow])
