"""The JSON documents of a subscription manifest, as far as they are needed; their fields are written as in Java.

Unknown fields are ignored.
"""

from datetime import datetime
from typing import Final

import msgspec

from issbox.errors import InvalidValueError, NotASubscriptionManifestError
from issbox.model import (
    Content,
    Distributor,
    ManifestSubscription,
    OfferedContent,
)
from issbox.names import check_name, is_label, parse_time, path_problem

_NO_VENDOR: Final = "unknown"


class MetaFields(msgspec.Struct, rename="camel"):
    """meta.json."""

    created: str
    version: str | None = None
    principal_name: str | None = None
    cdn_label: str | None = None


class SchemeFields(msgspec.Struct):
    """scheme.json: with what the manifest is signed. Newer servers write it."""

    certificate: str
    name: str | None = None
    signature_algorithm: str | None = None
    key_algorithm: str | None = None


class ConsumerFields(msgspec.Struct, rename="camel"):
    """consumer.json: the distributor."""

    uuid: str
    name: str | None = None
    url_web: str | None = None
    url_api: str | None = None


class IdentityFields(msgspec.Struct, rename="camel"):
    """upstream_consumer/*.json: the certificate that the distributor shows to the portal."""

    cert: str
    key: str


class ContentFields(msgspec.Struct, rename="camel"):
    """A content of a product."""

    id: str | int
    label: str
    name: str | None = None
    type: str | None = None
    vendor: str | None = None
    content_url: str | None = None
    required_tags: str | None = None
    gpg_url: str | None = None
    arches: str | None = None


class ProductContentFields(msgspec.Struct, rename="camel"):
    """A content, and whether hosts have it enabled by default."""

    content: ContentFields
    enabled: bool | None = None


class AttributeFields(msgspec.Struct):
    """An attribute of a product."""

    name: str
    value: str | None = None


class ProductFields(msgspec.Struct, rename="camel"):
    """products/*.json; what a product provides is embedded in it and has a file of its own as well."""

    id: str | int
    name: str | None = None
    attributes: list[AttributeFields] | None = None
    product_content: list[ProductContentFields] | None = None
    provided_products: list["ProductFields"] | None = None
    derived_product: "ProductFields | None" = None


class PoolFields(msgspec.Struct, rename="camel"):
    """Where an entitlement comes from."""

    product_id: str | int | None = None
    product_name: str | None = None
    contract_number: str | int | None = None
    account_number: str | int | None = None


class EntitlementFields(msgspec.Struct, rename="camel"):
    """entitlements/*.json; certificates and keys in it are those of the entitlement certificates."""

    quantity: int | None = None
    start_date: str | None = None
    end_date: str | None = None
    pool: PoolFields | None = None


class CdnFields(msgspec.Struct):
    """content_delivery_network/*.json: where the content is, when it is not at Red Hat's."""

    url: str | None = None


META: Final = msgspec.json.Decoder(MetaFields)
SCHEME: Final = msgspec.json.Decoder(SchemeFields)
CONSUMER: Final = msgspec.json.Decoder(ConsumerFields)
CDN: Final = msgspec.json.Decoder(CdnFields)
IDENTITY: Final = msgspec.json.Decoder(IdentityFields)
PRODUCT: Final = msgspec.json.Decoder(ProductFields)
ENTITLEMENT: Final = msgspec.json.Decoder(EntitlementFields)


def distributor(fields: ConsumerFields, where: str) -> Distributor:
    """Make the word of what consumer.json says; raises NotASubscriptionManifestError."""
    if not is_label(fields.uuid):
        raise NotASubscriptionManifestError(f"{where}: $.uuid: {fields.uuid[:100]!r} cannot be the name of a consumer")
    name = _name(fields.name or fields.uuid, f"{where}: $.name")
    return Distributor(fields.uuid, name, fields.url_api or "", fields.url_web or "")


def subscription(fields: EntitlementFields, where: str) -> ManifestSubscription:
    """Make the word of an entitlement; raises NotASubscriptionManifestError for what are no dates."""
    pool = fields.pool or PoolFields()
    return ManifestSubscription(
        sku=_text(pool.product_id),
        name=pool.product_name or "",
        quantity=fields.quantity or 0,
        start=None if fields.start_date is None else time(fields.start_date, f"{where}: $.startDate"),
        end=None if fields.end_date is None else time(fields.end_date, f"{where}: $.endDate"),
        contract=_text(pool.contract_number),
        account=_text(pool.account_number),
    )


def arches_of(fields: ProductFields) -> tuple[str, ...]:
    """Give the architectures of a product, for contents that name none."""
    return _listed(",".join(each.value or "" for each in fields.attributes or () if each.name == "arch"))


def offered(fields: ProductContentFields, arches_of_product: tuple[str, ...]) -> OfferedContent | None:
    """Make the word of a content; None when no client could use it: without an address below a server, or a name."""
    content = fields.content
    path = content.content_url or ""
    path = path if path.startswith("/") else f"/{path}"
    identity, kind = _text(content.id), content.type or "yum"
    tags, arches = _listed(content.required_tags), _listed(content.arches) or arches_of_product
    names = (content.label, content.name or content.label, *tags)
    if not all(map(is_label, (identity, kind, *arches))) or not all(map(_is_name, names)):
        return None
    if "://" in path or path_problem(path[1:].removesuffix("/")) is not None:
        return None
    vendor, gpg_url = content.vendor or "", content.gpg_url or ""
    return OfferedContent(
        Content(
            id=identity,
            label=content.label,
            name=content.name or content.label,
            path=path.removesuffix("/"),
            type=kind,
            arches=arches,
            enabled=bool(fields.enabled),
            required_tags=tags,
        ),
        vendor=vendor if _is_name(vendor) else _NO_VENDOR,
        gpg_url=gpg_url if "://" in gpg_url and _is_name(gpg_url) else "",
    )


def number(value: str | int, where: str) -> str:
    """Give the number of a product as text; raises NotASubscriptionManifestError when it is nothing usable."""
    text = _text(value)
    if not is_label(text):
        raise NotASubscriptionManifestError(f"{where}: {text[:100]!r} cannot be the id of a product")
    return text


def product_name(fields: ProductFields, where: str) -> str:
    """Give the name of a product; raises NotASubscriptionManifestError when it is nothing usable."""
    return _name(fields.name or _text(fields.id), where)


def time(text: str, where: str) -> datetime:
    """Read a time such as 2026-11-21T16:01:05.324+0000, to the second; raises NotASubscriptionManifestError."""
    try:
        return parse_time(text).replace(microsecond=0)
    except (InvalidValueError, OverflowError):
        raise NotASubscriptionManifestError(f"{where}: {text[:60]!r} is not a time") from None


def _text(value: str | int | None) -> str:
    return "" if value is None else str(value)


def _name(text: str, where: str) -> str:
    try:
        return check_name(text.strip())
    except InvalidValueError:
        raise NotASubscriptionManifestError(f"{where}: {text[:100]!r} cannot be a name") from None


def _is_name(text: str) -> bool:
    try:
        check_name(text)
    except InvalidValueError:
        return False
    return True


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(sorted({word for each in (text or "").split(",") if (word := each.strip())}))
