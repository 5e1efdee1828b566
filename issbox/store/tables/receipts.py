"""Tables of receipts that other boxes gave."""

from peewee import AutoField, BigIntegerField, BooleanField, ForeignKeyField

from issbox.store.tables.columns import Row, Text, Time


class ReceiptRow(Row):
    """Receipts as they were read."""

    id = AutoField()
    received_at = Time()
    received_by = Text()
    form = Text()
    verified = BooleanField()
    organization = Text(null=True)
    fingerprint = Text(unique=True)
    content = Text()
    packages = Text(null=True)

    class Meta:
        """Table settings."""

        table_name = "receipt"


class AcknowledgementRow(Row):
    """Which exports of this box a receipt says have arrived. Labels, not references: history outlives organizations."""

    id = AutoField()
    receipt = ForeignKeyField(ReceiptRow)
    organization = Text()
    destination = Text()
    first = BigIntegerField()
    last = BigIntegerField()

    class Meta:
        """Table settings."""

        table_name = "acknowledgement"
        indexes = ((("organization", "destination"), False),)
