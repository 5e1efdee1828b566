"""A table of any length: it paints the lines in view, and asks for no others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from issbox.console.layout import fit, row
from issbox.console.words import Line, Mood, View
from issbox.screen_text import fitted, printable, width, wrapped

_MOODS: Final = {
    Mood.PLAIN: Style(),
    Mood.GOOD: Style(color="green"),
    Mood.BUSY: Style(color="yellow"),
    Mood.BAD: Style(color="red", bold=True),
    Mood.QUIET: Style(dim=True),
}
_HEAD: Final = Style(bold=True)
_CURSOR: Final = Style(reverse=True)
_MARK: Final = 2
"""Columns for the mark of the chosen line."""


class Table(Widget, can_focus=True):
    """Shows a view, and which of its lines is chosen."""

    MOVES: Final = frozenset(("up", "down", "pageup", "pagedown", "ctrl+b", "space", "home", "end"))
    """Keys that choose another line."""

    @dataclass
    class Moved(Message):
        """Another line is chosen."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - textual's name
        super().__init__(id=id)
        self._view: View | None = None
        self._count = 0
        self._cursor = 0
        self._top = 0

    def show(self, view: View, count: int, key: str | None, position: int) -> None:
        """Show a view with the line of this key chosen, if it is near where it was, or else the one at the position."""
        self._view, self._count = view, count
        self._cursor = max(0, min(position, count - 1))
        if key is not None:
            start = max(0, self._cursor - 50)
            near = view.lines.fetch(start, 100) if count else ()
            self._cursor = next((start + at for at, line in enumerate(near) if line.key == key), self._cursor)
        self._keep_in_view()
        self.refresh()
        self.post_message(self.Moved())

    @property
    def position(self) -> int:
        """Where the chosen line is, from 0."""
        return self._cursor

    @property
    def count(self) -> int:
        """How many lines there are."""
        return self._count

    def chosen(self) -> Line | None:
        """Give the chosen line."""
        if self._view is None or not self._count:
            return None
        found = self._view.lines.fetch(self._cursor, 1)
        return found[0] if found else None

    @property
    def is_cut(self) -> bool:
        """Whether there is more to the chosen line than is shown of it."""
        line = self.chosen()
        if self._view is None or line is None:
            return False
        widths = self._widths(self._view, self.size.width)
        return any(width(printable(cell)) > room for cell, room in zip(line.cells, widths, strict=False))

    def move_to(self, position: int) -> None:
        """Choose a line."""
        wanted = max(0, min(position, self._count - 1))
        if wanted != self._cursor:
            self._cursor = wanted
            self._keep_in_view()
            self.refresh()
            self.post_message(self.Moved())

    def move_by_key(self, key: str) -> bool:
        """Move as a key says; tell whether it was one that moves."""
        page = max(1, self._room() - 1)
        steps = {"up": -1, "down": 1, "pageup": -page, "pagedown": page, "ctrl+b": -page}
        if key in steps:
            self.move_to(self._cursor + steps[key])
        elif key == "space":
            self.move_to(self._cursor + page)
        elif key == "home":
            self.move_to(0)
        elif key == "end":
            self.move_to(self._count - 1)
        else:
            return False
        return True

    def on_resize(self, event: events.Resize) -> None:
        """Keep the chosen line in view."""
        del event
        self._keep_in_view()

    def on_click(self, event: events.Click) -> None:
        """Choose the line that was clicked."""
        at = event.y - len(self._heads())
        if 0 <= at < self._room():
            self.move_to(self._top + at)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move down."""
        event.stop()
        self.move_to(self._cursor + 3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move up."""
        event.stop()
        self.move_to(self._cursor - 3)

    def render_line(self, y: int) -> Strip:
        """Paint one line of the widget."""
        width = self.size.width
        heads = self._heads()
        if self._view is None:
            return Strip([Segment(fitted("Reading...", width))]) if y == 0 else Strip.blank(width)
        if y < len(heads):
            return Strip([Segment(fitted(heads[y], width), _HEAD if y == len(heads) - 1 else Style())])
        return self._body(self._view, y - len(heads), width)

    def _body(self, view: View, at: int, width: int) -> Strip:
        if not self._count:
            told = ["", *wrapped(view.empty, max(1, width - _MARK))]
            return Strip([Segment(fitted(f"  {told[at]}" if at < len(told) else "", width))])
        index = self._top + at
        found: Sequence[Line] = view.lines.fetch(index, 1) if index < self._count else ()
        if not found:
            return Strip.blank(width)
        line, chosen = found[0], index == self._cursor
        mark = "> " if chosen else "  "
        text = fitted(mark + row(line.cells, self._widths(view, width)), width)
        return Strip([Segment(text, _MOODS[line.mood] + _CURSOR if chosen else _MOODS[line.mood])])

    def _heads(self) -> list[str]:
        view = self._view
        if view is None:
            return []
        titles = row([column.title for column in view.columns], self._widths(view, self.size.width))
        room = max(1, self.size.width - _MARK)
        return [*(f"  {line}" for head in view.head for line in wrapped(head, room)), f"  {titles}"]

    def _widths(self, view: View, width: int) -> list[int]:
        return fit(view.columns, width - _MARK)

    def _room(self) -> int:
        return max(1, self.size.height - len(self._heads()))

    def _keep_in_view(self) -> None:
        room = self._room()
        if self._cursor < self._top:
            self._top = self._cursor
        elif self._cursor >= self._top + room:
            self._top = self._cursor - room + 1
        self._top = max(0, min(self._top, max(0, self._count - room)))
