"""Tables of what repositories hold: versions, files, packages, and drafts of versions."""

from typing import Final

from peewee import AutoField, BigAutoField, BigIntegerField, CompositeKey, ForeignKeyField, IntegerField

from issbox.store.tables.catalog import RepositoryRow
from issbox.store.tables.columns import Row, Text, Time


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
