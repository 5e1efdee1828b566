"""Tables of what happened: bundles that came in and went out, and the audit log."""

from peewee import AutoField, BigIntegerField, BooleanField, FloatField, IntegerField

from issbox.store.tables.columns import Row, Text, Time


class ImportRow(Row):
    """Bundles on their way in, and those that came in. Labels, not references: history outlives what it tells of."""

    id = AutoField()
    path = Text()
    state = Text()
    first_seen = Time()
    updated_at = Time()
    inbox = BooleanField()
    organization = Text(null=True)
    bundle_id = Text(null=True, index=True)
    source_box = Text(null=True)
    key_id = Text(null=True)
    destination = Text(null=True)
    sequence = BigIntegerField(null=True)
    size = BigIntegerField()
    files = IntegerField()
    error_code = Text(null=True)
    reason = Text()
    allow_older = BooleanField()
    fingerprint = Text()
    form = Text(null=True)
    incremental = BooleanField(null=True)
    volume = IntegerField(null=True)
    volumes = IntegerField(null=True)
    waits_for = Text(null=True)
    taken = BooleanField()
    made_by = Text()
    approvals = Text()
    changes = Text()
    copied_files = IntegerField()
    copied_size = BigIntegerField()
    view_version = Text(null=True)
    with_environments = BooleanField()

    class Meta:
        """Table settings."""

        table_name = "content_import"


class ImportReportRow(Row):
    """Verification reports, byte for byte."""

    content_import = IntegerField(primary_key=True)
    bundle_id = Text(index=True)
    organization = Text()
    content = Text()

    class Meta:
        """Table settings."""

        table_name = "import_report"


class ExportRow(Row):
    """Bundles made here."""

    id = AutoField()
    bundle_id = Text(unique=True)
    organization = Text()
    repositories = Text()
    destination = Text()
    sequence = BigIntegerField()
    path = Text()
    created_at = Time()
    files = IntegerField()
    size = BigIntegerField()
    state = Text()
    form = Text()
    incremental = BooleanField()
    scope = Text()
    versions = Text()
    base = Text(null=True)
    volumes = Text()
    seconds = FloatField()
    made_by = Text()

    class Meta:
        """Table settings."""

        table_name = "content_export"
        indexes = ((("organization", "destination", "sequence"), True),)


class AuditRow(Row):
    """The audit log, one entry chained to the next."""

    number = IntegerField(primary_key=True)
    at = Time()
    actor = Text()
    origin = Text()
    action = Text()
    subject = Text()
    organization = Text(null=True)
    details = Text()
    digest = Text()

    class Meta:
        """Table settings."""

        table_name = "audit_entry"
        indexes = (
            (("actor", "number"), False),
            (("action", "number"), False),
            (("organization", "number"), False),
            (("at",), False),
        )
