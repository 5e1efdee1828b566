"""The tables, as the newest migration leaves them. Rows never leave the store: nouns give the words of issbox.model."""

from datetime import UTC, datetime
from typing import Final

import peewee
from peewee import (
    AutoField,
    BigAutoField,
    BigIntegerField,
    BooleanField,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)

from issbox.errors import InvalidValueError
from issbox.store.database import SESSION


class Text(TextField):
    """Text that both databases can keep: no NUL and no bytes that are not UTF-8."""

    def db_value(self, value: object) -> object:
        """Check the text; raises InvalidValueError."""
        if isinstance(value, str):
            check_text(value)
        return value


class Time(TextField):
    """A time, kept as ISO 8601 in UTC with microseconds: the same in both databases, and it sorts by time."""

    def db_value(self, value: object) -> object:
        """Write the time; a time without a zone is refused with InvalidValueError."""
        if not isinstance(value, datetime):
            return value
        return format_stamp(value)

    def python_value(self, value: str | None) -> datetime | None:
        """Read the time."""
        return None if value is None else datetime.fromisoformat(value)


def check_text(value: str) -> None:
    """Raise InvalidValueError for text that a database cannot keep."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidValueError(f"{value!r} cannot be stored: it is not valid UTF-8") from None
    if "\0" in value:
        raise InvalidValueError(f"{value!r} cannot be stored: it has a NUL character")


def format_stamp(time: datetime) -> str:
    """Write an aware time in the form that the tables and the audit chain keep."""
    if time.tzinfo is None:
        raise InvalidValueError(f"the time {time} has no time zone")
    return time.astimezone(UTC).isoformat(timespec="microseconds")


class Row(Model):
    """Base of all tables: they live in the database of the thread's session."""

    class Meta:
        """Shared settings."""

        database = SESSION
        legacy_table_names = False


class BoxRow(Row):
    """This box: at most one row."""

    id = IntegerField(primary_key=True)
    uuid = Text()
    name = Text()
    key_id = Text()
    created_at = Time()

    class Meta:
        """Table settings."""

        table_name = "box"


class TrustedKeyRow(Row):
    """Public keys of boxes whose bundles are accepted."""

    id = AutoField()
    name = Text(unique=True)
    key_id = Text(unique=True)
    public_key = Text()
    added_at = Time()

    class Meta:
        """Table settings."""

        table_name = "trusted_key"


class OrganizationRow(Row):
    """Organizations."""

    id = AutoField()
    label = Text(unique=True)
    name = Text()

    class Meta:
        """Table settings."""

        table_name = "organization"


class EnvironmentRow(Row):
    """Lifecycle environments."""

    id = AutoField()
    organization = ForeignKeyField(OrganizationRow, index=False)
    label = Text()
    name = Text()
    prior = ForeignKeyField("self", null=True)

    class Meta:
        """Table settings."""

        table_name = "lifecycle_environment"
        indexes = ((("organization", "label"), True),)


class CredentialRow(Row):
    """Content credentials."""

    id = AutoField()
    organization = ForeignKeyField(OrganizationRow, index=False)
    label = Text()
    name = Text()
    kind = Text()
    content = Text()

    class Meta:
        """Table settings."""

        table_name = "content_credential"
        indexes = ((("organization", "label"), True),)


class ProductRow(Row):
    """Products."""

    id = AutoField()
    organization = ForeignKeyField(OrganizationRow, index=False)
    label = Text()
    name = Text()
    kind = Text()
    description = Text()
    gpg_key = ForeignKeyField(CredentialRow, null=True)

    class Meta:
        """Table settings."""

        table_name = "product"
        indexes = ((("organization", "label"), True),)


class ContentRow(Row):
    """Content sets; repositories of several releases and arches may share one."""

    id = AutoField()
    organization = ForeignKeyField(OrganizationRow, index=False)
    content_id = Text()
    label = Text()
    name = Text()
    path = Text()
    type = Text()
    arches = Text()
    enabled = BooleanField()

    class Meta:
        """Table settings."""

        table_name = "content"
        indexes = ((("organization", "content_id"), True),)


