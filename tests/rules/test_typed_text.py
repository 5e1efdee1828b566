"""Typed text: what goes in comes out, and no single slip of a finger passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issbox.errors import MistypedError
from issbox.rules.bundles.typed_text import (
    ALPHABET,
    check_characters,
    crc24,
    decode,
    decode_bytes,
    encode,
    encode_bytes,
    seal,
    tidy,
    unseal,
)

BITS = 126
values = st.integers(0, 2**BITS - 1)


def test_the_checksum_is_the_crc_24_of_openpgp() -> None:
    data = b"123456789"
    assert crc24(int.from_bytes(data, "big"), len(data) * 8) == 0x21CF02  # the check value that catalogues of CRCs give


@given(values)
def test_a_sealed_number_comes_back_however_it_is_typed(value: int) -> None:
    text = seal(value, BITS)
    assert len(text) == 35
    assert unseal(text, BITS) == value
    assert unseal(text.lower().replace("-", " ").replace("0", "o").replace("1", "l"), BITS) == value


@given(value=values, place=st.integers(0, 29), other=st.sampled_from(ALPHABET))
def test_a_wrong_character_is_found(value: int, place: int, other: str) -> None:
    text = seal(value, BITS).replace("-", "")
    changed = text[:place] + other + text[place + 1 :]
    if changed == text:
        assert unseal(changed, BITS) == value
    else:
        with pytest.raises(MistypedError, match="checksum"):
            unseal(changed, BITS)


def test_every_wrong_character_of_one_text_is_found() -> None:
    text = seal(0x123456789ABCDEF << 60, BITS).replace("-", "")
    wrong = [text[:p] + c + text[p + 1 :] for p in range(30) for c in ALPHABET if c != text[p]]
    assert len(wrong) == 30 * 31
    for each in wrong:
        with pytest.raises(MistypedError):
            unseal(each, BITS)


@given(value=values, place=st.integers(0, 28))
def test_two_neighbours_swapped_are_found(value: int, place: int) -> None:
    text = seal(value, BITS).replace("-", "")
    changed = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    if changed != text:
        with pytest.raises(MistypedError):
            unseal(changed, BITS)


@pytest.mark.parametrize("text", ["", "ABC", seal(1, BITS)[:-1], seal(1, BITS) + "0", "*" * 30, "U" * 30, "é" * 30])
def test_what_is_no_such_text_is_refused(text: str) -> None:
    with pytest.raises(MistypedError):
        unseal(text, BITS)


@given(st.binary(max_size=60))
def test_bytes_come_back(data: bytes) -> None:
    assert decode_bytes(tidy(encode_bytes(data).lower())) == data


@given(st.text(ALPHABET, max_size=12))
def test_bytes_have_one_way_to_be_written(text: str) -> None:
    try:
        data = decode_bytes(text)
    except MistypedError:
        return
    assert encode_bytes(data) == text


def test_numbers_and_checksums_by_themselves() -> None:
    assert encode(0x1F, 3) == "00Z"
    assert decode("00Z") == 0x1F
    assert len(check_characters("IS1/00000/1V/1")) == 5
    assert check_characters("IS1/00000/1V/1") != check_characters("IS1/00000/1V/2")
