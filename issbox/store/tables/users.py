"""Tables of users: what is granted to them, and what they prove themselves with."""

from peewee import AutoField, BooleanField, ForeignKeyField, IntegerField

from issbox.store.tables.catalog import OrganizationRow
from issbox.store.tables.columns import Row, Text, Time


class UserRow(Row):
    """Users. Not named `user`, which is a word of PostgreSQL's own."""

    id = AutoField()
    name = Text(unique=True)
    full_name = Text()
    created_at = Time()
    disabled = BooleanField()

    class Meta:
        """Table settings."""

        table_name = "user_account"


class GrantRow(Row):
    """Roles of users: one row for each product that a role is limited to, or one with an empty product for all.

    Products by label, not by reference: a role may be limited to a product that an import will bring.
    """

    id = AutoField()
    user = ForeignKeyField(UserRow, index=False)
    role = Text()
    organization = ForeignKeyField(OrganizationRow, null=True)
    product = Text()

    class Meta:
        """Table settings."""

        table_name = "user_grant"
        indexes = ((("user", "role", "organization", "product"), True),)


class PasswordRow(Row):
    """Passwords of users, as Argon2 hashes."""

    user = ForeignKeyField(UserRow, primary_key=True)
    hash = Text()
    changed_at = Time()

    class Meta:
        """Table settings."""

        table_name = "user_password"


class AttemptRow(Row):
    """Failures with passwords: by user name, and for names of nobody by one of a few groups."""

    subject = Text(primary_key=True)
    failures = IntegerField()
    blocked_until = Time(null=True)

    class Meta:
        """Table settings."""

        table_name = "password_attempt"


class TokenRow(Row):
    """Tokens of users; the digest is SHA-256 of the secret."""

    id = AutoField()
    user = ForeignKeyField(UserRow, index=False)
    name = Text()
    digest = Text(unique=True)
    created_at = Time()
    expires_at = Time(null=True)
    used_at = Time(null=True)

    class Meta:
        """Table settings."""

        table_name = "user_token"
        indexes = ((("user", "name"), True),)


class SshKeyRow(Row):
    """SSH public keys of users; one key opens the box to one user."""

    id = AutoField()
    user = ForeignKeyField(UserRow)
    type = Text()
    key = Text()
    comment = Text()
    fingerprint = Text(unique=True)
    added_at = Time()

    class Meta:
        """Table settings."""

        table_name = "user_ssh_key"
