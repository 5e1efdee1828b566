"""Lines of tables: those that fit into memory, and those that are read page by page."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

from issbox.console.words import Line, Lines, Place, View, Wanted
from issbox.screen_text import fact

_PAGE: Final = 100
_PAGES_KEPT: Final = 20

T = TypeVar("T")
Row_co = TypeVar("Row_co", covariant=True)
K = TypeVar("K")


class ListedLines:
    """Lines that are all there already."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines = tuple(lines)

    def count(self) -> int:
        """Give how many there are."""
        return len(self._lines)

    def fetch(self, start: int, number: int) -> Sequence[Line]:
        """Give some of them."""
        return self._lines[start : start + number]


def listed(lines: Iterable[Line], wanted: Wanted) -> Lines:
    """Give the lines in which every word that is searched for occurs, in the wanted order."""
    words = wanted.search.casefold().split()
    kept = [line for line in lines if _matches(line, words)]
    if wanted.sort is not None:
        column = wanted.sort
        kept.sort(key=lambda line: _sort_key(line, column), reverse=wanted.descending)
    return ListedLines(kept)


def unread(place: Place) -> View:
    """Give what stands for a place that could not be read; it has no columns."""
    return View(place.title, (), ListedLines(()), "It could not be read. F5 reads it again, Esc goes back.", ())


def _matches(line: Line, words: Sequence[str]) -> bool:
    text = " ".join(line.cells).casefold()
    return all(word in text for word in words)


def _sort_key(line: Line, column: int) -> tuple[int, float, str]:
    """Numbers before words, by their value: 9 before 10."""
    cell = line.cells[column] if column < len(line.cells) else ""
    first = cell.strip().partition(" ")[0]
    try:
        return 0, float(first), cell.casefold()
    except ValueError:
        return 1, 0.0, cell.casefold()


class Keyset(Protocol[Row_co, K]):
    """A long table of the store, read in its order: by the key of a row, never by its position."""

    def count(self) -> int:
        """Give how many rows there are."""

    def page(self, after: K | None, number: int) -> Sequence[tuple[K, Row_co]]:
        """Give the rows after a key, or the first ones."""

    def skip(self, after: K | None, number: int) -> K | None:
        """Give the key of the row so many rows after a key; None beyond the end."""


class PagedLines(Generic[T, K]):
    """Lines of a long table: a few pages are kept, and the key at which each page begins once it is known."""

    def __init__(self, keyset: Keyset[T, K], make: Callable[[T], Line]) -> None:
        self._keyset = keyset
        self._make = make
        self._count: int | None = None
        self._before: dict[int, K | None] = {0: None}
        """The last key before each page."""
        self._pages: OrderedDict[int, Sequence[Line]] = OrderedDict()

    def count(self) -> int:
        """Give how many there are, as counted once."""
        if self._count is None:
            self._count = self._keyset.count()
        return self._count

    def fetch(self, start: int, number: int) -> Sequence[Line]:
        """Give some of them."""
        lines: list[Line] = []
        first, last = start // _PAGE, (start + number - 1) // _PAGE
        for page in range(first, last + 1):
            lines.extend(self._page(page))
        return lines[start - first * _PAGE : start - first * _PAGE + number]

    def _page(self, number: int) -> Sequence[Line]:
        if number in self._pages:
            self._pages.move_to_end(number)
            return self._pages[number]
        if number not in self._before:
            known = max(each for each in self._before if each < number)
            before = self._keyset.skip(self._before[known], (number - known) * _PAGE)
            if before is None:
                return ()
            self._before[number] = before
        rows = self._keyset.page(self._before[number], _PAGE)
        if len(rows) == _PAGE:
            self._before[number + 1] = rows[-1][0]
        self._pages[number] = [self._make(row) for _, row in rows]
        if len(self._pages) > _PAGES_KEPT:
            self._pages.popitem(last=False)
        return self._pages[number]


def details(pairs: Iterable[tuple[str, Any]]) -> tuple[str, ...]:
    """Give facts, names and values aligned; those without a value are left out."""
    shown = [(name, str(value)) for name, value in pairs if value not in (None, "", ())]
    column = max((len(name) for name, _ in shown), default=0) + 2
    return tuple(line for name, value in shown for line in fact(name, value, column))
