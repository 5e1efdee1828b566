"""The payload: what is written is read again, what others write too, and nothing hostile gets through."""

import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers.certificates import payload_of, payloads

from issbox.certs.payload import MOST_BYTES, pack, payload_document, unpack
from issbox.errors import BadCertificateError
from issbox.model import EntitlementPayload


@given(payloads)
def test_what_is_written_is_read_again(payload: EntitlementPayload) -> None:
    assert unpack(pack(payload)) == payload


def test_the_json_is_compact_and_leaves_out_what_is_empty() -> None:
    text = zlib.decompress(pack(payload_of(["/Acme/dev/tools"]))).decode()
    assert text == (
        '{"quantity":1,"subscription":{"name":"Tools"},"order":{},"products":[{"id":"69","name":"Tools","version":"9",'
        '"architectures":["x86_64"],"content":[{"id":"1","type":"yum","name":"Content 1","label":"content-1",'
        '"path":"/Acme/dev/tools"}]}]}'
    )


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    document: dict[str, Any] = json.loads(json.dumps(payload_document(payload_of(["/a"]))))
    change(document)
    return zlib.compress(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("value", "enabled"),
    [(True, True), (False, False), (None, True), ("1", True), (1, False), ("0", False), (0, False)],
)
def test_enabled_is_read_as_clients_read_it(value: object, enabled: bool) -> None:
    found = unpack(changed(lambda all_: all_["products"][0]["content"][0].update(enabled=value)))
    assert found.content[0].enabled is enabled


def test_what_other_servers_write_is_read() -> None:
    def older(document: dict[str, Any]) -> None:
        document["pool"] = {}
        document["order"] |= {"quantity": "10", "start": "2017-11-21T16:01:05.324+0000", "number": 12}
        document["subscription"] |= {"sockets": "2", "virt_only": "1", "service": None, "unknown": [1]}
        document["products"][0] |= {"id": 69, "brand_name": None}

    found = unpack(changed(older))
    assert (found.order.quantity, found.order.number, found.subscription.sockets) == (10, "12", 2)
    assert found.order.start is not None
    assert found.order.start.isoformat() == "2017-11-21T16:01:05.324000+00:00"
    assert found.subscription.virt_only
    assert found.products[0].id == "69"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda all_: all_.update(order=None), r"\$.order: this is not an object"),
        (lambda all_: all_.update(products={}), r"\$.products: this is not a list"),
        (lambda all_: all_.update(products=[1]), r"\$.products\[0\]: this is not an object"),
        (lambda all_: all_["products"][0].pop("id"), r"\$.products\[0\]: there is no id"),
        (lambda all_: all_["products"][0].update(content=None), r"\$.products\[0\].content: this is not a list"),
        (lambda all_: all_["products"][0]["content"][0].update(label=[]), r"\.label: this is not text"),
        (lambda all_: all_["products"][0]["content"][0].update(label=""), r"\[0\]: there is no label"),
        (lambda all_: all_["products"][0]["content"][0].update(name="\ud800"), r"\.name: this is not text"),
        (lambda all_: all_["products"][0]["content"][0].update(arches="x"), r"\.arches: this is not a list of texts"),
        (lambda all_: all_["products"][0]["content"][0].update(arches=[{}]), r"\.arches: this is not a list of texts"),
        (lambda all_: all_.update(quantity=1.5), r"\$.quantity: this is not a whole number"),
        (lambda all_: all_.update(quantity=True), r"\$.quantity: this is not a whole number"),
        (lambda all_: all_.update(quantity=10**30), r"\$.quantity: this is not a whole number"),
        (lambda all_: all_["order"].update(start="tomorrow"), r"\$.order.start: this is not a time"),
        (lambda all_: all_["order"].update(start="0001-01-01T00:00:00+14:00"), r"\$.order.start: this is not a time"),
    ],
)
def test_a_flaw_is_told_with_its_place(change: Callable[[dict[str, Any]], object], place: str) -> None:
    with pytest.raises(BadCertificateError, match=place):
        unpack(changed(change))


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (b"", "cut off"),
        (b"{}", "cannot be unpacked"),
        (pack(payload_of(["/a"]))[:-8], "cut off"),
        (zlib.compress(bytes(MOST_BYTES + 100)), "grow beyond"),
        (zlib.compress(b"["), "not JSON"),
        (zlib.compress(b"\xff"), "not JSON"),
        (zlib.compress(b"[" * 200_000), "not JSON"),
        (zlib.compress(b"9" * 10_000), "not JSON"),
        (zlib.compress(b"[]"), r"\$: this is not an object"),
    ],
)
def test_hostile_data_are_refused(packed: bytes, reason: str) -> None:
    with pytest.raises(BadCertificateError, match=reason):
        unpack(packed)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["subscription", "order", "products", "content", "pool", "id", "name", "label", "type"]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=20,
    )
)
def test_any_json_is_a_payload_or_refused(document: object) -> None:
    try:
        found = unpack(zlib.compress(json.dumps(document).encode()))
    except BadCertificateError:
        return
    assert unpack(pack(found)) == found
