"""Tables of what keeps a box healthy: signed heads of the audit log, checks of stored files, events that were told."""

from peewee import BooleanField, IntegerField

from issbox.store.tables.columns import Row, Text, Time


class AuditHeadRow(Row):
    """Heads of the audit log that the box has signed."""

    number = IntegerField(primary_key=True)
    digest = Text()
    signed_at = Time()
    key_id = Text()
    signature = Text()

    class Meta:
        """Table settings."""

        table_name = "audit_head"


class BlobCheckRow(Row):
    """When each stored file was hashed last, and whether it was what its name says."""

    sha256 = Text(primary_key=True)
    checked_at = Time(index=True)
    sound = BooleanField(index=True)

    class Meta:
        """Table settings."""

        table_name = "blob_check"


class NoticeRow(Row):
    """Events that hooks were told of, so that each is told once."""

    subject = Text(primary_key=True)
    told_at = Time()

    class Meta:
        """Table settings."""

        table_name = "notice"
