"""When lifecycle environments were made and changed, and hosts changed, as far as the audit log knows."""

from typing import Any

from peewee import TextField
from playhouse.migrate import SchemaMigrator

_TOLD = """
    SELECT MAX(a.at) FROM audit_entry a JOIN organization o ON a.organization = o.label
    WHERE o.id = lifecycle_environment.organization_id AND (
        (a.action = 'lifecycle-environment.{deed}' AND a.subject = lifecycle_environment.label)
        OR (lifecycle_environment.prior_id IS NULL AND a.action = 'organization.create'))
"""


def up(migrator: SchemaMigrator, db: Any) -> None:
    """Add the columns; a Library is as old as its organization."""
    for table, column in (
        ("lifecycle_environment", "created_at"),
        ("lifecycle_environment", "updated_at"),
        ("consumer", "updated_at"),
    ):
        migrator.add_column(table, column, TextField(null=True)).run()
    db.execute_sql(f"UPDATE lifecycle_environment SET created_at = ({_TOLD.format(deed='create')})")  # noqa: S608  # constants only
    db.execute_sql(
        f"UPDATE lifecycle_environment SET updated_at = COALESCE(({_TOLD.format(deed='update')}), created_at)"  # noqa: S608  # constants only
    )
