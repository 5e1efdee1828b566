"""What reaches a terminal: aligned, readable, and unable to command it."""

import json
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from issbox.cli import output
from issbox.cli.shapes import Field, Shape, for_json, for_people, size


@given(st.text())
def test_nothing_printable_controls_a_terminal(text: str) -> None:
    shown = output.printable(text)
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in shown)
    if text.isprintable() and text.isascii():
        assert shown == text


def test_escapes() -> None:
    assert output.printable("a\x1b[31mred\n\u202eb\x9b\udcff é 日本") == r"a\x1b[31mred\n\u202eb\x9b\udcff é 日本"


def test_table_aligns_wide_and_empty_cells() -> None:
    text = output.table(["LABEL", "NAME"], [["a", "x"], ["日本", ""], ["e\u0301", "y"]])
    assert text.splitlines() == ["LABEL  NAME", "a      x", "日本   -", "e\u0301      y"]


def test_a_table_without_rows_is_its_heading() -> None:
    assert output.table(["LABEL"], []) == "LABEL\n"


def test_what_is_too_wide_for_the_terminal_stands_below_its_row() -> None:
    path = "/srv/" + "p" * 80
    text = output.table(
        ["ID", "PATH", "STATE", "REASON"], [["1", path, "refused", "no space " * 9], ["2", "/s", "-", ""]], 60
    )
    assert text.splitlines() == [
        "ID  STATE",
        "1   refused",
        f"    path: {path}",
        "    reason: no space no space no space no space no space no",
        "        space no space no space no space",
        "2   -",
        "    path: /s",
    ]


def test_a_first_column_that_is_too_wide_stands_above_the_others() -> None:
    label = "a/" + "l" * 40
    rows = [[label, "new", "r" * 60], ["b", "", "no"]]
    assert output.table(["REPOSITORY", "RESULT", "REASON"], rows, 60).splitlines() == [
        "REPOSITORY",
        "    RESULT",
        label,
        "    new",
        f"        reason: {'r' * 60}",
        "b",
        "    -",
        "        reason: no",
    ]


def test_a_table_that_fits_is_left_alone() -> None:
    assert output.table(["ID", "PATH"], [["1", "/srv"]], 8) == "ID  PATH\n1   /srv\n"


def test_details() -> None:
    assert output.details([("name", "x"), ("created at", "")]) == "name:       x\ncreated at: -\n"


def test_details_of_several_lines_stand_under_their_value() -> None:
    shown = output.details([("problems", "no space\nname: x\x1b\r"), ("id", "1")])
    assert shown == "problems: no space\n          name: x\\x1b\\r\nid:       1\n"


@given(st.text())
def test_json_is_ascii_and_unchanged(text: str) -> None:
    written = output.to_json({"name": text})
    assert written.isascii()
    assert json.loads(written) == {"name": text}


def test_values() -> None:
    moment = datetime(2026, 11, 1, 13, 0, 0, 5, tzinfo=timezone(timedelta(hours=1)))
    assert for_json({"at": moment, "path": Path("/x"), "list": (1, None), "flag": True}) == {
        "at": "2026-11-01T12:00:00Z",
        "path": "/x",
        "list": [1, None],
        "flag": True,
    }
    assert for_people(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00Z"
    assert [for_people(value) for value in (None, True, (), ["a", "b"], {"k": 1})] == ["", "yes", "", "a, b", "k 1"]


def test_a_shape_shows_the_same_facts_in_three_ways() -> None:
    shape = Shape[int](
        "number", (Field("value", "it", lambda n: n, column=True, show=size), Field("even", "?", lambda n: n % 2 == 0))
    )
    assert shape.document(2048) == {"value": 2048, "even": True}
    assert shape.headings() == ["VALUE"]
    assert shape.row(2048) == ["2.0 KiB"]
    assert shape.details(2048) == [("value", "2.0 KiB"), ("even", "yes")]
