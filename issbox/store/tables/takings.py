"""Table of what other boxes took."""

from peewee import AutoField, BigIntegerField, ForeignKeyField

from issbox.store.tables.catalog import OrganizationRow
from issbox.store.tables.columns import Row, Text, Time


class TakingRow(Row):
    """What was taken from an environment with a certificate. Environments and hosts by name: they may be no more."""

    id = AutoField()
    organization = ForeignKeyField(OrganizationRow, index=False)
    environment = Text()
    fingerprint = Text()
    subject = Text()
    issuer = Text()
    serial = Text()
    first_at = Time()
    last_at = Time()
    requests = BigIntegerField()
    size = BigIntegerField()
    consumer = Text(null=True)

    class Meta:
        """Table settings."""

        table_name = "taking"
        indexes = ((("organization", "environment", "fingerprint"), True), (("organization", "last_at"), False))
