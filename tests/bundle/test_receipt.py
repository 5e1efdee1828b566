"""Receipts in each form: they come back, hold what they promise in size, and bad ones are refused by name."""

import base64
import contextlib
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers.bundle_strategies import json_values
from makers.bundles import new_key
from makers.receipts import BUNDLE, SOURCE, make_receipt, receipts

from issbox.bundle.compact_receipt import COMPACT_PREFIX, MAX_COMPACT, decode_compact, encode_compact
from issbox.bundle.packing import Packer, Unpacker
from issbox.bundle.receipt import MAX_RECEIPT, decode_receipt, encode_receipt
from issbox.bundle.receipt_checks import PREFIX_BYTES
from issbox.bundle.short_receipt import SHORT_PREFIX, decode_short, encode_short, short_receipt
from issbox.errors import (
    BadReceiptError,
    IssboxError,
    MistypedError,
    NewerReceiptError,
    ReceiptError,
    ReceiptSignatureError,
    UntrustedReceiptError,
)
from issbox.model import LastImport, Receipt, ReceiptRepository, RepositoryKey, ShortReceipt
from issbox.rules.bundles.receipts import OwnRepository
from issbox.rules.bundles.typed_text import ALPHABET, encode_bytes

KEY = new_key()
Change = Callable[[dict[str, Any]], object]


def trusted(key_id: str) -> str | None:
    return KEY.public_pem if KEY.key_id.startswith(key_id) else None


def nobody(_: str) -> None:
    return None


def nothing(_: Receipt) -> list[OwnRepository]:
    return []


def own_of(receipt: Receipt) -> list[OwnRepository]:
    """Give the repositories of a receipt as those of the box that reads it."""
    return [
        OwnRepository(
            RepositoryKey("ACME", each.product, each.label),
            each.path,
            each.content_id,
            each.variables,
            {1: each.repomd_sha256},
        )
        for each in receipt.repositories
    ]


def as_compact(receipt: Receipt) -> Receipt:
    """Give what is left of a receipt in a compact one."""
    return replace(
        receipt,
        box=replace(receipt.box, software="", key_id=KEY.key_id[:16]),
        organization=replace(receipt.organization, name=""),
        packages=None,
        repositories=tuple(replace(each, version=None) for each in receipt.repositories),
    )


def sealed(statement: dict[str, Any]) -> bytes:
    """Sign any statement as a receipt."""
    text = json.dumps(statement)
    signature = base64.b64encode(KEY.sign(text.encode())).decode()
    envelope = {"format": "issbox-receipt", "format_version": 1, "key_id": KEY.key_id}
    return json.dumps(envelope | {"statement": text, "signature": signature}).encode()


def statement(packages: int | None = None) -> dict[str, Any]:
    """Give the statement of a receipt as plain JSON."""
    file = json.loads(encode_receipt(make_receipt(KEY.key_id, 2, packages), KEY))
    document: dict[str, Any] = json.loads(file["statement"])
    return document


@given(receipts(KEY.key_id))
def test_a_file_comes_back(receipt: Receipt) -> None:
    assert decode_receipt(encode_receipt(receipt, KEY), trusted) == (receipt, True)


@given(receipts(KEY.key_id))
def test_a_compact_text_comes_back_where_its_repositories_are_known(receipt: Receipt) -> None:
    text = encode_compact(receipt, KEY)
    typed = "\n".join(text.lower()[start : start + 60] for start in range(0, len(text), 60))
    read, verified = decode_compact(typed, trusted, lambda _: own_of(receipt))
    assert verified
    sources = {each.path: each.source_box for each in receipt.repositories}
    assert read == as_compact(receipt)
    assert {each.path: each.source_box for each in read.repositories} == sources


@given(receipts(KEY.key_id))
def test_what_is_not_known_stays_a_digest(receipt: Receipt) -> None:
    read, _ = decode_compact(encode_compact(receipt, KEY), trusted, nothing)
    assert [each.repomd_sha256 for each in read.repositories] == [
        each.repomd_sha256[:16] for each in receipt.repositories
    ]
    assert all(each.path == each.label == "" for each in read.repositories)


