"""Labels of images."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers.images import LABEL

from issbox.bundle.iso.label import make_volume_id
from issbox.errors import InvalidValueError


@pytest.mark.parametrize(
    ("name", "number", "count", "expected"),
    [
        ("acme-weekly-0042", 1, 1, "ACME_WEEKLY_0042"),
        ("acme-weekly-0042", 2, 12, "ACME_WEEKLY_0_02"),
        ("acme-weekly-0042", 3, 3, "ACME_WEEKLY_00_3"),
        ("Größe & Maß", 1, 1, "GROE_MA"),
        ("漢字", 7, 100, "ISSBOX_007"),
        ("short-_-name", 65535, 65535, "SHORT_NAME_65535"),
    ],
)
def test_a_volume_id_says_name_and_number(name: str, number: int, count: int, expected: str) -> None:
    assert make_volume_id(name, number, count) == expected


@given(name=st.text(), count=st.integers(1, 65535), data=st.data())
def test_every_volume_id_is_valid_and_ends_with_its_number(name: str, count: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(1, count))
    volume_id = make_volume_id(name, number, count)
    replace(LABEL, volume_id=volume_id, number=number, count=count).check()
    if count > 1:
        assert int(volume_id.rpartition("_")[2]) == number


@pytest.mark.parametrize(
    "wrong",
    [
        {"volume_id": "lower"},
        {"volume_id": "A" * 17},
        {"volume_id": ""},
        {"set_id": ""},
        {"set_id": "ä"},
        {"set_id": "x" * 129},
        {"number": 0},
        {"number": 4},
        {"count": 65536},
        {"created_at": datetime(1969, 12, 31, tzinfo=UTC)},
    ],
)
def test_a_label_that_no_image_can_carry_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidValueError):
        replace(LABEL, **wrong).check()  # type: ignore[arg-type] # one wrong field after the other
