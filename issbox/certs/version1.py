"""Version 1: products, contents and order as one extension for each field, both ways."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from issbox.certs import oids
from issbox.errors import BadCertificateError, InvalidValueError
from issbox.model import CertifiedContent, CertifiedProduct, EntitlementPayload, Order, Subscription
from issbox.names import format_time, parse_time

_CONTENT_FIELD = re.compile(r"(?P<id>\d+)\.(?P<type>[123])(?:\.(?P<field>\d+))?")
_PRODUCT_FIELD = re.compile(r"(?P<id>\d+)\.(?P<field>[1-6])")
_WORD_OF: Final = {number: word for word, number in oids.CONTENT_TYPES.items()}

Fields = dict[str, str]


def version1_values(payload: EntitlementPayload) -> Iterator[tuple[str, str]]:
    """Give OID and text of every extension; contents of types that version 1 does not know are left out."""
    for product in payload.products:
        arc = f"{oids.PRODUCT}.{oids.arc_of(product.id, f'the product {product.name}')}"
        yield f"{arc}.1", product.name
        yield f"{arc}.2", product.version
        yield f"{arc}.3", ",".join(product.architectures)
        if product.brand_type:
            yield f"{arc}.5", product.brand_type
    for content in payload.content:
        if content.type in oids.CONTENT_TYPES:
            yield from _content_values(content)
    yield from ((f"{oids.ORDER}.{field}", text) for field, text in _order_values(payload))
    if payload.consumer:
        yield oids.CONSUMER, payload.consumer


def _content_values(content: CertifiedContent) -> Iterator[tuple[str, str]]:
    number = oids.arc_of(content.id, f"the content {content.label}")
    arc = f"{oids.CONTENT}.{number}.{oids.CONTENT_TYPES[content.type]}"
    yield arc, content.type
    yield f"{arc}.1", content.name
    yield f"{arc}.2", content.label
    yield f"{arc}.5", content.vendor
    yield f"{arc}.6", content.path
    yield f"{arc}.7", content.gpg_url
    yield f"{arc}.8", "1" if content.enabled else "0"
    if content.metadata_expire is not None:
        yield f"{arc}.9", str(content.metadata_expire)
    if content.required_tags:
        yield f"{arc}.10", ",".join(content.required_tags)


def _order_values(payload: EntitlementPayload) -> Iterator[tuple[str, str]]:
    subscription, order = payload.subscription, payload.order
    fields = {
        "1": subscription.name,
        "2": order.number,
        "3": subscription.sku,
        "5": "" if order.quantity is None else str(order.quantity),
        "6": format_time(order.start) if order.start else "",
        "7": format_time(order.end) if order.end else "",
        "9": "" if subscription.sockets is None else str(subscription.sockets),
        "10": order.contract,
        "11": "" if payload.quantity is None else str(payload.quantity),
        "12": str(subscription.warning),
        "13": order.account,
        "14": "1" if subscription.management else "0",
        "15": subscription.service_level,
        "16": subscription.service_type,
        "17": subscription.stacking_id,
    }
    if subscription.virt_only:
        fields["18"] = "1"
    yield from fields.items()


def read_version1(texts: Mapping[str, str]) -> EntitlementPayload:
    """Read OIDs and texts, those of other servers too; BadCertificateError names what cannot be read."""
    products: dict[str, Fields] = {}
    contents: dict[tuple[str, str], Fields] = {}
    order: Fields = {}
    for oid, text in texts.items():
        if oid.startswith(f"{oids.PRODUCT}."):
            match = _PRODUCT_FIELD.fullmatch(oid.removeprefix(f"{oids.PRODUCT}."))
            if match:
                products.setdefault(match["id"], {})[match["field"]] = text
        elif oid.startswith(f"{oids.CONTENT}."):
            match = _CONTENT_FIELD.fullmatch(oid.removeprefix(f"{oids.CONTENT}."))
            if match:
                contents.setdefault((match["id"], match["type"]), {})[match["field"] or "0"] = text
        elif oid.startswith(f"{oids.ORDER}."):
            order[oid.removeprefix(f"{oids.ORDER}.")] = text
    listed = tuple(_content(number, kind, fields) for (number, kind), fields in contents.items())
    found = [_product(number, fields) for number, fields in products.items()]
    return EntitlementPayload(
        _subscription(order),
        _order(order),
        _with_contents(found, listed),
        texts.get(oids.CONSUMER),
        _number(order, "11"),
    )


def _with_contents(
    products: list[CertifiedProduct], contents: tuple[CertifiedContent, ...]
) -> tuple[CertifiedProduct, ...]:
    """Give the products, the first one with all contents, since version 1 does not say which is whose."""
    if not contents:
        return tuple(products)
    first, *others = products or [CertifiedProduct("", "")]
    return (replace(first, content=contents), *others)


def _product(number: str, fields: Fields) -> CertifiedProduct:
    return CertifiedProduct(
        number,
        fields.get("1", ""),
        fields.get("2", ""),
        _several(fields, "3"),
        fields.get("5", ""),
        fields.get("6", ""),
    )


def _content(number: str, kind: str, fields: Fields) -> CertifiedContent:
    return CertifiedContent(
        id=number,
        label=fields.get("2", ""),
        name=fields.get("1", ""),
        path=fields.get("6", ""),
        type=_WORD_OF[kind],
        vendor=fields.get("5", ""),
        gpg_url=fields.get("7", ""),
        enabled=fields.get("8", "1") == "1",
        metadata_expire=_number(fields, "9"),
        required_tags=_several(fields, "10"),
    )


def _subscription(order: Fields) -> Subscription:
    return Subscription(
        name=order.get("1", ""),
        sku=order.get("3", ""),
        warning=_number(order, "12") or 0,
        sockets=_number(order, "9"),
        management=order.get("14") == "1",
        stacking_id=order.get("17", ""),
        virt_only=order.get("18") == "1",
        service_level=order.get("15", ""),
        service_type=order.get("16", ""),
    )


def _order(order: Fields) -> Order:
    return Order(
        number=order.get("2", ""),
        quantity=_number(order, "5"),
        start=_time(order, "6"),
        end=_time(order, "7"),
        contract=order.get("10", ""),
        account=order.get("13", ""),
    )


def _several(fields: Fields, field: str) -> tuple[str, ...]:
    return tuple(each for each in fields.get(field, "").split(",") if each)


def _number(fields: Fields, field: str) -> int | None:
    text = fields.get(field, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise BadCertificateError(f"the certificate has {text[:40]!r} where a number has to be")
    return int(text)


def _time(fields: Fields, field: str) -> datetime | None:
    text = fields.get(field, "")
    try:
        return parse_time(text) if text else None
    except (InvalidValueError, OverflowError):
        raise BadCertificateError(f"the certificate has {text[:40]!r} where a time has to be") from None
