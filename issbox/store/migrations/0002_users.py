"""Users, their grants, passwords, tokens and SSH keys."""

from peewee import AutoField, BooleanField, Database, ForeignKeyField, IntegerField, Model, TextField
from playhouse.migrate import SchemaMigrator


def up(_migrator: SchemaMigrator, db: Database) -> None:
    """Make the tables of users."""

    class OrganizationRow(Model):
        id = AutoField()

        class Meta:
            database = db
            table_name = "organization"

    class UserRow(Model):
        id = AutoField()
        name = TextField(unique=True)
        full_name = TextField()
        created_at = TextField()
        disabled = BooleanField()

        class Meta:
            database = db
            table_name = "user_account"

    class GrantRow(Model):
        id = AutoField()
        user = ForeignKeyField(UserRow, index=False)
        role = TextField()
        organization = ForeignKeyField(OrganizationRow, null=True)
        product = TextField()

        class Meta:
            database = db
            table_name = "user_grant"
            indexes = ((("user", "role", "organization", "product"), True),)

    class PasswordRow(Model):
        user = ForeignKeyField(UserRow, primary_key=True)
        hash = TextField()
        changed_at = TextField()

        class Meta:
            database = db
            table_name = "user_password"

    class AttemptRow(Model):
        subject = TextField(primary_key=True)
        failures = IntegerField()
        blocked_until = TextField(null=True)

        class Meta:
            database = db
            table_name = "password_attempt"

    class TokenRow(Model):
        id = AutoField()
        user = ForeignKeyField(UserRow, index=False)
        name = TextField()
        digest = TextField(unique=True)
        created_at = TextField()
        expires_at = TextField(null=True)
        used_at = TextField(null=True)

        class Meta:
            database = db
            table_name = "user_token"
            indexes = ((("user", "name"), True),)

    class SshKeyRow(Model):
        id = AutoField()
        user = ForeignKeyField(UserRow)
        type = TextField()
        key = TextField()
        comment = TextField()
        fingerprint = TextField(unique=True)
        added_at = TextField()

        class Meta:
            database = db
            table_name = "user_ssh_key"

    db.create_tables([UserRow, GrantRow, PasswordRow, AttemptRow, TokenRow, SshKeyRow])
