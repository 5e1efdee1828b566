"""Ranges of volume numbers, and what a slip asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issbox.errors import BadSlipError
from issbox.model import SlipItem, SlipReason
from issbox.rules.bundles.slips import MAX_FILES, MAX_SLIP_NUMBER, format_ranges, parse_ranges, slip_items


@given(st.sets(st.integers(0, 60) | st.integers(0, MAX_SLIP_NUMBER), min_size=1))
def test_ranges_come_back(numbers: set[int]) -> None:
    assert parse_ranges(format_ranges(numbers)) == tuple(sorted(numbers))


def test_ranges_are_written_short() -> None:
    assert format_ranges([9, 3, 7, 8]) == "3,7-9"
    assert format_ranges([1, 2]) == "1-2"
    assert format_ranges([]) == ""


@pytest.mark.parametrize(
    "text",
    ["", ",", "3,", "7-", "-7", "9-7", "3,3", "5,2", "1-4,4", "x", "1--2", "1000000", "0-999999", "3 ,7", "\u0663"],
)
def test_what_are_no_ranges_is_refused(text: str) -> None:
    with pytest.raises(BadSlipError):
        parse_ranges(text)


def test_a_missing_volume_is_asked_for_as_a_whole() -> None:
    many = [f"custom/a/{number}.rpm" for number in range(MAX_FILES + 1)]
    items = slip_items([4, 2], {4: ["a"], 3: ["b", "a", "b"], 7: many}, {3: "bytes differ"})
    assert items == (
        SlipItem(number=2, reason=SlipReason.MISSING),
        SlipItem(number=3, reason=SlipReason.DAMAGED, detail="bytes differ", files=("a", "b")),
        SlipItem(number=4, reason=SlipReason.MISSING),
        SlipItem(number=7, reason=SlipReason.DAMAGED),
    )
