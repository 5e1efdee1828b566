"""When activation keys were made, as far as the audit log knows, so that hosts of an older namesake do not count."""

from typing import Any

from peewee import TextField
from playhouse.migrate import SchemaMigrator


def up(migrator: SchemaMigrator, db: Any) -> None:
    """Add the column."""
    migrator.add_column("activation_key", "created_at", TextField(null=True)).run()
    db.execute_sql(
        "UPDATE activation_key SET created_at = (SELECT MAX(a.at) FROM audit_entry a JOIN organization o"
        " ON a.organization = o.label WHERE o.id = activation_key.organization_id"
        " AND a.action = 'activation-key.create' AND a.subject = activation_key.label)"
    )
