"""Orders of long tables, which are read page by page: by the key of a row, so that no page costs more than another."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from issbox.store.database import first, rows

Key = tuple[Any, ...]
"""Where a row stands in an order: the number of its part, and its values of the part's columns."""
Select = Callable[..., Any]
"""Gives the query of the wanted rows with these columns."""


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that are ordered alike."""

    columns: tuple[Any, ...]
    """By which, the first one first; together they are another for each row."""
    condition: Any = None
    """Which rows these are; None for all."""


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a table: one part after the other."""

    parts: tuple[Part, ...]
    descending: bool = False
    """Whether every column runs down; the parts stand as they are to be."""

    def page(self, select: Select, after: Key | None, limit: int, *more: Any) -> list[tuple[Key, tuple[Any, ...]]]:
        """Give key and row of those after a key, or of the first ones; rows have the order's columns and `more`."""
        found: list[tuple[Key, tuple[Any, ...]]] = []
        for number, columns, query in self._from(select, after, more):
            page = rows(query.limit(limit - len(found)))
            found += [((number, *row[:columns]), row[columns:]) for row in page]
            if len(found) == limit:
                break
        return found

    def skip(self, select: Select, after: Key | None, skipped: int) -> Key | None:
        """Give the key of the row so many after a key, or None beyond the end."""
        for number, _, query in self._from(select, after):
            found = first(query.offset(skipped - 1).limit(1))
            if found is not None:
                return (number, *found)
            if number + 1 < len(self.parts):
                skipped -= query.count()
        return None

    def _from(self, select: Select, after: Key | None, more: Sequence[Any] = ()) -> Iterator[tuple[int, int, Any]]:
        """Give number, number of columns and query of each part from a key on."""
        start, *values = after or (0,)
        for number, part in enumerate(self.parts[start:], start):
            query = select(*part.columns, *more)
            if part.condition is not None:
                query = query.where(part.condition)
            if values and number == start:
                query = query.where(*self._beyond(part.columns, values))
            ordered = (each.desc() if self.descending else each for each in part.columns)
            yield number, len(part.columns), query.order_by(*ordered)

    def _beyond(self, columns: Sequence[Any], values: Sequence[Any]) -> list[Any]:
        """Give the conditions of rows after these values; the first of them, on one column, is what an index can do."""
        pairs = list(zip(columns, values, strict=True))
        column, value = pairs.pop()
        strict = column < value if self.descending else column > value
        for column, value in reversed(pairs):
            strict = (column < value if self.descending else column > value) | ((column == value) & strict)
        if not pairs:
            return [strict]
        column, value = pairs[0]
        return [column <= value if self.descending else column >= value, strict]
