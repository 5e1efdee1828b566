"""Reading the newest of long tables a page at a time, as far as who asks may see them."""

from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeVar

PAGE: Final = 200
"""Rows read at once."""
_LEAST: Final = 20


class Numbered(Protocol):
    """A row with a number that only grows."""

    @property
    def id(self) -> int:
        """Give the number."""


T = TypeVar("T", bound=Numbered)


def newest(page: Callable[[int | None, int], Sequence[T]], seen: Callable[[T], bool], limit: int | None) -> list[T]:
    """Give the newest rows that may be seen, so many at most; None means all.

    `page` gives so many rows, newest first, with numbers below the one given.
    """
    size = PAGE if limit is None else min(PAGE, max(limit, _LEAST))
    found: list[T] = []
    before: int | None = None
    while limit is None or len(found) < limit:
        rows = page(before, size)
        found += filter(seen, rows)
        if len(rows) < size:
            break
        before = rows[-1].id
    return found[:limit]