class RepositoryRow(Row):
    """Repositories. The organization is that of the product, kept here for the unique path."""

    id = AutoField()
    organization = ForeignKeyField(OrganizationRow, index=False)
    product = ForeignKeyField(ProductRow, index=False)
    content = ForeignKeyField(ContentRow)
    label = Text()
    name = Text()
    path = Text()
    variables = Text()
    gpg_key = ForeignKeyField(CredentialRow, null=True)
    url = Text(null=True)
    ca = ForeignKeyField(CredentialRow, null=True)
    client_certificate = ForeignKeyField(CredentialRow, null=True)
    proxy = Text(null=True)
    check_packages = BooleanField()
    imported_box = Text(null=True)
    imported_number = IntegerField(null=True)

    class Meta:
        """Table settings."""

        table_name = "repository"
        indexes = ((("product", "label"), True), (("organization", "path"), True))


class VersionRow(Row):
    """Repository versions."""

    id = AutoField()
    repository = ForeignKeyField(RepositoryRow, index=False)
    number = IntegerField()
    created_at = Time()
    repomd_sha256 = Text()
    packages = IntegerField()
    files = IntegerField()
    size = BigIntegerField()
    origin = Text()
    source = Text()

    class Meta:
        """Table settings."""

        table_name = "repository_version"
        indexes = ((("repository", "number"), True),)


class PromotionRow(Row):
    """Which version of a repository an environment holds, and whether hosts there have it enabled (NULL: default)."""

    id = AutoField()
    environment = ForeignKeyField(EnvironmentRow, index=False)
    repository = ForeignKeyField(RepositoryRow)
    version = ForeignKeyField(VersionRow)
    enabled = BooleanField(null=True)

    class Meta:
        """Table settings."""

        table_name = "promotion"
        indexes = ((("environment", "repository"), True),)


PACKAGE_COLUMNS: Final = ("checksum", "checksum_type", "name", "epoch", "version", "release", "arch")
"""What tells packages apart, in the order of their unique index."""


class PackageRow(Row):
    """Packages as metadata describes them, once for all repositories."""

    id = BigAutoField()
    checksum = Text()
    checksum_type = Text()
    name = Text()
    epoch = BigIntegerField()
    version = Text()
    release = Text()
    arch = Text()

    class Meta:
        """Table settings."""

        table_name = "package"
        indexes = ((PACKAGE_COLUMNS, True),)


class FileRow(Row):
    """Files of repositories: a row is in the versions from added_in up to, but not including, removed_in."""

    id = BigAutoField()
    repository = ForeignKeyField(RepositoryRow, index=False)
    path = Text()
    size = BigIntegerField()
    sha256 = Text(index=True)
    kind = Text()
    package = ForeignKeyField(PackageRow, null=True)
    added_in = IntegerField()
    removed_in = IntegerField(null=True)

    class Meta:
        """Table settings."""

        table_name = "repository_file"
        indexes = ((("repository", "path", "added_in"), True),)


class DraftRow(Row):
    """Versions in the making; `token` names the lock that its process holds."""

    id = AutoField()
    token = Text(unique=True)

    class Meta:
        """Table settings."""

        table_name = "draft"


class DraftFileRow(Row):
    """Files of a draft; the columns of the package are all set or all NULL."""

    draft = ForeignKeyField(DraftRow, index=False)
    path = Text()
    size = BigIntegerField()
    sha256 = Text()
    kind = Text()
    checksum = Text(null=True)
    checksum_type = Text(null=True)
    name = Text(null=True)
    epoch = BigIntegerField(null=True)
    version = Text(null=True)
    release = Text(null=True)
    arch = Text(null=True)

    class Meta:
        """Table settings."""

        table_name = "draft_file"
        primary_key = CompositeKey("draft", "path")


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
    sequence = IntegerField(null=True)
    size = BigIntegerField()
    files = IntegerField()
    error_code = Text(null=True)
    reason = Text()
    allow_older = BooleanField()
    fingerprint = Text()

    class Meta:
        """Table settings."""

        table_name = "content_import"


class ExportRow(Row):
    """Bundles made here."""

    id = AutoField()
    bundle_id = Text(unique=True)
    organization = Text()
    repositories = Text()
    destination = Text()
    sequence = IntegerField()
    path = Text()
    created_at = Time()
    files = IntegerField()
    size = BigIntegerField()
    state = Text()

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


TABLES: Final[tuple[type[peewee.Model], ...]] = (
    BoxRow,
    TrustedKeyRow,
    OrganizationRow,
    EnvironmentRow,
    CredentialRow,
    ProductRow,
    ContentRow,
    RepositoryRow,
    VersionRow,
    PromotionRow,
    PackageRow,
    FileRow,
    DraftRow,
    DraftFileRow,
    ImportRow,
    ExportRow,
    AuditRow,
)
