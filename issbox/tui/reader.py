"""A text of any length to read, line by line."""

from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from issbox.screen_text import fitted, printable, wrapped

_SIGNS: Final = {
    "+": Style(color="green"),
    "-": Style(color="red"),
    "~": Style(color="yellow"),
    "!": Style(color="red", bold=True),
}
"""How lines of a difference are coloured; the sign itself says it first."""
_SIDE: Final = 8
_WHERE: Final = 11


class Reader(Widget, can_focus=True):
    """Shows lines; arrows and page keys move it, left and right too where lines are not broken."""

    def __init__(self, lines: tuple[str, ...] = (), *, wrap: bool = True, id: str | None = None) -> None:  # noqa: A002 - textual's name
        super().__init__(id=id)
        self._lines = lines
        self._wrap = wrap
        self._shown: list[str] = []
        self._top = 0
        self._left = 0

    def show(self, lines: tuple[str, ...]) -> None:
        """Show other lines, at the same place."""
        if lines != self._lines:
            self._lines = lines
            self._lay_out()
            self.refresh()

    def where(self) -> str:
        """Say which lines are in view, always about as long, so that the room for them stays the same."""
        last = min(len(self._shown), self._top + self.size.height)
        return f"{self._top + 1}-{last}/{len(self._shown)}".rjust(_WHERE)

    def move_by_key(self, key: str) -> bool:
        """Move as a key says; tell whether it was one that moves."""
        page = max(1, self.size.height - 1)
        steps = {"up": -1, "down": 1, "pageup": -page, "pagedown": page, "space": page}
        if key in steps:
            self._top += steps[key]
        elif key in ("home", "end"):
            self._top = 0 if key == "home" else len(self._shown)
        elif key in ("left", "right") and not self._wrap:
            self._left = max(0, self._left + (_SIDE if key == "right" else -_SIDE))
        else:
            return False
        self._clamp()
        self.refresh()
        return True

    def on_resize(self, event: events.Resize) -> None:
        """Break the lines anew."""
        del event
        self._lay_out()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Paint one line."""
        width = self.size.width
        at = self._top + y
        if at >= len(self._shown):
            return Strip.blank(width)
        text = self._shown[at]
        return Strip([Segment(fitted(text[self._left :], width), _SIGNS.get(text.strip()[:1], Style()))])

    def _lay_out(self) -> None:
        width = max(10, self.size.width)
        shown: list[str] = []
        for line in self._lines:
            shown.extend(wrapped(line, width) if self._wrap else [printable(line)])
        self._shown = shown
        self._clamp()

    def _clamp(self) -> None:
        self._top = max(0, min(self._top, len(self._shown) - self.size.height))
