"""Bundles of several volumes, incremental bundles with what they start from, approvals, and what imports changed."""

from peewee import BooleanField, Database, FloatField, IntegerField, TextField
from playhouse.migrate import SchemaMigrator, migrate


def up(migrator: SchemaMigrator, _db: Database) -> None:
    """Add the columns; what was there before is complete, in one piece and a directory."""
    migrate(
        migrator.add_column("content_import", "form", TextField(null=True)),
        migrator.add_column("content_import", "incremental", BooleanField(null=True)),
        migrator.add_column("content_import", "volume", IntegerField(null=True)),
        migrator.add_column("content_import", "volumes", IntegerField(null=True)),
        migrator.add_column("content_import", "waits_for", TextField(null=True)),
        migrator.add_column("content_import", "taken", BooleanField(default=False)),
        migrator.add_column("content_import", "made_by", TextField(default="")),
        migrator.add_column("content_import", "approvals", TextField(default="[]")),
        migrator.add_column("content_import", "changes", TextField(default="[]")),
        migrator.add_column("content_export", "form", TextField(default="dir")),
        migrator.add_column("content_export", "incremental", BooleanField(default=False)),
        migrator.add_column("content_export", "scope", TextField(default="")),
        migrator.add_column("content_export", "versions", TextField(default="[]")),
        migrator.add_column("content_export", "base", TextField(null=True)),
        migrator.add_column("content_export", "volumes", TextField(default="[]")),
        migrator.add_column("content_export", "seconds", FloatField(default=0.0)),
        migrator.add_column("content_export", "made_by", TextField(default="")),
        migrator.add_column("repository", "imported_lineage", TextField(default="")),
    )
