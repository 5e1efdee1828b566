"""The table of jobs."""

from peewee import AutoField, BooleanField, IntegerField

from issbox.store.tables.columns import Row, Text, Time


class JobRow(Row):
    """Jobs. Labels, not references: history outlives what it tells of."""

    id = AutoField()
    kind = Text()
    subject = Text()
    organization = Text(null=True)
    products = Text()
    parameters = Text()
    actor = Text()
    origin = Text()
    user = Text(null=True, column_name="user_name")
    created_at = Time()
    updated_at = Time()
    state = Text(index=True)
    started_at = Time(null=True)
    ended_at = Time(null=True)
    attempts = IntegerField()
    cancel_requested = BooleanField()
    progress = Text()
    result = Text()
    error_code = Text(null=True)
    reason = Text()
    hint = Text()

    class Meta:
        """Table settings."""

        table_name = "job"
