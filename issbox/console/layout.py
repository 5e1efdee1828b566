"""How wide the columns of a table are, and what its lines look like as text."""

from collections.abc import Sequence
from typing import Final

from issbox.console.words import Column
from issbox.screen_text import fitted

GAP: Final = 2
"""Blank columns between two columns."""
_LEAST: Final = 3


def fit(columns: Sequence[Column], total: int) -> list[int]:
    """Give the width of each column in a table of this width; 0 is for one that is left out.

    Where there is little room, spare columns go, the last first, and then the widest give most.
    """
    widths = [column.width for column in columns]
    for at in reversed(range(len(columns))):
        if columns[at].spare and _room(widths, total) < 0:
            widths[at] = 0
    room = _room(widths, total)
    grow = [column.grow if width else 0 for column, width in zip(columns, widths, strict=True)]
    if room > 0 and any(grow):
        given = [room * share // sum(grow) for share in grow]
        given[grow.index(max(grow))] += room - sum(given)
        return [one + more for one, more in zip(widths, given, strict=True)]
    while room < 0 and max(widths) > _LEAST:
        widest = max(range(len(widths)), key=lambda index: widths[index])
        widths[widest] -= 1
        room += 1
    return widths


def _room(widths: Sequence[int], total: int) -> int:
    """Give how much wider the table could be; negative when it is too wide."""
    shown = [width for width in widths if width]
    return total - sum(shown) - GAP * (len(shown) - 1)


def row(cells: Sequence[str], widths: Sequence[int], *, cut: str = "~") -> str:
    """Give the text of a line; cells that are missing are blank."""
    padded = [*cells, *[""] * (len(widths) - len(cells))]
    pairs = zip(padded, widths, strict=False)
    return (" " * GAP).join(fitted(cell, width, cut=cut) for cell, width in pairs if width)
