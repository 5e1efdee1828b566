"""Dialogs that answer with a value: a confirmation, an error, a text to read, a choice from a list."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from issbox.console.words import Consequences, Text
from issbox.screen_text import fitted, printable
from issbox.tui.reader import Reader
from issbox.tui.typed_input import TypedInput

_CLOSING: Final = ("escape", "q", "enter", "f10")
_WATCHED: Final = 1.0
"""Seconds between two looks at what is being watched."""


class TextDialog(ModalScreen[None]):
    """Shows a text until it is closed; one that changes is read again every second."""

    def __init__(self, text: Text, again: Callable[[], object] | None = None) -> None:
        """Show a text; `again` asks for it anew, which `show` then gives."""
        super().__init__()
        self.text = text
        self._again = again

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical(classes="dialog whole"):
            yield Static(fitted_title(self.text.title), classes="title", markup=False)
            yield Reader(self.text.lines, wrap=self.text.wrap)
            yield Static("", classes="hint", markup=False)

    def on_mount(self) -> None:
        """Read again every second what changes."""
        self._say()
        if self._again is not None:
            self.set_interval(_WATCHED, self._again)

    def show(self, text: Text) -> None:
        """Show the text as it is now."""
        self.text = text
        self.query_one(Reader).show(text.lines)
        self._say()

    def on_resize(self) -> None:
        """Say anew which part is in view."""
        self.call_after_refresh(self._say)

    def on_key(self, event: events.Key) -> None:
        """Move, copy, or close."""
        event.stop()
        if event.key in _CLOSING:
            self.dismiss(None)
        elif event.key in ("y", "f6"):
            self.post_message(CopyAsked(self.text))
        elif self.query_one(Reader).move_by_key(event.key):
            self._say()

    def _say(self) -> None:
        where = self.query_one(Reader).where()
        side = "" if self.text.wrap else "  Left/Right: sideways"
        words = f"Esc: close  y: copy out  Up/Down/PgUp/PgDn: read{side}"
        self.query_one(".hint", Static).update(f"{words} {where}")


class ConfirmDialog(ModalScreen[bool]):
    """Shows what an action would do, and asks whether to."""

    def __init__(self, consequences: Consequences) -> None:
        super().__init__()
        self._consequences = consequences

    def compose(self) -> ComposeResult:
        """Lay it out."""
        told = self._consequences
        lines = [*told.lines]
        if told.refusals:
            lines = ["It cannot be done:", *(f"! {each}" for each in told.refusals), "", *lines]
            keys = "Esc: close"
        else:
            if told.final:
                lines.append("! This cannot be taken back.")
            keys = f"y: {told.verb}   n or Esc: leave it"
        with Vertical(classes="dialog whole"):
            yield Static(fitted_title(told.title), classes="title", markup=False)
            yield Reader(tuple(lines))
            yield Static(keys, classes="hint keys", markup=False)

    def on_key(self, event: events.Key) -> None:
        """Answer, or move."""
        event.stop()
        if event.key in ("n", "escape", "q"):
            self.dismiss(False)
        elif event.key in ("y", "f2") and not self._consequences.refusals:
            self.dismiss(True)
        else:
            self.query_one(Reader).move_by_key(event.key)


class ErrorDialog(ModalScreen[None]):
    """Shows what went wrong, to which thing, and what to do; the one place for all failures."""

    def __init__(self, what: str, message: str, hint: str, code: str) -> None:
        super().__init__()
        self.text = Text(f"Error: {code}", (message,), (("error", message), ("what to do", hint), ("code", code)))
        self._parts = (what, message, hint, code)

    def compose(self) -> ComposeResult:
        """Lay it out."""
        what, message, hint, code = self._parts
        with Vertical(classes="dialog error"):
            yield Static(fitted_title(f"{what}: not done"), classes="title", markup=False)
            yield Reader((message, "", f"What to do: {hint}", "", f"Code: {code}"))
            yield Static("Esc: close  y: copy out", classes="hint", markup=False)

    def on_key(self, event: events.Key) -> None:
        """Close, copy, or move."""
        event.stop()
        if event.key in _CLOSING:
            self.dismiss(None)
        elif event.key in ("y", "f6"):
            self.post_message(CopyAsked(self.text))
        else:
            self.query_one(Reader).move_by_key(event.key)


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose."""

    id: str
    words: str
    why_not: str = ""
    """Why it cannot be chosen now; it is shown all the same."""


class PickDialog(ModalScreen[str | None]):
    """Chooses one of a list: by arrows, or by typing a part of its name."""

    def __init__(self, title: str, options: Sequence[Option], *, chosen: str = "") -> None:
        super().__init__()
        self._title = title
        self._options = options
        self._left = list(options)
        self._at = next((at for at, each in enumerate(options) if each.id == chosen), 0)

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical(classes="dialog whole"):
            yield Static(fitted_title(self._title), classes="title", markup=False)
            yield TypedInput(placeholder="type a part of the name", compact=True)
            yield Static("", id="options", markup=False)
            yield Static("Enter: choose  Esc: leave it  Up/Down: move", classes="hint", markup=False)

    def on_mount(self) -> None:
        """Show the list."""
        self.call_after_refresh(self._paint)

    def on_resize(self) -> None:
        """Show as many as there is room for."""
        self.call_after_refresh(self._paint)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Keep what has all the words."""
        words = event.value.casefold().split()
        self._left = [each for each in self._options if all(word in each.words.casefold() for word in words)]
        self._at = 0 if words else self._at
        self._paint()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Choose."""
        event.stop()
        if self._left and not self._left[self._at].why_not:
            self.dismiss(self._left[self._at].id)

    def on_key(self, event: events.Key) -> None:
        """Move, or leave."""
        steps = {"up": -1, "down": 1, "pageup": -10, "pagedown": 10, "tab": 1, "shift+tab": -1}
        if event.key == "escape":
            event.stop()
            self.dismiss(None)
        elif event.key in steps and self._left:
            event.stop()
            event.prevent_default()
            self._at = max(0, min(len(self._left) - 1, self._at + steps[event.key]))
            self._paint()

    def _paint(self) -> None:
        shown = self.query_one("#options", Static)
        height, width = max(1, shown.size.height), max(10, shown.size.width)
        self._at = max(0, min(self._at, len(self._left) - 1))
        top = max(0, self._at - height + 1)
        lines = []
        for at, each in enumerate(self._left[top : top + height], top):
            words = f"{each.words}  ({each.why_not})" if each.why_not else each.words
            lines.append(fitted(("> " if at == self._at else "  ") + words, width))
        shown.update("\n".join(lines) or "  nothing has this name")


class CopyAsked(events.Event, bubble=True):
    """Somebody wants to take a text away."""

    def __init__(self, text: Text) -> None:
        super().__init__()
        self.text = text


def fitted_title(title: str) -> str:
    """Give a title on one line."""
    return printable(title)[:200]
