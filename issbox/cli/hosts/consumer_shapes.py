"""What is shown of hosts, their entitlements, certificates, overrides and activation keys."""

from typing import TYPE_CHECKING

from issbox.cli.shapes import Field, Shape
from issbox.model import ActivationKey, Consumer, ContentOverride, Entitlement, Regeneration

if TYPE_CHECKING:
    from pathlib import Path

    from issbox.rules.environments.promoted_states import ContentStatus
    from issbox.workflows.certificates.certificates import HostCertificate

CONSUMER = Shape[Consumer](
    "host",
    (
        Field("uuid", "what certificates and programs call it by", lambda each: each.uuid, column=True),
        Field("name", "name for people", lambda each: each.name, column=True),
        Field("organization", "label of its organization", lambda each: each.organization),
        Field("type", "`system`, `hypervisor` and the like", lambda each: each.type),
        Field(
            "environments",
            "array of labels of its lifecycle environments, the most important first",
            lambda each: each.environments,
            column=True,
        ),
        Field(
            "orphaned",
            "true when its last environment was deleted, so that it gets nothing until it is moved",
            lambda each: each.profile.orphaned,
        ),
        Field("arches", "array of the architectures it runs", lambda each: each.profile.arches),
        Field("certificate_version", "1 or 3", lambda each: each.profile.version),
        Field("release", "release that it is set to, or empty", lambda each: each.release),
        Field("activation_key", "label of the key it came by, or null", lambda each: each.activation_key),
        Field("created_at", "when it registered", lambda each: each.created_at),
        Field("seen_at", "when it asked for something last, or null", lambda each: each.seen_at, column=True),
        Field("facts", "object: what it says of itself", lambda each: each.facts),
    ),
)

ENTITLEMENT = Shape[Entitlement](
    "entitlement",
    (
        Field("id", "its id, the common name of its certificates", lambda each: each.id, column=True),
        Field("consumer", "UUID of the host", lambda each: each.consumer),
        Field("product", "label of the product, or null for all products", lambda each: each.product, column=True),
        Field("stale", "whether its certificate is to be replaced", lambda each: each.stale, column=True),
        Field(
            "serial",
            "serial number of its certificate as text, or null before the first one",
            lambda each: None if each.serial is None else str(each.serial),
            column=True,
        ),
    ),
)

CERTIFICATE: "Shape[HostCertificate]" = Shape(
    "entitlement certificate",
    (
        Field("serial", "serial number, as text", lambda each: str(each.certificate.serial), column=True),
        Field("consumer", "UUID of the host", lambda each: each.certificate.consumer),
        Field("entitlement", "id of the entitlement", lambda each: each.entitlement.id, column=True),
        Field("product", "label of the product, or null for all", lambda each: each.entitlement.product, column=True),
        Field("stale", "whether it is to be replaced", lambda each: each.entitlement.stale, column=True),
        Field("valid_from", "since when", lambda each: each.certificate.valid.not_before),
        Field("valid_until", "until when", lambda each: each.certificate.valid.not_after, column=True),
        Field("pem", "all its parts", lambda each: each.certificate.pem),
    ),
)

REGENERATION = Shape[Regeneration](
    "regeneration",
    (
        Field("id", "its number", lambda each: each.id, column=True),
        Field("about", "whose certificates", lambda each: str(each.scope), column=True),
        Field("state", "`waiting`, `running`, `paused`, `cancelled` or `done`", lambda each: each.state, column=True),
        Field("total", "certificates to look at", lambda each: each.total, column=True),
        Field("done", "looked at so far", lambda each: each.done, column=True),
        Field("kept", "of them, those that say the same and stay", lambda each: each.kept, column=True),
        Field("failed", "of them, those that could not be issued", lambda each: each.failed, column=True),
        Field("last_error", "why the last of those could not", lambda each: each.last_error),
    ),
)

OVERRIDE = Shape[ContentOverride](
    "content override",
    (
        Field("label", "label of the content", lambda each: each.label, column=True),
        Field("name", "key of the repository file", lambda each: each.name, column=True),
        Field("value", "value that hosts use", lambda each: each.value, column=True),
    ),
)

ACTIVATION_KEY = Shape[ActivationKey](
    "activation key",
    (
        Field("organization", "label of its organization", lambda each: each.organization),
        Field("label", "what hosts give", lambda each: each.label, column=True),
        Field("description", "free text", lambda each: each.description, column=True),
        Field(
            "environments",
            "array of labels of environments that hosts go into, the most important first",
            lambda each: each.environments,
            column=True,
        ),
        Field("products", "array of labels; empty means all", lambda each: each.products, column=True),
        Field("max_hosts", "how many hosts it may let in, or null", lambda each: each.max_hosts, column=True),
    ),
)

CONTENT_STATUS: "Shape[ContentStatus]" = Shape(
    "content status",
    (
        Field("environment", "label of the environment", lambda each: each.environment),
        Field("id", "content id", lambda each: each.id),
        Field("label", "label of the content", lambda each: each.label, column=True),
        Field("products", "array of labels of its products", lambda each: each.products, column=True),
        Field("enabled", "whether hosts have it enabled", lambda each: each.enabled, column=True),
        Field("override", "what the promotion says about that, or null", lambda each: each.override),
        Field(
            "states",
            "array of `changed`, `available`, `partly-promoted`, `dangling`, `unusable`; empty when all is well",
            lambda each: [state.value for state in each.states],
            column=True,
        ),
        Field("changed", "array of properties that differ from now", lambda each: each.changed),
        Field("missing", "array of paths that hosts may ask for in vain", lambda each: each.missing),
    ),
)

SETUP_SCRIPT: "Shape[str]" = Shape("setup script", (Field("script", "the whole script", str),))

CLIENT_PACKAGE: "Shape[Path]" = Shape("client package", (Field("path", "file that was written", lambda each: each),))
