"""Re-request slips as JSON and as typed text."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers.receipts import NOW, make_slip, slips

from issbox.bundle.slip import (
    MAX_SLIP,
    SHORT_SLIP_PREFIX,
    decode_short_slip,
    decode_slip,
    encode_short_slip,
    encode_slip,
    expand_short_slip,
    letter,
)
from issbox.errors import BadSlipError, IssboxError, MistypedError
from issbox.model import Slip, SlipForm, SlipItem, SlipReason
from issbox.rules.bundles.slips import bundle_tag
from issbox.rules.bundles.typed_text import ALPHABET, check_characters

DAMAGED = SlipItem(number=7, reason=SlipReason.DAMAGED, detail="2 files differ", files=("custom/a/x.rpm",))
SLIP = make_slip(SlipItem(number=3, reason=SlipReason.MISSING), DAMAGED, SlipItem(number=8, reason=SlipReason.MISSING))


@given(slips)
def test_a_slip_comes_back(slip: Slip) -> None:
    assert decode_slip(encode_slip(slip)) == slip


@given(slips)
def test_a_short_slip_says_which_volumes_of_which_bundle(slip: Slip) -> None:
    short = decode_short_slip(encode_short_slip(slip).lower().replace("1", "i").replace("0", "o"))
    assert (short.tag, short.sequence, short.form, short.numbers) == (
        bundle_tag(slip.bundle_id),
        slip.sequence,
        slip.form,
        slip.numbers,
    )


def test_the_text_is_short_and_readable() -> None:
    text = encode_short_slip(SLIP)
    assert text.startswith("IS1/")
    assert "/12V/3,7-8/" in text
    assert len(text) <= 27


def test_every_wrong_character_and_swap_in_a_short_slip_is_found() -> None:
    text = encode_short_slip(SLIP)
    start = len(SHORT_SLIP_PREFIX)
    wrong = {text[:p] + c + text[p + 1 :] for p in range(start, len(text)) for c in ALPHABET + ",-/"}
    wrong |= {text[:p] + text[p + 1] + text[p] + text[p + 2 :] for p in range(start, len(text) - 1)}
    wrong.discard(text)
    assert len(wrong) > 700
    for each in wrong:
        with pytest.raises((MistypedError, BadSlipError)):
            decode_short_slip(each)


@given(st.text(max_size=60))
def test_any_text_gives_an_error_of_ours(text: str) -> None:
    with pytest.raises(IssboxError):
        decode_short_slip(SHORT_SLIP_PREFIX + text)


@pytest.mark.parametrize("body", ["Z0000/12V/3", "00000/12V/0", "00000/12V/9-3", "00000/12V/0-99999999"])
def test_a_right_checksum_does_not_make_a_slip(body: str) -> None:
    text = f"{SHORT_SLIP_PREFIX}{body}"
    with pytest.raises(BadSlipError):
        decode_short_slip(f"{text}/{check_characters(text)}")


def test_a_short_slip_becomes_a_whole_one() -> None:
    short = decode_short_slip(encode_short_slip(SLIP))
    whole = expand_short_slip(short, bundle_id=SLIP.bundle_id, organization="ACME", destination="plant", at=NOW)
    assert whole.numbers == SLIP.numbers
    assert {item.reason for item in whole.items} == {SlipReason.UNSTATED}
    assert decode_slip(encode_slip(whole)) == whole


def test_the_table_of_contents_of_a_tar_can_be_asked_for() -> None:
    slip = make_slip(SlipItem(number=0, reason=SlipReason.MISSING), form=SlipForm.CHUNKS)
    assert decode_slip(encode_slip(slip)) == slip
    assert decode_short_slip(encode_short_slip(slip)).numbers == (0,)


def test_the_letter_for_people() -> None:
    text = letter(SLIP)
    assert "volumes 3,7-8\n" in text
    assert "  7: damaged, 2 files differ\n      custom/a/x.rpm\n" in text
    assert text.endswith(f"Short text: {encode_short_slip(SLIP)}\n")


BAD: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "format": (lambda d: d.update(format="x"), r"\$\.format"),
    "newer": (lambda d: d.update(format_version=2), "slip has format version 2"),
    "bundle": (lambda d: d.update(bundle_id="../x"), "bundle_id"),
    "box": (lambda d: d.update(box="a\x1b"), "box"),
    "sequence": (lambda d: d.update(sequence=-1), r"\$\.sequence"),
    "no_zone": (lambda d: d.update(created_at="2026-11-25T18:00:00"), r"\$\.created_at"),
    "form": (lambda d: d.update(form="shelves"), r"\$\.form"),
    "no_items": (lambda d: d.update(items=[]), r"\$\.items"),
    "number": (lambda d: d["items"][0].update(number=0), r"\$\.items\[0\]\.number"),
    "descending": (lambda d: d["items"].reverse(), r"\$\.items\[1\]\.number"),
    "reason": (lambda d: d["items"][0].update(reason="whim"), r"\.reason"),
    "detail": (lambda d: d["items"][0].update(detail="\x1b[2J"), r"\.detail"),
    "path": (lambda d: d["items"][0].update(files=["/etc/passwd"]), r"\.files"),
    "many_files": (lambda d: d["items"][0].update(files=["a"] * 101), r"\.files"),
    "items_are_numbers": (lambda d: d.update(items=[1]), r"\$\.items"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_hostile_slip_is_refused_by_name(name: str) -> None:
    document = json.loads(encode_slip(SLIP))
    change, place = BAD[name]
    change(document)
    with pytest.raises(BadSlipError, match=place):
        decode_slip(json.dumps(document).encode())


@pytest.mark.parametrize(
    "data", [b"", b"[", b"{}", b"\xff", b"[" * 100_000, b" " * (MAX_SLIP + 1), encode_slip(SLIP)[:-9]]
)
def test_what_is_no_slip_is_refused(data: bytes) -> None:
    with pytest.raises(BadSlipError):
        decode_slip(data)
