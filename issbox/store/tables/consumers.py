"""Tables of hosts: who they are, what they are entitled to, and the keys that they register with."""

from peewee import AutoField, BigIntegerField, BooleanField, CompositeKey, ForeignKeyField, IntegerField

from issbox.store.tables.catalog import EnvironmentRow, OrganizationRow, ProductRow
from issbox.store.tables.columns import Row, Text, Time


class ProfileRow(Row):
    """What hosts have in common that decides what their certificates say; `key` is all of it in one text.

    Few, however many hosts there are: what a change makes stale is decided by profile and marked in one statement.
    """

    id = AutoField()
    organization = ForeignKeyField(OrganizationRow, index=False)
    arches = Text()
    version = IntegerField()
    orphaned = BooleanField()
    key = Text()

    class Meta:
        """Table settings."""

        table_name = "host_profile"
        indexes = ((("organization", "key"), True),)


class ProfileEnvironmentRow(Row):
    """The environments of a profile; priority 0 is the most important."""

    profile = ForeignKeyField(ProfileRow, index=False)
    priority = IntegerField()
    environment = ForeignKeyField(EnvironmentRow)

    class Meta:
        """Table settings."""

        table_name = "host_profile_environment"
        primary_key = CompositeKey("profile", "priority")


class ConsumerRow(Row):
    """Registered hosts. Private keys lie in files; facts, purpose and installed products are JSON."""

    id = AutoField()
    organization = ForeignKeyField(OrganizationRow, index=False)
    uuid = Text(unique=True)
    name = Text()
    type = Text()
    facts = Text()
    profile = ForeignKeyField(ProfileRow)
    created_at = Time()
    seen_at = Time(null=True)
    public_key = Text()
    activation_key = Text(null=True)
    release = Text(default="")
    purpose = Text(default="{}")
    installed = Text(default="[]")
    updated_at = Time(null=True)

    class Meta:
        """Table settings."""

        table_name = "consumer"
        indexes = ((("organization", "name", "uuid"), False), (("organization", "seen_at", "uuid"), False))


class DeletedConsumerRow(Row):
    """Hosts that are no more, so that they can be told so."""

    uuid = Text(primary_key=True)
    organization = Text()
    deleted_at = Time()

    class Meta:
        """Table settings."""

        table_name = "deleted_consumer"


class EntitlementRow(Row):
    """Rights of hosts to a product, or to all of them (NULL); `serial` is that of the certificate issued last.

    `listing` is the digest of the contents that were told last apart from an organization-wide certificate.
    """

    id = AutoField()
    uid = Text(unique=True)
    consumer = ForeignKeyField(ConsumerRow, index=False)
    product = ForeignKeyField(ProductRow, null=True)
    stale = BooleanField()
    serial = BigIntegerField(null=True)
    listing = Text(null=True)
    listed_at = Time(null=True)

    class Meta:
        """Table settings."""

        table_name = "entitlement"
        indexes = ((("consumer", "product"), True),)


class ConsumerOverrideRow(Row):
    """Content overrides of hosts."""

    id = AutoField()
    consumer = ForeignKeyField(ConsumerRow, index=False)
    label = Text()
    name = Text()
    value = Text()

    class Meta:
        """Table settings."""

        table_name = "consumer_override"
        indexes = ((("consumer", "label", "name"), True),)


class EnvironmentOverrideRow(Row):
    """Content overrides of environments, for all hosts in them."""

    id = AutoField()
    environment = ForeignKeyField(EnvironmentRow, index=False)
    label = Text()
    name = Text()
    value = Text()

    class Meta:
        """Table settings."""

        table_name = "environment_override"
        indexes = ((("environment", "label", "name"), True),)


class ActivationKeyRow(Row):
    """Activation keys."""

    id = AutoField()
    organization = ForeignKeyField(OrganizationRow, index=False)
    label = Text()
    description = Text()
    max_hosts = IntegerField(null=True)
    created_at = Time(null=True)

    class Meta:
        """Table settings."""

        table_name = "activation_key"
        indexes = ((("organization", "label"), True),)


class ActivationKeyOverrideRow(Row):
    """Content overrides that hosts get when they register with an activation key."""

    id = AutoField()
    activation_key = ForeignKeyField(ActivationKeyRow, index=False)
    label = Text()
    name = Text()
    value = Text()

    class Meta:
        """Table settings."""

        table_name = "activation_key_override"
        indexes = ((("activation_key", "label", "name"), True),)


class ActivationKeyEnvironmentRow(Row):
    """Environments that hosts with an activation key are put into; priority 0 is the most important."""

    activation_key = ForeignKeyField(ActivationKeyRow, index=False)
    priority = IntegerField()
    environment = ForeignKeyField(EnvironmentRow)

    class Meta:
        """Table settings."""

        table_name = "activation_key_environment"
        primary_key = CompositeKey("activation_key", "priority")


class ActivationKeyProductRow(Row):
    """Products that hosts with an activation key are entitled to; none means all of them."""

    activation_key = ForeignKeyField(ActivationKeyRow, index=False)
    product = ForeignKeyField(ProductRow)

    class Meta:
        """Table settings."""

        table_name = "activation_key_product"
        primary_key = CompositeKey("activation_key", "product")
