"""Tables of what lifecycle environments hold, and of every change of it."""

from peewee import AutoField, BooleanField, ForeignKeyField, IntegerField

from issbox.store.tables.catalog import EnvironmentRow, RepositoryRow
from issbox.store.tables.columns import Row, Text, Time
from issbox.store.tables.content import VersionRow
from issbox.store.tables.views import ViewVersionRow


class PromotionRow(Row):
    """Which version of a repository an environment holds, and whether hosts there have it enabled (NULL: default).

    `view_version` is the content view version that brought it, if one did. `snapshot` is the content as it was then,
    in JSON: what hosts are told, whatever becomes of the content. Library's hosts are told what there is now.
    """

    id = AutoField()
    environment = ForeignKeyField(EnvironmentRow, index=False)
    repository = ForeignKeyField(RepositoryRow)
    version = ForeignKeyField(VersionRow)
    enabled = BooleanField(null=True)
    view_version = ForeignKeyField(ViewVersionRow, null=True)
    snapshot = Text()

    class Meta:
        """Table settings."""

        table_name = "promotion"
        indexes = ((("environment", "repository"), True),)


class PromotionHistoryRow(Row):
    """Changes of what environments hold. Labels, not references: history outlives what it tells of.

    `before` and `after` are JSON, of the repositories that changed.
    """

    id = AutoField()
    organization = Text()
    environment = Text()
    at = Time()
    actor = Text()
    origin = Text()
    action = Text()
    subject = Text()
    reason = Text()
    before = Text()
    after = Text()
    undoes = IntegerField(null=True)

    class Meta:
        """Table settings."""

        table_name = "promotion_history"
        indexes = ((("organization", "environment"), False),)
