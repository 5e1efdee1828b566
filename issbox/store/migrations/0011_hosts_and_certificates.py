"""Hosts, their entitlements and certificates; what promotions keep of contents; prefixes of content paths."""

import json
from typing import Any
from uuid import uuid4

from peewee import (
    AutoField,
    BigIntegerField,
    BlobField,
    BooleanField,
    CompositeKey,
    Database,
    ForeignKeyField,
    IntegerField,
    Model,
    SqliteDatabase,
    TextField,
)
from playhouse.migrate import SchemaMigrator


def up(migrator: SchemaMigrator, db: Database) -> None:
    """Add the tables and columns; environments get ids, and promotions the contents as they are now."""
    _extend(migrator, db)
    _fill(db)
    _make_hosts(db)
    _make_certificates(db)


def _extend(migrator: SchemaMigrator, db: Any) -> None:
    """Add columns in place: SQLite would otherwise copy the tables, which others refer to."""
    sqlite = isinstance(db, SqliteDatabase)
    text, no = ("TEXT", "0") if sqlite else ('TEXT COLLATE "C"', "FALSE")
    boolean = "INTEGER" if sqlite else "BOOLEAN"
    for table, column, kind, default in (
        ("organization", "content_prefix", text, "'/$org/$env'"),
        ("organization", "access", text, "'Basic'"),
        ("lifecycle_environment", "uid", text, "''"),
        ("lifecycle_environment", "type", text, "''"),
        ("lifecycle_environment", "content_prefix", text, "''"),
        ("content", "required_tags", text, "'[]'"),
        ("content", "withdrawn", boolean, no),
        ("promotion", "snapshot", text, "''"),
    ):
        db.execute_sql(f"ALTER TABLE {table} ADD COLUMN {column} {kind} NOT NULL DEFAULT {default}")
    for (identity,) in db.execute_sql("SELECT id FROM lifecycle_environment").fetchall():
        db.execute_sql(
            f"UPDATE lifecycle_environment SET uid = {db.param} WHERE id = {db.param}",  # noqa: S608  # placeholders
            (uuid4().hex, identity),
        )
    migrator.add_index("lifecycle_environment", ("uid",), unique=True).run()


def _fill(db: Any) -> None:
    rows = db.execute_sql(
        """SELECT m.id, c.content_id, c.label, c.name, c.path, c.type, c.arches, c.enabled, COALESCE(k.label, o.label)
        FROM promotion m JOIN repository r ON r.id = m.repository_id JOIN content c ON c.id = r.content_id
        JOIN product p ON p.id = r.product_id LEFT JOIN content_credential k ON k.id = r.gpg_key_id
        LEFT JOIN content_credential o ON o.id = p.gpg_key_id"""
    ).fetchall()
    for identity, content, label, name, path, kind, arches, enabled, gpg_key in rows:
        snapshot = {
            "id": content,
            "label": label,
            "name": name,
            "path": path,
            "type": kind,
            "arches": json.loads(arches),
            "required_tags": [],
            "enabled": bool(enabled),
            "gpg_key": gpg_key,
        }
        db.execute_sql(
            f"UPDATE promotion SET snapshot = {db.param} WHERE id = {db.param}",  # noqa: S608  # placeholders only
            (json.dumps(snapshot), identity),
        )


