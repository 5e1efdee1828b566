"""Tables of content views: what they are made of, their filters, and their published versions."""

from peewee import AutoField, BooleanField, ForeignKeyField, IntegerField

from issbox.store.tables.catalog import OrganizationRow, RepositoryRow
from issbox.store.tables.columns import Row, Text, Time
from issbox.store.tables.content import VersionRow


class ViewRow(Row):
    """Content views. `last_major` counts on when versions are deleted: a number never means two things."""

    id = AutoField()
    organization = ForeignKeyField(OrganizationRow, index=False)
    label = Text()
    name = Text()
    description = Text()
    last_major = IntegerField()

    class Meta:
        """Table settings."""

        table_name = "content_view"
        indexes = ((("organization", "label"), True),)


class ViewRepositoryRow(Row):
    """The repositories that a content view is made of."""

    id = AutoField()
    content_view = ForeignKeyField(ViewRow, index=False)
    repository = ForeignKeyField(RepositoryRow)

    class Meta:
        """Table settings."""

        table_name = "content_view_repository"
        indexes = ((("content_view", "repository"), True),)


class ViewFilterRow(Row):
    """Filters of content views; rule and repositories are JSON."""

    id = AutoField()
    content_view = ForeignKeyField(ViewRow, index=False)
    name = Text()
    description = Text()
    kind = Text()
    inclusion = BooleanField()
    without_errata = BooleanField()
    rule = Text()
    repositories = Text()

    class Meta:
        """Table settings."""

        table_name = "content_view_filter"
        indexes = ((("content_view", "name"), True),)


class ViewVersionRow(Row):
    """Published versions of content views."""

    id = AutoField()
    content_view = ForeignKeyField(ViewRow, index=False)
    major = IntegerField()
    minor = IntegerField()
    created_at = Time()
    description = Text()

    class Meta:
        """Table settings."""

        table_name = "content_view_version"
        indexes = ((("content_view", "major", "minor"), True),)


class PinRow(Row):
    """The repository versions that a content view version holds."""

    id = AutoField()
    view_version = ForeignKeyField(ViewVersionRow, index=False)
    repository = ForeignKeyField(RepositoryRow)
    version = ForeignKeyField(VersionRow)

    class Meta:
        """Table settings."""

        table_name = "content_view_version_repository"
        indexes = ((("view_version", "repository"), True),)
