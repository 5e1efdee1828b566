"""Long tables are read from their end, and no further than needed."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from issbox.workflows.newest import PAGE, newest


@dataclass(frozen=True)
class Row:
    """A row of a table."""

    id: int


@given(st.integers(0, 3 * PAGE), st.none() | st.integers(0, 3 * PAGE), st.integers(1, 5))
def test_the_newest_that_may_be_seen_come_from_as_few_rows_as_that_takes(
    count: int, limit: int | None, every: int
) -> None:
    table = [Row(number) for number in range(count, 0, -1)]
    read = 0

    def page(before: int | None, size: int) -> list[Row]:
        nonlocal read
        found = [row for row in table if before is None or row.id < before][:size]
        read += len(found)
        return found

    found = newest(page, lambda row: row.id % every == 0, limit)
    assert found == [row for row in table if row.id % every == 0][:limit]
    if limit is not None:
        assert read <= min(count, (limit + 1) * every + PAGE)