def _make_hosts(db: Database) -> None:

    class OrganizationRow(Model):
        id = AutoField()

        class Meta:
            database = db
            table_name = "organization"

    class EnvironmentRow(Model):
        id = AutoField()

        class Meta:
            database = db
            table_name = "lifecycle_environment"

    class ProductRow(Model):
        id = AutoField()

        class Meta:
            database = db
            table_name = "product"

    class ProfileRow(Model):
        id = AutoField()
        organization = ForeignKeyField(OrganizationRow, index=False)
        arches = TextField()
        version = IntegerField()
        orphaned = BooleanField()
        key = TextField()

        class Meta:
            database = db
            table_name = "host_profile"
            indexes = ((("organization", "key"), True),)

    class ProfileEnvironmentRow(Model):
        profile = ForeignKeyField(ProfileRow, index=False)
        priority = IntegerField()
        environment = ForeignKeyField(EnvironmentRow)

        class Meta:
            database = db
            table_name = "host_profile_environment"
            primary_key = CompositeKey("profile", "priority")

    class ConsumerRow(Model):
        id = AutoField()
        organization = ForeignKeyField(OrganizationRow, index=False)
        uuid = TextField(unique=True)
        name = TextField()
        type = TextField()
        facts = TextField()
        profile = ForeignKeyField(ProfileRow)
        created_at = TextField()
        seen_at = TextField(null=True)
        public_key = TextField()
        activation_key = TextField(null=True)

        class Meta:
            database = db
            table_name = "consumer"
            indexes = ((("organization", "name"), False),)

    class DeletedConsumerRow(Model):
        uuid = TextField(primary_key=True)
        organization = TextField()
        deleted_at = TextField()

        class Meta:
            database = db
            table_name = "deleted_consumer"

    class EntitlementRow(Model):
        id = AutoField()
        uid = TextField(unique=True)
        consumer = ForeignKeyField(ConsumerRow, index=False)
        product = ForeignKeyField(ProductRow, null=True)
        stale = BooleanField()
        serial = BigIntegerField(null=True)

        class Meta:
            database = db
            table_name = "entitlement"
            indexes = ((("consumer", "product"), True),)

    class ConsumerOverrideRow(Model):
        id = AutoField()
        consumer = ForeignKeyField(ConsumerRow, index=False)
        label = TextField()
        name = TextField()
        value = TextField()

        class Meta:
            database = db
            table_name = "consumer_override"
            indexes = ((("consumer", "label", "name"), True),)

    class EnvironmentOverrideRow(Model):
        id = AutoField()
        environment = ForeignKeyField(EnvironmentRow, index=False)
        label = TextField()
        name = TextField()
        value = TextField()

        class Meta:
            database = db
            table_name = "environment_override"
            indexes = ((("environment", "label", "name"), True),)

    class ActivationKeyRow(Model):
        id = AutoField()
        organization = ForeignKeyField(OrganizationRow, index=False)
        label = TextField()
        description = TextField()
        max_hosts = IntegerField(null=True)

        class Meta:
            database = db
            table_name = "activation_key"
            indexes = ((("organization", "label"), True),)

    class ActivationKeyEnvironmentRow(Model):
        activation_key = ForeignKeyField(ActivationKeyRow, index=False)
        priority = IntegerField()
        environment = ForeignKeyField(EnvironmentRow)

        class Meta:
            database = db
            table_name = "activation_key_environment"
            primary_key = CompositeKey("activation_key", "priority")

    class ActivationKeyProductRow(Model):
        activation_key = ForeignKeyField(ActivationKeyRow, index=False)
        product = ForeignKeyField(ProductRow)

        class Meta:
            database = db
            table_name = "activation_key_product"
            primary_key = CompositeKey("activation_key", "product")

    """Tables of certificates: what was issued, what they have in common, revocation lists, and jobs that issue anew."""

    db.create_tables(
        [
            ProfileRow,
            ProfileEnvironmentRow,
            ConsumerRow,
            DeletedConsumerRow,
            EntitlementRow,
            ConsumerOverrideRow,
            EnvironmentOverrideRow,
            ActivationKeyRow,
            ActivationKeyEnvironmentRow,
            ActivationKeyProductRow,
        ],
        safe=False,
    )


def _make_certificates(db: Database) -> None:
    class CertificateBodyRow(Model):
        id = AutoField()
        digest = TextField(unique=True)
        extensions = BlobField()
        appendix = TextField()

        class Meta:
            database = db
            table_name = "certificate_body"

    class CertificateRow(Model):
        serial = BigIntegerField(primary_key=True)
        kind = TextField()
        consumer = TextField(index=True)
        entitlement = TextField(null=True)
        pem = TextField()
        body = ForeignKeyField(CertificateBodyRow, null=True)
        digest = TextField()
        valid_from = TextField()
        valid_until = TextField()
        revoked_at = TextField(null=True, index=True)

        class Meta:
            database = db
            table_name = "certificate"

    class RevocationListRow(Model):
        id = AutoField()
        issued_at = TextField()
        next_update = TextField()

        class Meta:
            database = db
            table_name = "revocation_list"

    class RegenerationRow(Model):
        id = AutoField()
        organization = TextField()
        consumer = TextField(null=True)
        environment = TextField(null=True)
        product = TextField(null=True)
        unchanged = BooleanField()
        state = TextField()
        total = IntegerField()
        done = IntegerField()
        kept = IntegerField()
        failed = IntegerField()
        position = BigIntegerField()
        created_at = TextField()
        last_error = TextField()

        class Meta:
            database = db
            table_name = "regeneration"

    db.create_tables([CertificateBodyRow, CertificateRow, RevocationListRow, RegenerationRow], safe=False)
