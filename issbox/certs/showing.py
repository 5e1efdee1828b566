"""A decoded certificate for people and for programs."""

from collections.abc import Iterator

from issbox.certs.decode import DecodedCertificate
from issbox.certs.payload import payload_document
from issbox.model import CertifiedContent, CertifiedProduct, EntitlementPayload
from issbox.names import format_time
from issbox.screen_text import printable

_WIDTH = 18
"""Columns of a field's name."""


def to_document(certificate: DecodedCertificate) -> dict[str, object]:
    """Give everything as values of JSON; `serial` is a whole number, `serial_text` the same for readers without them.

    Raises BadCertificateError when the certificate grants more paths than are written out.
    """
    return {
        "kind": certificate.kind.value,
        "version": certificate.version,
        "type": certificate.type.value if certificate.type else None,
        "serial": certificate.serial,
        "serial_text": str(certificate.serial),
        "subject": certificate.subject,
        "organization": certificate.organization,
        "common_name": certificate.common_name,
        "system_name": certificate.system_name,
        "issuer": certificate.issuer,
        "not_before": format_time(certificate.valid.not_before),
        "not_after": format_time(certificate.valid.not_after),
        "key": certificate.key,
        "sha256": certificate.fingerprint,
        "namespace": certificate.namespace,
        "paths": list(certificate.paths),
        "payload": payload_document(certificate.payload) if certificate.payload else None,
    }


def to_text(certificate: DecodedCertificate) -> str:
    """Give everything in printable lines for people, of which no value makes another one.

    Raises BadCertificateError as `to_document` does.
    """
    return "\n".join(map(printable, (*_head(certificate), *_paths(certificate), *_payload(certificate.payload))))


def _head(certificate: DecodedCertificate) -> Iterator[str]:
    kind = f"{certificate.kind} certificate, version {certificate.version}"
    yield kind + (f", type {certificate.type}" if certificate.type else "")
    yield _field("Serial", certificate.serial)
    yield _field("Subject", certificate.subject)
    if certificate.system_name:
        yield _field("Host", certificate.system_name)
    yield _field("Issuer", certificate.issuer)
    yield _field("Valid from", format_time(certificate.valid.not_before))
    yield _field("Valid until", format_time(certificate.valid.not_after))
    yield _field("Key", certificate.key)
    yield _field("SHA-256", certificate.fingerprint)
    if certificate.namespace:
        yield _field("Namespace", certificate.namespace)


def _paths(certificate: DecodedCertificate) -> Iterator[str]:
    yield from ("", f"Granted paths ({len(certificate.paths)})") if certificate.paths else ()
    yield from (f"  {path}" for path in certificate.paths)


def _payload(payload: EntitlementPayload | None) -> Iterator[str]:
    if payload is None:
        return
    subscription, order = payload.subscription, payload.order
    yield from ("", "Subscription")
    yield from _given(
        ("Name", subscription.name),
        ("SKU", subscription.sku),
        ("Service level", subscription.service_level),
        ("Service type", subscription.service_type),
        ("Usage", subscription.usage),
        ("Roles", ", ".join(subscription.roles)),
        ("Add-ons", ", ".join(subscription.addons)),
        ("Consumer", payload.consumer or ""),
    )
    yield from _given(
        ("Order", order.number),
        ("Contract", order.contract),
        ("Account", order.account),
        ("From", format_time(order.start) if order.start else ""),
        ("Until", format_time(order.end) if order.end else ""),
    )
    for product in payload.products:
        yield from _product(product)


def _product(product: CertifiedProduct) -> Iterator[str]:
    yield from ("", f"Product {product.name} ({product.id}) {product.version}".rstrip())
    for content in product.content:
        yield from _content(content)


def _content(content: CertifiedContent) -> Iterator[str]:
    yield f"  {content.label}: {content.name}" + ("" if content.enabled else " (disabled by default)")
    for name, text in (
        ("path", content.path),
        ("GPG key", content.gpg_url),
        ("type", content.type if content.type != "yum" else ""),
        ("arches", ", ".join(content.arches)),
        ("required tags", ", ".join(content.required_tags)),
    ):
        if text:
            yield f"    {name} {text}"


def _given(*fields: tuple[str, str]) -> Iterator[str]:
    yield from (_field(name, text) for name, text in fields if text)


def _field(name: str, value: object) -> str:
    return f"  {name:{_WIDTH}}{value}"