@given(
    st.builds(
        ShortReceipt,
        st.from_regex("[0-9a-f]{6}", fullmatch=True),
        st.integers(0, 2**22 - 1),
        st.from_regex("[0-9a-f]{6}", fullmatch=True),
        st.from_regex("[0-9a-f]{14}", fullmatch=True),
    )
)
def test_a_short_text_comes_back(short: ShortReceipt) -> None:
    text = encode_short(short)
    assert len(text) == 39
    assert decode_short(text) == decode_short(f" {text.lower()}\n") == short


def test_every_wrong_character_and_swap_in_a_short_text_is_found() -> None:
    receipt = make_receipt(KEY.key_id)
    text = encode_short(short_receipt(receipt, receipt.imported[0]))
    start = len(SHORT_PREFIX)
    wrong = {text[:p] + c + text[p + 1 :] for p in range(start, len(text)) if text[p] != "-" for c in ALPHABET}
    wrong |= {
        text[:p] + text[p + 1] + text[p] + text[p + 2 :] for p in range(start, len(text) - 1) if text[p + 1] != "-"
    }
    wrong = {each for each in wrong if each.replace("-", "") != text.replace("-", "")}
    assert len(wrong) > 900
    for each in wrong:
        with pytest.raises(MistypedError):
            decode_short(each)


def test_a_short_text_tells_of_one_source_only() -> None:
    receipt = make_receipt(KEY.key_id)
    short = short_receipt(receipt, receipt.imported[0])
    assert (short.key, short.sequence) == (KEY.key_id[:6], 12)
    other = replace(receipt.repositories[0], path="custom/own", source_box=None)
    more = replace(receipt, repositories=(*receipt.repositories, other))
    assert short_receipt(more, receipt.imported[0]) == short
    changed = replace(receipt, repositories=receipt.repositories[1:])
    assert short_receipt(changed, receipt.imported[0]).state != short.state


def test_a_sequence_number_too_large_for_a_short_text() -> None:
    last = LastImport(source_box=SOURCE, destination="", bundle_id=BUNDLE, sequence=2**22)
    with pytest.raises(ReceiptError, match="4194304"):
        encode_short(short_receipt(make_receipt(KEY.key_id), last))


def test_fifty_repositories_with_long_names_fit_a_qr_code_and_a_hundred_thousand_packages_a_floppy_and_a_half() -> None:
    assert len(encode_compact(make_receipt(KEY.key_id, 50), KEY)) < 1800
    assert len(encode_compact(make_receipt(KEY.key_id, 160), KEY)) <= 4296
    assert len(encode_receipt(make_receipt(KEY.key_id, 50, 100_000), KEY)) < 2_500_000


def test_a_receipt_that_no_reader_would_accept_is_not_written() -> None:
    receipt = make_receipt(KEY.key_id, 1, 1)
    assert receipt.packages is not None
    huge = replace(receipt, packages=replace(receipt.packages, prefixes="A" * MAX_RECEIPT))
    with pytest.raises(ReceiptError, match="more than"):
        encode_receipt(huge, KEY)


def test_a_strangers_receipt_is_accepted_only_when_asked_for() -> None:
    receipt = make_receipt(KEY.key_id)
    file, compact = encode_receipt(receipt, KEY), encode_compact(receipt, KEY)
    with pytest.raises(UntrustedReceiptError):
        decode_receipt(file, nobody)
    with pytest.raises(UntrustedReceiptError):
        decode_compact(compact, nobody, nothing)
    assert decode_receipt(file, nobody, accept_untrusted=True) == (receipt, False)
    assert decode_compact(compact, nobody, lambda _: own_of(receipt), accept_untrusted=True) == (
        as_compact(receipt),
        False,
    )


def test_a_changed_receipt_of_a_trusted_key_is_refused_whatever_is_asked_for() -> None:
    document = json.loads(encode_receipt(make_receipt(KEY.key_id), KEY))
    document["statement"] = document["statement"].replace('"sequence":12', '"sequence":13')
    with pytest.raises(ReceiptSignatureError):
        decode_receipt(json.dumps(document).encode(), trusted, accept_untrusted=True)
    text = encode_compact(make_receipt(KEY.key_id), KEY)
    other = "2" if text[-9] != "2" else "3"
    with pytest.raises(ReceiptSignatureError):
        decode_compact(text[:-9] + other + text[-8:], trusted, nothing, accept_untrusted=True)


