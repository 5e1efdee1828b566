"""Lines of tables, as wide as the screen, whole or page by page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issbox.console.layout import GAP, fit, row
from issbox.console.lines import ListedLines, PagedLines, details, listed
from issbox.console.words import Column, Line, Wanted
from issbox.screen_text import fitted, printable, width, wrapped


class Numbers:
    """A long table: the numbers from 0, each its own key."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.rows_read = 0

    def count(self) -> int:
        return self._count

    def page(self, after: int | None, number: int) -> list[tuple[int, int]]:
        first = 0 if after is None else after + 1
        found = range(first, min(self._count, first + number))
        self.rows_read += len(found)
        return [(each, each) for each in found]

    def skip(self, after: int | None, number: int) -> int | None:
        found = (-1 if after is None else after) + number
        return found if found < self._count else None


def number_line(number: int) -> Line:
    return Line(str(number), (str(number),))


@given(count=st.integers(0, 1000), places=st.lists(st.tuples(st.integers(0, 1100), st.integers(1, 250)), max_size=12))
def test_pages_give_what_the_whole_table_has(count: int, places: list[tuple[int, int]]) -> None:
    lines = PagedLines(Numbers(count), number_line)
    for start, number in places:
        wanted = [str(each) for each in range(count)[start : start + number]]
        assert [line.key for line in lines.fetch(start, number)] == wanted
    assert lines.count() == count


def test_the_end_of_a_long_table_costs_one_page() -> None:
    numbers = Numbers(100_000)
    lines = PagedLines(numbers, number_line)
    assert [line.key for line in lines.fetch(99_998, 5)] == ["99998", "99999"]
    assert numbers.rows_read <= 200


def test_a_few_pages_are_kept_and_no_more() -> None:
    lines = PagedLines(Numbers(100_000), number_line)
    for start in range(0, 100_000, 100):
        lines.fetch(start, 1)
    assert len(lines._pages) <= 20


def test_searching_keeps_lines_with_every_word_and_sorting_knows_numbers() -> None:
    lines = [Line("a", ("10", "red Apple")), Line("b", ("9", "green apple")), Line("c", ("x", "pear"))]
    assert [each.key for each in listed(lines, Wanted("APPLE")).fetch(0, 9)] == ["a", "b"]
    assert [each.key for each in listed(lines, Wanted("apple green")).fetch(0, 9)] == ["b"]
    assert [each.key for each in listed(lines, Wanted(sort=0)).fetch(0, 9)] == ["b", "a", "c"]
    assert [each.key for each in listed(lines, Wanted(sort=0, descending=True)).fetch(0, 9)] == ["c", "a", "b"]
    assert ListedLines(lines).count() == 3


columns_of_tables = st.lists(
    st.builds(Column, st.just("T"), st.integers(3, 40), st.integers(0, 3), st.booleans()), min_size=1, max_size=9
)


@given(columns=columns_of_tables, total=st.integers(20, 300))
def test_columns_fill_the_width_and_never_more_when_there_is_room(columns: list[Column], total: int) -> None:
    widths = fit(columns, total)
    used = len(row(["x"] * len(columns), widths))
    least = 3 * len(columns) + GAP * (len(columns) - 1)
    assert used <= max(total, least)
    if any(column.grow for column in columns) and total >= sum(c.width for c in columns) + GAP * (len(columns) - 1):
        assert used == total


@given(columns=columns_of_tables, total=st.integers(20, 300))
def test_spare_columns_are_left_out_before_any_other_is_cut(columns: list[Column], total: int) -> None:
    widths = fit(columns, total)
    assert all(width or column.spare for column, width in zip(columns, widths, strict=True))
    kept = [column for column in columns if not column.spare]
    if kept and sum(column.width for column in kept) + GAP * (len(kept) - 1) <= total:
        assert all(width >= column.width for column, width in zip(columns, widths, strict=True) if width)
    if sum(column.width for column in columns) + GAP * (len(columns) - 1) <= total:
        assert all(widths)


@given(text=st.text(), columns=st.integers(1, 40))
def test_fitted_text_is_as_wide_as_it_says_and_safe(text: str, columns: int) -> None:
    shown = fitted(text, columns)
    assert width(shown) == columns
    assert printable(shown) == shown


@given(text=st.text(alphabet=st.characters(blacklist_characters="\n")), columns=st.integers(4, 40))
def test_wrapped_text_fits_and_loses_nothing_but_blanks(text: str, columns: int) -> None:
    lines = wrapped(text, columns)
    assert all(width(line) <= columns for line in lines)
    assert "".join(lines).replace(" ", "") == printable(text).replace(" ", "")


def test_rows_are_padded_and_details_leave_nothing_out_but_the_empty() -> None:
    assert row(("a", "long word"), (3, 5)) == "a    long~"
    assert row(("a",), (2, 2)) == "a     "
    assert details([("name", "x"), ("none", None), ("number", 0)]) == ("name:   x", "number: 0")


def test_a_value_of_several_lines_stands_under_itself_and_forges_no_fact() -> None:
    shown = details([("problems", "no space\n\nname: x\x1b\r\n"), ("id", 1)])
    assert shown == ("problems: no space", "", "          name: x\\x1b\\r", "id:       1")


@pytest.mark.parametrize("text", ["\x1b[2J", "\u202e", "\x9b31m", "\x00"])
def test_nothing_commands_the_terminal(text: str) -> None:
    assert printable(fitted(text, 30)) == fitted(text, 30)
    assert "\x1b" not in fitted(text, 30)
