"""Tables of certificates: what was issued, what they have in common, revocation lists, and jobs that issue anew."""

from peewee import AutoField, BigIntegerField, BlobField, BooleanField, ForeignKeyField, IntegerField

from issbox.store.tables.columns import Row, Text, Time


class CertificateBodyRow(Row):
    """What certificates with the same content have in common, kept once: extensions in DER, and the parts after them.

    `digest` is of all that it was made of, the authority's key among it.
    """

    id = AutoField()
    digest = Text(unique=True)
    extensions = BlobField()
    appendix = Text()

    class Meta:
        """Table settings."""

        table_name = "certificate_body"


class CertificateRow(Row):
    """Certificates issued here. Rows stay for ever, so that no serial is used twice; `pem` is the X.509 part.

    Consumers and entitlements by their public names: certificates outlive them.
    """

    serial = BigIntegerField(primary_key=True)
    kind = Text()
    consumer = Text(index=True)
    entitlement = Text(null=True)
    pem = Text()
    body = ForeignKeyField(CertificateBodyRow, null=True)
    digest = Text()
    valid_from = Time()
    valid_until = Time()
    revoked_at = Time(null=True)

    class Meta:
        """Table settings."""

        table_name = "certificate"
        indexes = ((("revoked_at", "valid_until", "serial"), False),)


class RevocationListRow(Row):
    """Revocation lists that were signed; the id is the number of the list."""

    id = AutoField()
    issued_at = Time()
    next_update = Time()

    class Meta:
        """Table settings."""

        table_name = "revocation_list"


class RegenerationRow(Row):
    """Jobs that issue certificates anew; `position` is the row id of the entitlement looked at last."""

    id = AutoField()
    organization = Text()
    consumer = Text(null=True)
    environment = Text(null=True)
    product = Text(null=True)
    unchanged = BooleanField()
    state = Text()
    total = IntegerField()
    done = IntegerField()
    kept = IntegerField()
    failed = IntegerField()
    position = BigIntegerField()
    created_at = Time()
    last_error = Text()

    class Meta:
        """Table settings."""

        table_name = "regeneration"
