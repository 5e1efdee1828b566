"""The payload of a version 3 entitlement certificate: JSON, packed with zlib, signed beside the X.509 part."""

import json
import zlib
from collections.abc import Iterable
from typing import Final

from issbox.certs import pem
from issbox.certs.authority import Authority
from issbox.certs.payload_reading import read_payload
from issbox.errors import BadCertificateError
from issbox.model import CertifiedContent, CertifiedProduct, EntitlementPayload, Order, Subscription
from issbox.names import format_time

DATA_LABEL: Final = "ENTITLEMENT DATA"
RSA_SIGNATURE_LABEL: Final = "RSA SIGNATURE"
"""What every reader of the last ten years knows; newer servers write the next one for any kind of key."""
SIGNATURE_LABEL: Final = "SIGNATURE"
MOST_BYTES: Final = 16 << 20
"""Unpacked; a vendor's certificate for a thousand contents has less than one million."""


def signed_payload(payload: EntitlementPayload, authority: Authority) -> str:
    """Give the two PEM parts that follow the certificate: the packed payload and the signature over exactly that."""
    packed = pack(payload)
    label = RSA_SIGNATURE_LABEL if authority.signs_with_rsa else SIGNATURE_LABEL
    return pem.write(DATA_LABEL, packed) + pem.write(label, authority.sign(packed))


def pack(payload: EntitlementPayload) -> bytes:
    """Give the payload as a zlib stream of compact JSON in UTF-8; what is empty is left out."""
    text = json.dumps(payload_document(payload), ensure_ascii=False, separators=(",", ":"))
    return zlib.compress(text.encode(), 9)


def unpack(packed: bytes) -> EntitlementPayload:
    """Read a packed payload, also one of another server.

    Raises BadCertificateError when it is no zlib stream of JSON, grows beyond MOST_BYTES, or lacks what clients need.
    """
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(packed, MOST_BYTES + 1)
    except zlib.error as error:
        raise BadCertificateError(f"the entitlement data cannot be unpacked: {error}") from None
    if len(text) > MOST_BYTES:
        raise BadCertificateError(f"the entitlement data grow beyond {MOST_BYTES} bytes")
    if not inflater.eof:
        raise BadCertificateError("the entitlement data are cut off")
    return read_payload(text)


def payload_document(payload: EntitlementPayload) -> dict[str, object]:
    """Give the payload as the JSON object that clients read."""
    return _present(
        consumer=payload.consumer,
        quantity=payload.quantity,
        subscription=_subscription(payload.subscription),
        order=_order(payload.order),
        products=[_product(each) for each in payload.products],
        pool={"id": payload.pool} if payload.pool else None,
    )


def _present(**fields: object) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


def _several(values: Iterable[str]) -> list[str] | None:
    return list(values) or None


def _subscription(subscription: Subscription) -> dict[str, object]:
    service = _present(level=subscription.service_level or None, type=subscription.service_type or None)
    return _present(
        sku=subscription.sku or None,
        name=subscription.name,
        warning=subscription.warning or None,
        sockets=subscription.sockets,
        ram=subscription.ram,
        cores=subscription.cores,
        management=subscription.management or None,
        stacking_id=subscription.stacking_id or None,
        virt_only=subscription.virt_only or None,
        service=service or None,
        usage=subscription.usage or None,
        roles=_several(subscription.roles),
        addons=_several(subscription.addons),
    )


def _order(order: Order) -> dict[str, object]:
    return _present(
        number=order.number or None,
        quantity=order.quantity,
        start=format_time(order.start) if order.start else None,
        end=format_time(order.end) if order.end else None,
        contract=order.contract or None,
        account=order.account or None,
    )


def _product(product: CertifiedProduct) -> dict[str, object]:
    return _present(
        id=product.id,
        name=product.name,
        version=product.version,
        brand_type=product.brand_type or None,
        brand_name=product.brand_name or None,
        architectures=list(product.architectures),
        content=[_content(each) for each in product.content],
    )


def _content(content: CertifiedContent) -> dict[str, object]:
    return _present(
        id=content.id,
        type=content.type,
        name=content.name,
        label=content.label,
        vendor=content.vendor or None,
        path=content.path,
        gpg_url=content.gpg_url or None,
        enabled=None if content.enabled else False,
        metadata_expire=content.metadata_expire,
        required_tags=_several(content.required_tags),
        arches=_several(content.arches),
    )