def test_a_receipt_signed_by_another_key_than_it_names() -> None:
    other = new_key()
    with pytest.raises(BadReceiptError, match="key_id"):
        decode_receipt(encode_receipt(make_receipt(other.key_id), KEY), trusted)


def _deep(_: dict[str, Any]) -> bytes:
    return b'{"format":"issbox-receipt","format_version":1,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


BAD_FILES: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "nothing": lambda _: b"",
    "no_json": lambda _: b"IBC1:",
    "not_utf8": lambda _: b'{"format":"\xff"}',
    "a_list": lambda _: b"[]",
    "nested_deeply": _deep,
    "cut": lambda document: json.dumps(document).encode()[:-20],
    "huge": lambda _: b" " * (MAX_RECEIPT + 1),
    "another_format": lambda document: json.dumps(document | {"format": "issbox-bundle"}).encode(),
    "version_nought": lambda document: json.dumps(document | {"format_version": 0}).encode(),
    "no_statement": lambda document: json.dumps({k: v for k, v in document.items() if k != "statement"}).encode(),
    "statement_is_no_text": lambda document: json.dumps(document | {"statement": {}}).encode(),
    "surrogate": lambda document: json.dumps(document | {"statement": "\ud800"}).encode(),
    "signature_is_no_base64": lambda document: json.dumps(document | {"signature": "!" * 88}).encode(),
    "signature_is_short": lambda document: json.dumps(document | {"signature": "AAAA"}).encode(),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_hostile_file_is_refused(name: str) -> None:
    document = json.loads(encode_receipt(make_receipt(KEY.key_id), KEY))
    with pytest.raises(BadReceiptError):
        decode_receipt(BAD_FILES[name](document), trusted)


BAD_STATEMENTS: dict[str, tuple[Change, str]] = {
    "box_id": (lambda d: d["box"].update(id="../x"), r"\$\.box\.id"),
    "box_name": (lambda d: d["box"].update(name="a\x1bb"), r"\$\.box\.name"),
    "box_is_a_list": (lambda d: d.update(box=[]), r"\$\.box"),
    "no_zone": (lambda d: d.update(created_at="2026-11-25T18:00:00"), r"\$\.created_at"),
    "no_time": (lambda d: d.update(created_at="soon"), r"\$\.created_at"),
    "organization": (lambda d: d["organization"].update(label="a b"), r"\$\.organization\.label"),
    "sequence": (lambda d: d["imported"][0].update(sequence=0), r"\$\.imported\[0\]\.sequence"),
    "sequence_huge": (lambda d: d["imported"][0].update(sequence=2**60), r"\$\.imported\[0\]\.sequence"),
    "missing_backwards": (lambda d: d["imported"][0].update(missing=[[9, 7]]), r"\.missing"),
    "missing_above": (lambda d: d["imported"][0].update(missing=[[12, 12]]), r"\.missing"),
    "missing_many": (lambda d: d["imported"][0].update(missing=[[1, 1]] * 101), r"\.missing"),
    "source_twice": (lambda d: d.update(imported=d["imported"] * 2), r"\$\.imported"),
    "path": (lambda d: d["repositories"][0].update(path="../../etc"), r"\$\.repositories\[0\]\.path"),
    "path_twice": (lambda d: d.update(repositories=d["repositories"][:1] * 2), r"\$\.repositories"),
    "digest_empty": (lambda d: d["repositories"][0].update(repomd_sha256=""), r"\.repomd_sha256"),
    "digest_short": (lambda d: d["repositories"][0].update(repomd_sha256="ab" * 8), r"\.repomd_sha256"),
    "variables": (lambda d: d["repositories"][0].update(variables={"a": "b" * 300}), r"\.variables"),
    "version": (lambda d: d["repositories"][0].update(version=-1), r"\.version"),
    "prefix_width": (lambda d: d["packages"].update(prefix_bytes=1), r"\.prefix_bytes"),
    "prefixes": (lambda d: d["packages"].update(prefixes="?"), r"\.prefixes"),
    "prefix_count": (lambda d: d["packages"].update(count=2**40), r"\.prefixes"),
    "prefixes_unsorted": (
        lambda d: d["packages"].update(prefixes=base64.b64encode(b"b" * 16 + b"a" * 16 + b"c" * 16).decode()),
        "sorted",
    ),
    "prefix_twice": (lambda d: d["packages"].update(prefixes=base64.b64encode(b"a" * 48).decode()), "sorted"),
}


