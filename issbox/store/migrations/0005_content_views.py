"""Content views with their versions, repositories that filters make, and the history of promotions."""

from typing import Any

from peewee import AutoField, BooleanField, Database, ForeignKeyField, IntegerField, Model, SqliteDatabase, TextField
from playhouse.migrate import SchemaMigrator


def up(migrator: SchemaMigrator, db: Database) -> None:
    """Add the tables; every repository there is keeps an empty view, and every environment an empty description."""

    class OrganizationRow(Model):
        id = AutoField()

        class Meta:
            database = db
            table_name = "organization"

    class RepositoryRow(Model):
        id = AutoField()

        class Meta:
            database = db
            table_name = "repository"

    class VersionRow(Model):
        id = AutoField()

        class Meta:
            database = db
            table_name = "repository_version"

    class ViewRow(Model):
        id = AutoField()
        organization = ForeignKeyField(OrganizationRow, index=False)
        label = TextField()
        name = TextField()
        description = TextField()
        last_major = IntegerField()

        class Meta:
            database = db
            table_name = "content_view"
            indexes = ((("organization", "label"), True),)

    class ViewRepositoryRow(Model):
        id = AutoField()
        content_view = ForeignKeyField(ViewRow, index=False)
        repository = ForeignKeyField(RepositoryRow)

        class Meta:
            database = db
            table_name = "content_view_repository"
            indexes = ((("content_view", "repository"), True),)

    class ViewFilterRow(Model):
        id = AutoField()
        content_view = ForeignKeyField(ViewRow, index=False)
        name = TextField()
        description = TextField()
        kind = TextField()
        inclusion = BooleanField()
        without_errata = BooleanField()
        rule = TextField()
        repositories = TextField()

        class Meta:
            database = db
            table_name = "content_view_filter"
            indexes = ((("content_view", "name"), True),)

    class ViewVersionRow(Model):
        id = AutoField()
        content_view = ForeignKeyField(ViewRow, index=False)
        major = IntegerField()
        minor = IntegerField()
        created_at = TextField()
        description = TextField()

        class Meta:
            database = db
            table_name = "content_view_version"
            indexes = ((("content_view", "major", "minor"), True),)

    class PinRow(Model):
        id = AutoField()
        view_version = ForeignKeyField(ViewVersionRow, index=False)
        repository = ForeignKeyField(RepositoryRow)
        version = ForeignKeyField(VersionRow)

        class Meta:
            database = db
            table_name = "content_view_version_repository"
            indexes = ((("view_version", "repository"), True),)

    class PromotionHistoryRow(Model):
        id = AutoField()
        organization = TextField()
        environment = TextField()
        at = TextField()
        actor = TextField()
        origin = TextField()
        action = TextField()
        subject = TextField()
        reason = TextField()
        before = TextField()
        after = TextField()
        undoes = IntegerField(null=True)

        class Meta:
            database = db
            table_name = "promotion_history"
            indexes = ((("organization", "environment"), False),)

    db.create_tables(
        [ViewRow, ViewRepositoryRow, ViewFilterRow, ViewVersionRow, PinRow, PromotionHistoryRow], safe=False
    )
    _extend(migrator, db)


def _extend(migrator: SchemaMigrator, db: Any) -> None:
    """Add columns in place: SQLite would otherwise copy the tables, which others refer to."""
    text = "TEXT" if isinstance(db, SqliteDatabase) else 'TEXT COLLATE "C"'
    db.execute_sql(f"ALTER TABLE repository ADD COLUMN view {text} NOT NULL DEFAULT ''")
    db.execute_sql(f"ALTER TABLE lifecycle_environment ADD COLUMN description {text} NOT NULL DEFAULT ''")
    db.execute_sql("ALTER TABLE promotion ADD COLUMN view_version_id INTEGER REFERENCES content_view_version (id)")
    for index in db.get_indexes("repository"):
        if index.unique and index.columns in (["product_id", "label"], ["organization_id", "path"]):
            migrator.drop_index("repository", index.name).run()
    migrator.add_index("repository", ("product_id", "label", "view"), unique=True).run()
    migrator.add_index("repository", ("organization_id", "path", "view"), unique=True).run()
    migrator.add_index("promotion", ("view_version_id",)).run()
