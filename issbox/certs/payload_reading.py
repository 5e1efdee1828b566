"""Reading the payload of an entitlement certificate, those of other servers too; a flaw is told with its place."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar

from issbox.errors import BadCertificateError, InvalidValueError
from issbox.model import CertifiedContent, CertifiedProduct, EntitlementPayload, Order, Subscription
from issbox.names import parse_time

T = TypeVar("T")

_LARGEST: Final = 2**63 - 1


def read_payload(text: bytes) -> EntitlementPayload:
    """Read the JSON of a payload; unknown fields are left out, nulls count as absent.

    Raises BadCertificateError such as `the entitlement data: $.products[0].id: this is not text`.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadCertificateError(f"the entitlement data are not JSON in UTF-8: {str(error)[:200]}") from None
    root = _Fields(document, "$")
    return EntitlementPayload(
        _subscription(root.part("subscription")),
        _order(root.part("order")),
        tuple(_product(each) for each in root.parts("products")),
        root.text("consumer") or None,
        root.number("quantity"),
        root.part("pool", optional=True).text("id") or None,
    )


def _subscription(fields: "_Fields") -> Subscription:
    service = fields.part("service", optional=True)
    return Subscription(
        name=fields.text("name"),
        sku=fields.text("sku"),
        warning=fields.number("warning") or 0,
        sockets=fields.number("sockets"),
        ram=fields.number("ram"),
        cores=fields.number("cores"),
        management=fields.flag("management"),
        stacking_id=fields.text("stacking_id"),
        virt_only=fields.flag("virt_only"),
        service_level=service.text("level"),
        service_type=service.text("type"),
        usage=fields.text("usage"),
        roles=fields.texts("roles"),
        addons=fields.texts("addons"),
    )


def _order(fields: "_Fields") -> Order:
    return Order(
        number=fields.text("number"),
        quantity=fields.number("quantity"),
        start=fields.time("start"),
        end=fields.time("end"),
        contract=fields.text("contract"),
        account=fields.text("account"),
    )


def _product(fields: "_Fields") -> CertifiedProduct:
    return CertifiedProduct(
        id=fields.text("id", needed=True),
        name=fields.text("name"),
        version=fields.text("version"),
        architectures=fields.texts("architectures"),
        brand_type=fields.text("brand_type"),
        brand_name=fields.text("brand_name"),
        content=tuple(_content(each) for each in fields.parts("content")),
    )


def _content(fields: "_Fields") -> CertifiedContent:
    return CertifiedContent(
        id=fields.text("id"),
        label=fields.text("label", needed=True),
        name=fields.text("name"),
        path=fields.text("path"),
        type=fields.text("type", needed=True),
        vendor=fields.text("vendor"),
        gpg_url=fields.text("gpg_url"),
        enabled=fields.enabled(),
        metadata_expire=fields.number("metadata_expire"),
        required_tags=fields.texts("required_tags"),
        arches=fields.texts("arches"),
    )


class _Fields:
    """The fields of one JSON object, which knows where it stands."""

    def __init__(self, value: object, place: str) -> None:
        if not isinstance(value, dict):
            raise _flaw(place, "this is not an object")
        self._values: dict[str, object] = value
        self._place = place

    def _read(self, name: str, what: str, convert: Callable[[object], T | None]) -> T | None:
        value = self._values.get(name)
        if value is None:
            return None
        converted = convert(value)
        if converted is None:
            raise _flaw(f"{self._place}.{name}", f"this is not {what}")
        return converted

    def text(self, name: str, *, needed: bool = False) -> str:
        found = self._read(name, "text", _as_text) or ""
        if needed and not found:
            raise _flaw(self._place, f"there is no {name}")
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        return self._read(name, "a list of texts", _as_texts) or ()

    def number(self, name: str) -> int | None:
        return self._read(name, "a whole number", _as_number)

    def flag(self, name: str) -> bool:
        return self._values.get(name) in (True, "1", "true")

    def enabled(self) -> bool:
        """Tell what clients make of `enabled`: the number 1 disables, since only true, "1" and nothing enable."""
        value = self._values.get("enabled")
        return value is None or value is True or value == "1"

    def time(self, name: str) -> datetime | None:
        return self._read(name, "a time such as 2026-11-01T00:00:00Z", _as_time)

    def part(self, name: str, *, optional: bool = False) -> "_Fields":
        value = self._values.get(name)
        return _Fields({} if value is None and optional else value, f"{self._place}.{name}")

    def parts(self, name: str) -> list["_Fields"]:
        value = self._values.get(name)
        if not isinstance(value, list):
            raise _flaw(f"{self._place}.{name}", "this is not a list")
        return [_Fields(each, f"{self._place}.{name}[{index}]") for index, each in enumerate(value)]


def _flaw(place: str, what: str) -> BadCertificateError:
    return BadCertificateError(f"the entitlement data: {place}: {what}")


def _as_text(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and _is_encodable(value) else None


def _is_encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _as_texts(value: object) -> tuple[str, ...] | None:
    found = [_as_text(each) for each in value] if isinstance(value, list) else [None]
    texts = tuple(each for each in found if each is not None)
    return texts if len(texts) == len(found) else None


def _as_number(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    usable = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST
    return value if usable and isinstance(value, int) else None


def _as_time(value: object) -> datetime | None:
    try:
        return parse_time(value) if isinstance(value, str) else None
    except (InvalidValueError, OverflowError):
        return None