@pytest.mark.parametrize("name", BAD_STATEMENTS)
def test_a_signed_statement_that_is_wrong_says_where(name: str) -> None:
    document = statement(packages=3)
    change, place = BAD_STATEMENTS[name]
    change(document)
    with pytest.raises(BadReceiptError, match=place):
        decode_receipt(sealed(document), trusted)


def test_unknown_fields_are_ignored_and_newer_formats_named() -> None:
    document = statement() | {"later": [1]}
    assert decode_receipt(sealed(document), trusted)[0] == make_receipt(KEY.key_id, 2)
    with pytest.raises(NewerReceiptError, match="2"):
        decode_receipt(sealed(document | {"format_version": 2}), trusted)


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(sorted(asdict(make_receipt("")))), json_values, min_size=1))
def test_any_values_give_an_error_of_ours_or_a_receipt(changes: dict[str, object]) -> None:
    with contextlib.suppress(ReceiptError):
        decode_receipt(sealed(statement() | changes), trusted)


@given(st.binary(max_size=200))
def test_any_bytes_signed_as_a_compact_receipt_give_an_error_of_ours(body: bytes) -> None:
    data = b"IBC\x01" + bytes.fromhex(KEY.key_id)[:8] + body
    with pytest.raises(BadReceiptError):
        decode_compact(COMPACT_PREFIX + encode_bytes(data + KEY.sign(data)), trusted, nothing)


@given(st.text(max_size=300))
def test_any_text_after_the_prefix_gives_an_error_of_ours(text: str) -> None:
    with pytest.raises(IssboxError):
        decode_compact(COMPACT_PREFIX + text, trusted, nothing)
    with pytest.raises(MistypedError):
        decode_short(SHORT_PREFIX + text)


@given(st.integers(min_value=0, max_value=3000))
def test_a_cut_compact_receipt_is_refused_before_anything_is_asked(kept: int) -> None:
    text = encode_compact(make_receipt(KEY.key_id, 20), KEY)
    if kept >= len(text):
        return
    with pytest.raises((BadReceiptError, ReceiptSignatureError, UntrustedReceiptError)):
        decode_compact(text[:kept].ljust(len(COMPACT_PREFIX), ":"), trusted, _never)


def _never(_: Receipt) -> list[OwnRepository]:
    raise AssertionError("the store was asked before the signature was checked")


def test_a_compact_receipt_without_bounds() -> None:
    with pytest.raises(BadReceiptError, match="more than"):
        decode_compact(COMPACT_PREFIX + "0" * MAX_COMPACT, trusted, _never)
    data = b"IBC\x02" + bytes(80)
    with pytest.raises(NewerReceiptError):
        decode_compact(COMPACT_PREFIX + encode_bytes(data), trusted, _never)


@given(st.lists(st.integers(0, 2**53 - 1) | st.text(max_size=20) | st.uuids().map(str)))
def test_packed_fields_come_back(fields: list[int | str]) -> None:
    packer = Packer()
    for field in fields:
        packer = packer.number(field) if isinstance(field, int) else packer.text(field)
    source = Unpacker(packer.data())
    assert [source.number() if isinstance(field, int) else source.text() for field in fields] == fields
    source.finish()


def test_an_id_that_only_looks_like_a_uuid_comes_back_as_it_was() -> None:
    for each in (SOURCE, SOURCE.replace("-", ""), SOURCE.upper() + "A", "AAAAAAAA-bbbb-4ccc-8ddd-eeeeeeeeeeee", "x"):
        assert Unpacker(Packer().id(each).data()).id() == each


def test_a_file_is_one_json_document_that_names_its_key() -> None:
    document = json.loads(encode_receipt(make_receipt(KEY.key_id), KEY))
    assert list(document) == ["format", "format_version", "key_id", "statement", "signature"]
    assert document["key_id"] == KEY.key_id
    assert PREFIX_BYTES == 16
    assert isinstance(make_receipt(KEY.key_id).repositories[0], ReceiptRepository)
