"""How wide the columns of a table are, and what its lines look like as text."""

from collections.abc import Sequence
from typing import Final

from issbox.console.words import Column
from issbox.screen_text import fitted

GAP: Final = 2
"""Blank columns between two columns."""
_LEAST: Final = 3


def fit(columns: Sequence[Column], total: int) -> list[int]:
    """Give the width of each column in a table of this width; where there is little room, the widest give most."""
    widths = [column.width for column in columns]
    room = total - GAP * (len(columns) - 1) - sum(widths)
    shares = sum(column.grow for column in columns)
    if room > 0 and shares:
        given = [room * column.grow // shares for column in columns]
        given[max(range(len(columns)), key=lambda index: columns[index].grow)] += room - sum(given)
        return [one + more for one, more in zip(widths, given, strict=True)]
    while room < 0 and max(widths) > _LEAST:
        widest = max(range(len(widths)), key=lambda index: widths[index])
        widths[widest] -= 1
        room += 1
    return widths


def row(cells: Sequence[str], widths: Sequence[int], *, cut: str = "~") -> str:
    """Give the text of a line; cells that are missing are blank."""
    padded = [*cells, *[""] * (len(widths) - len(cells))]
    return (" " * GAP).join(fitted(cell, width, cut=cut) for cell, width in zip(padded, widths, strict=False))
