"""The first schema."""

from peewee import (
    AutoField,
    BigAutoField,
    BigIntegerField,
    BooleanField,
    CompositeKey,
    Database,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)
from playhouse.migrate import SchemaMigrator


def up(_migrator: SchemaMigrator, db: Database) -> None:
    """Make the tables of the first release."""

    class BoxRow(Model):
        id = IntegerField(primary_key=True)
        uuid = TextField()
        name = TextField()
        key_id = TextField()
        created_at = TextField()

        class Meta:
            database = db
            table_name = "box"

    class TrustedKeyRow(Model):
        id = AutoField()
        name = TextField(unique=True)
        key_id = TextField(unique=True)
        public_key = TextField()
        added_at = TextField()

        class Meta:
            database = db
            table_name = "trusted_key"

    class OrganizationRow(Model):
        id = AutoField()
        label = TextField(unique=True)
        name = TextField()

        class Meta:
            database = db
            table_name = "organization"

    class EnvironmentRow(Model):
        id = AutoField()
        organization = ForeignKeyField(OrganizationRow, index=False)
        label = TextField()
        name = TextField()
        prior = ForeignKeyField("self", null=True)

        class Meta:
            database = db
            table_name = "lifecycle_environment"
            indexes = ((("organization", "label"), True),)

    class CredentialRow(Model):
        id = AutoField()
        organization = ForeignKeyField(OrganizationRow, index=False)
        label = TextField()
        name = TextField()
        kind = TextField()
        content = TextField()

        class Meta:
            database = db
            table_name = "content_credential"
            indexes = ((("organization", "label"), True),)

    class ProductRow(Model):
        id = AutoField()
        organization = ForeignKeyField(OrganizationRow, index=False)
        label = TextField()
        name = TextField()
        kind = TextField()
        description = TextField()
        gpg_key = ForeignKeyField(CredentialRow, null=True)

        class Meta:
            database = db
            table_name = "product"
            indexes = ((("organization", "label"), True),)

    class ContentRow(Model):
        id = AutoField()
        organization = ForeignKeyField(OrganizationRow, index=False)
        content_id = TextField()
        label = TextField()
        name = TextField()
        path = TextField()
        type = TextField()
        arches = TextField()
        enabled = BooleanField()

        class Meta:
            database = db
            table_name = "content"
            indexes = ((("organization", "content_id"), True),)

    class RepositoryRow(Model):
        id = AutoField()
        organization = ForeignKeyField(OrganizationRow, index=False)
        product = ForeignKeyField(ProductRow, index=False)
        content = ForeignKeyField(ContentRow)
        label = TextField()
        name = TextField()
        path = TextField()
        variables = TextField()
        gpg_key = ForeignKeyField(CredentialRow, null=True)
        url = TextField(null=True)
        ca = ForeignKeyField(CredentialRow, null=True)
        client_certificate = ForeignKeyField(CredentialRow, null=True)
        proxy = TextField(null=True)
        check_metadata = BooleanField()
        check_packages = BooleanField()
        imported_box = TextField(null=True)
        imported_number = BigIntegerField(null=True)

        class Meta:
            database = db
            table_name = "repository"
            indexes = ((("product", "label"), True), (("organization", "path"), True))

    class VersionRow(Model):
        id = AutoField()
        repository = ForeignKeyField(RepositoryRow, index=False)
        number = IntegerField()
        created_at = TextField()
        repomd_sha256 = TextField()
        packages = IntegerField()
        files = IntegerField()
        size = BigIntegerField()
        origin = TextField()
        source = TextField()

        class Meta:
            database = db
            table_name = "repository_version"
            indexes = ((("repository", "number"), True),)

    class PromotionRow(Model):
        id = AutoField()
        environment = ForeignKeyField(EnvironmentRow, index=False)
        repository = ForeignKeyField(RepositoryRow)
        version = ForeignKeyField(VersionRow)
        enabled = BooleanField(null=True)

        class Meta:
            database = db
            table_name = "promotion"
            indexes = ((("environment", "repository"), True),)

    class PackageRow(Model):
        id = BigAutoField()
        checksum = TextField()
        checksum_type = TextField()
        name = TextField()
        epoch = BigIntegerField()
        version = TextField()
        release = TextField()
        arch = TextField()

        class Meta:
            database = db
            table_name = "package"
            indexes = ((("checksum", "checksum_type", "name", "epoch", "version", "release", "arch"), True),)

    class FileRow(Model):
        id = BigAutoField()
        repository = ForeignKeyField(RepositoryRow, index=False)
        path = TextField()
        size = BigIntegerField()
        sha256 = TextField(index=True)
        kind = TextField()
        package = ForeignKeyField(PackageRow, null=True)
        added_in = IntegerField()
        removed_in = IntegerField(null=True)

        class Meta:
            database = db
            table_name = "repository_file"
            indexes = ((("repository", "path", "added_in"), True),)

    class DraftRow(Model):
        id = AutoField()
        token = TextField(unique=True)

        class Meta:
            database = db
            table_name = "draft"

    class DraftFileRow(Model):
        draft = ForeignKeyField(DraftRow, index=False)
        path = TextField()
        size = BigIntegerField()
        sha256 = TextField()
        kind = TextField()
        checksum = TextField(null=True)
        checksum_type = TextField(null=True)
        name = TextField(null=True)
        epoch = BigIntegerField(null=True)
        version = TextField(null=True)
        release = TextField(null=True)
        arch = TextField(null=True)

        class Meta:
            database = db
            table_name = "draft_file"
            primary_key = CompositeKey("draft", "path")

    class ImportRow(Model):
        id = AutoField()
        path = TextField()
        state = TextField()
        first_seen = TextField()
        updated_at = TextField()
        inbox = BooleanField()
        organization = TextField(null=True)
        bundle_id = TextField(null=True, index=True)
        source_box = TextField(null=True)
        key_id = TextField(null=True)
        destination = TextField(null=True)
        sequence = BigIntegerField(null=True)
        size = BigIntegerField()
        files = IntegerField()
        error_code = TextField(null=True)
        reason = TextField()
        allow_older = BooleanField()
        fingerprint = TextField()

        class Meta:
            database = db
            table_name = "content_import"

    class ExportRow(Model):
        id = AutoField()
        bundle_id = TextField(unique=True)
        organization = TextField()
        repositories = TextField()
        destination = TextField()
        sequence = BigIntegerField()
        path = TextField()
        created_at = TextField()
        files = IntegerField()
        size = BigIntegerField()
        state = TextField()

        class Meta:
            database = db
            table_name = "content_export"
            indexes = ((("organization", "destination", "sequence"), True),)

    class AuditRow(Model):
        number = IntegerField(primary_key=True)
        at = TextField()
        actor = TextField()
        origin = TextField()
        action = TextField()
        subject = TextField()
        organization = TextField(null=True)
        details = TextField()
        digest = TextField()

        class Meta:
            database = db
            table_name = "audit_entry"

    db.create_tables(
        [
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
        ]
    )
