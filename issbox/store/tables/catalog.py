"""Tables of the box, and of what it keeps: organizations, products, contents, repositories."""

from peewee import AutoField, BigIntegerField, BooleanField, ForeignKeyField, IntegerField

from issbox.store.tables.columns import Row, Text, Time


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
    content_prefix = Text()
    access = Text()
    hands_over_environments = BooleanField()

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
    description = Text()
    serves_as_cdn = BooleanField()
    uid = Text(unique=True)
    type = Text()
    content_prefix = Text()
    created_at = Time(null=True)
    updated_at = Time(null=True)

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


class ClientAuthorityRow(Row):
    """Content credentials whose authorities sign certificates of hosts, which the organization's content is open to."""

    id = AutoField()
    organization = ForeignKeyField(OrganizationRow, index=False)
    credential = ForeignKeyField(CredentialRow)

    class Meta:
        """Table settings."""

        table_name = "client_authority"
        indexes = ((("organization", "credential"), True),)


class ProductRow(Row):
    """Products."""

    id = AutoField()
    organization = ForeignKeyField(OrganizationRow, index=False)
    label = Text()
    name = Text()
    kind = Text()
    description = Text()
    gpg_key = ForeignKeyField(CredentialRow, null=True)
    number = Text()

    class Meta:
        """Table settings."""

        table_name = "product"
        indexes = ((("organization", "label"), True),)


class ContentRow(Row):
    """Content sets; repositories of several releases and arches may share one.

    A manifest that no longer has one leaves it here, `withdrawn`, as long as its repositories are there.
    """

    id = AutoField()
    organization = ForeignKeyField(OrganizationRow, index=False)
    content_id = Text()
    label = Text()
    name = Text()
    path = Text()
    type = Text()
    arches = Text()
    enabled = BooleanField()
    required_tags = Text()
    withdrawn = BooleanField()
    vendor = Text()
    gpg_url = Text()

    class Meta:
        """Table settings."""

        table_name = "content"
        indexes = ((("organization", "content_id"), True),)


class RepositoryRow(Row):
    """Repositories. The organization is that of the product, kept here for the unique path.

    `view` is empty, or the label of the content view whose filters made it of the repository with an empty one.
    """

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
    check_metadata = BooleanField()
    check_packages = BooleanField()
    imported_box = Text(null=True)
    imported_number = BigIntegerField(null=True)
    imported_lineage = Text()
    checked_with = Text(null=True)
    view = Text()
    unprotected = BooleanField()

    class Meta:
        """Table settings."""

        table_name = "repository"
        indexes = ((("product", "label", "view"), True), (("organization", "path", "view"), True))
