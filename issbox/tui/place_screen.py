"""The screen: shows one place after the other, and has actions done.

How actions are done is in `issbox.tui.doing`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from textual import events, on, work
from textual.app import ComposeResult
from textual.widgets import Input, Static

from issbox.console.lines import details, unread
from issbox.console.registry import ACTIONS, HABITS, PLACES, actions_of
from issbox.console.session import Session
from issbox.console.trail import Stop, Trail
from issbox.console.words import Action, Opening, Target, Text
from issbox.screen_text import printable
from issbox.tui.dialogs import CopyAsked, Option, PickDialog, TextDialog
from issbox.tui.doing import DoingScreen
from issbox.tui.frame import help_lines, key_lines, key_name, tab_lines, title_line
from issbox.tui.messages import Changed, Loaded
from issbox.tui.table import Table
from issbox.tui.typed_input import TypedInput

_LOOK: Final = 1.0
"""Seconds between two looks whether somebody changed something."""
_HABIT_KEYS: Final = {key: habit.id.partition(".")[2] for habit in HABITS for key in habit.keys}
_PLACE_KEYS: Final = {place.key: place.id for place in PLACES if place.key}


class PlaceScreen(DoingScreen):
    """The one screen below all dialogs."""

    def __init__(self, session: Session, title: str) -> None:
        super().__init__()
        self.session = session
        self._trail = Trail()
        self._title = title
        self._ticket = 0
        self._pulse: tuple[object, ...] | None = None
        self._typed_ahead: list[str] = []

    @property
    def stop(self) -> Stop:
        """Where the operator is."""
        return self._trail.here

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield Static("", id="title", markup=False)
        yield Static("", id="tabs", markup=False)
        yield Table(id="table")
        yield TypedInput(placeholder="words to look for; nothing shows all", id="search", compact=True)
        yield Static("", id="status", markup=False)
        yield Static("", id="keys", markup=False)

    def on_mount(self) -> None:
        """Show the first place, and look for changes from then on."""
        self.query_one(Table).focus()
        self._frame()
        self.load()
        self.set_interval(_LOOK, self.look)

    def on_resize(self) -> None:
        """Break the lines around the table anew."""
        self._frame()

    # Reading

    @work(thread=True, exclusive=True, exit_on_error=False, group="load")
    def load(self) -> None:
        """Read the place in a worker."""
        self._ticket += 1
        ticket, stop = self._ticket, self.stop

        def read() -> None:
            if self._pulse is None:  # from before the first reading on, nothing that changes is missed
                self._pulse = self.session.pulse()
            try:
                view = stop.place.show(self.session, stop.subject, stop.wanted)
                count = view.lines.count()
            except Exception:
                self.post_message(Loaded(ticket, unread(stop.place), 0))
                raise
            self.post_message(Loaded(ticket, view, count))

        self.attempt(f"Reading {stop.place.title}", read)

    @on(Loaded)
    def show(self, message: Loaded) -> None:
        """Show what was read, unless the operator went on in the meantime."""
        if message.ticket == self._ticket:
            self.stop.view = message.view
            self.query_one(Table).show(message.view, message.count, self.stop.key, self.stop.position)
            self._frame()
            self._obey_typed_ahead()

    @work(thread=True, exclusive=True, exit_on_error=False, group="look")
    def look(self) -> None:
        """Look in a worker whether something was changed, and whether jobs wait for one to do them."""

        def read() -> None:
            pulse = self.session.pulse()
            if self._pulse is not None and pulse != self._pulse:
                self.post_message(Changed())
            self._pulse = pulse
            self.session.see_to_jobs()

        self.attempt("Looking for changes", read, quiet=True)

    @on(Changed)
    def reread(self) -> None:
        """Show what others changed; a place that could not be read waits until it is asked for again.

        What is refused is written into the audit log, which is a change again.
        """
        if self.stop.view is None or self.stop.view.columns:
            self.load()

    @on(Table.Moved)
    def moved(self) -> None:
        """Remember the chosen line, and say what can be done to it."""
        table, stop = self.query_one(Table), self.stop
        line = table.chosen()
        stop.position, stop.key = table.position, None if line is None else line.key
        self._frame()

    # Painting

    def say(self, words: str) -> None:
        """Tell something in the status line."""
        self._said = words
        self._frame()

    _said = ""

    def _frame(self) -> None:
        columns = max(20, self.size.width)
        user, stop, table = self.session.ctx.actor.name, self.stop, self.query_one(Table)
        self._put("#title", title_line(self._title, user, self.session.organization, columns))
        self._put("#tabs", tab_lines(stop.place, columns))
        self._put("#keys", key_lines(stop.place, self._why_not, columns))
        self._put("#status", self._status(table, columns))

    def _put(self, where: str, text: str) -> None:
        """Change a line only when it is another one: nothing is sent to the terminal otherwise."""
        widget = self.query_one(where, Static)
        if widget.content != text:
            widget.update(text)

    def _status(self, table: Table, columns: int) -> str:
        stop = self.stop
        parts = ["" if stop.view is None else printable(stop.view.title)]
        if stop.wanted.search:
            parts.append(f"with '{printable(stop.wanted.search)}'")
        if stop.wanted.sort is not None and stop.view is not None and stop.view.columns:
            way = "down" if stop.wanted.descending else "up"
            parts.append(f"by {stop.view.columns[stop.wanted.sort].title} {way}")
        where = f"{table.position + 1}/{table.count}" if table.count else "0"
        if table.is_cut:
            parts.append("=: whole line")
        left = "  ".join(parts)
        return f"{left}  {where}" + (f"  |  {printable(self._said)}" if self._said else "")[: max(0, columns * 2)]

    def target(self) -> Target:
        """Give what the operator has chosen."""
        line = self.query_one(Table).chosen()
        return self.stop.target(None if line is None else line.thing)

    def _why_not(self, action: Action) -> str:
        """Say why an action cannot be done; one of which that cannot be found out is not to be done either."""
        try:
            return self.session.why_not(action, self.target())
        except Exception as error:
            return str(self.told(error))

    # Keys

    def on_key(self, event: events.Key) -> None:
        """Do what a key says."""
        if self.query_one("#search", Input).has_focus:
            if event.key == "escape":
                event.stop()
                self._search_done(self.stop.wanted.search)
            return
        key = event.character if event.character and event.character.isalnum() else event.key
        if self._obey(key) or (event.key != key and self._obey(event.key)):
            event.stop()

    def _obey(self, key: str) -> bool:
        """Do what a key says; tell whether it says something. What is about lines waits until they have been read."""
        table = self.query_one(Table)
        action = next((each for each in actions_of(self.stop.place.id) if each.key == key), None)
        if self.stop.view is None and (action is not None or key in table.MOVES):
            self._typed_ahead.append(key)
        elif action is not None:
            self.begin(action)
        elif key in _HABIT_KEYS:
            self._habits()[_HABIT_KEYS[key]]()
        elif key in _PLACE_KEYS:
            self.go(Opening(_PLACE_KEYS[key]))
        else:
            return table.move_by_key(key)
        return True

    def _obey_typed_ahead(self) -> None:
        """Do what was typed while the place was read, as far as it is about this place."""
        typed, self._typed_ahead = self._typed_ahead, []
        for key in typed:
            self._obey(key)
            if key not in Table.MOVES:  # an action may lead elsewhere, where what follows would mean something else
                break

    def _habits(self) -> dict[str, Callable[[], object]]:
        return {
            "help": self._help,
            "actions": self._pick_action,
            "go": self._pick_place,
            "palette": self._pick_anything,
            "search": self._search,
            "sort": self._pick_sort,
            "refresh": self.load,
            "line": self._whole_line,
            "copy": self._copy_line,
            "organization": lambda: self.begin(next(each for each in ACTIONS if each.id == "overview.organization")),
            "back": self._back,
            "quit": self.app.exit,
        }

    def go(self, opening: Opening) -> None:
        """Go to a place."""
        self._trail.go(opening)
        self._arrive()

    def _back(self) -> None:
        if self.stop.wanted.search:
            self._search_done("")
            return
        self._trail.back()
        self._arrive()

    def _arrive(self) -> None:
        """Read the place that the operator came to; what it showed before is old."""
        self.stop.view, self._said, self._typed_ahead = None, "", []
        self.load()

    def _help(self) -> None:
        place = self.stop.place
        self.app.push_screen(TextDialog(Text(f"Help: {place.title}", help_lines(place))))

    def _pick_action(self) -> None:
        options = [
            Option(each.id, f"{key_name(each.key):6}{each.title}: {each.help}", self._why_not(each))
            for each in actions_of(self.stop.place.id)
        ]
        self.app.push_screen(PickDialog(f"What can be done: {self.stop.place.title}", options), self._picked)

    def _pick_place(self) -> None:
        options = [Option(f"place:{each.id}", f"{each.key:3}{each.title}") for each in PLACES if each.key]
        self.app.push_screen(PickDialog("Go to", options, chosen=f"place:{self.stop.place.id}"), self._picked)

    def _pick_anything(self) -> None:
        here = [
            Option(each.id, f"{each.title}: {each.help}", self._why_not(each))
            for each in actions_of(self.stop.place.id)
        ]
        places = [Option(f"place:{each.id}", f"Go to {each.title}") for each in PLACES if each.key]
        habits = [Option(f"habit:{each.id.partition('.')[2]}", f"{each.title}: {each.help}") for each in HABITS]
        self.app.push_screen(PickDialog("Everything", [*here, *places, *habits]), self._picked)

    def _picked(self, chosen: str | None) -> None:
        if chosen is None:
            return
        kind, _, name = chosen.partition(":")
        if kind == "place":
            self.go(Opening(name))
        elif kind == "habit":
            self._habits()[name]()
        else:
            self.begin(next(each for each in ACTIONS if each.id == chosen))

    def _pick_sort(self) -> None:
        if self.stop.view is None:
            return
        options = [Option(at, title) for at, title in self.stop.view.sort_choices()]
        self.app.push_screen(PickDialog("Sort by", options, chosen=str(self.stop.wanted.sort)), self._sort)

    def _sort(self, column: str | None) -> None:
        if column is not None:
            self.stop.wanted = self.stop.sorted_by(int(column))
            self.load()

    def _search(self) -> None:
        field = self.query_one("#search", Input)
        field.add_class("open")
        field.value = self.stop.wanted.search
        field.focus()

    @on(Input.Submitted, "#search")
    def search(self, event: Input.Submitted) -> None:
        """Show what has the words."""
        event.stop()
        self._search_done(event.value.strip())

    def _search_done(self, words: str) -> None:
        self.query_one("#search", Input).remove_class("open")
        self.query_one(Table).focus()
        if words != self.stop.wanted.search:
            self.stop.want(replace(self.stop.wanted, search=words))
            self.load()

    def _whole_line(self) -> None:
        pairs = self._chosen_cells()
        if pairs and self.stop.view is not None:
            self.app.push_screen(TextDialog(Text(self.stop.view.title, details(pairs), pairs)))

    def _copy_line(self) -> None:
        pairs = self._chosen_cells()
        if pairs and self.stop.view is not None:
            self.post_message(CopyAsked(Text(self.stop.view.title, (), pairs)))

    def _chosen_cells(self) -> tuple[tuple[str, str], ...]:
        """Give the chosen line, each cell with the name of its column; nothing, and say so, when none is chosen."""
        view, line = self.stop.view, self.query_one(Table).chosen()
        if view is None or line is None:
            self.say("There is no line.")
            return ()
        return tuple((column.title, cell) for column, cell in zip(view.columns, line.cells, strict=False) if cell)
