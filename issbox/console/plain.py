"""The line mode: everything of the console as numbered menus, for screen readers, serial lines and logs.

Nothing moves the cursor, nothing is coloured, and nothing is painted twice.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from issbox.console.dialogue import NUMBER, Dialogue, LeftError, Teletype, number_in, told
from issbox.console.layout import fit, row
from issbox.console.places.jobs import job_text
from issbox.console.registry import HABITS, PLACES, actions_of, find_action
from issbox.console.session import Session
from issbox.console.trail import Trail
from issbox.console.words import (
    Action,
    Answers,
    Line,
    Opening,
    Outcome,
    Place,
    Target,
    Wanted,
)
from issbox.errors import InterruptedByUserError, IssboxError
from issbox.screen_text import printable

_LINES: Final = 15
"""Lines of a table shown at once."""


class PlainConsole:
    """The console of one operator, line by line."""

    def __init__(self, session: Session, teletype: Teletype) -> None:
        self._session = session
        self._teletype = teletype
        self._talk = Dialogue(teletype)
        self._trail = Trail()
        self._chosen: Line | None = None

    def run(self) -> None:
        """Serve until the operator leaves or the input ends."""
        self._teletype.tell("issbox, line mode. ? helps, q leaves.")
        fresh = True
        while True:
            if fresh:
                self._attempt("Reading", self._show)
            given = self._teletype.ask(f"issbox ({self._place.title}) => ")
            if given is None or given.strip() in ("q", "quit", "exit"):
                return
            fresh = self._attempt(given.strip() or "Reading", partial(self._obey, given.strip()))

    @property
    def _place(self) -> Place:
        return self._trail.here.place

    def _attempt(self, what: str, work: Callable[[], object]) -> bool:
        """Do something; whatever goes wrong is told. Tell whether the place is to be shown again."""
        try:
            return work() is not False
        except (LeftError, InterruptedByUserError, KeyboardInterrupt):
            self._teletype.tell("Left; nothing was changed.")
        except Exception as error:  # whatever it is, the console goes on
            self._fail(what, told(error))
        return False

    def _fail(self, what: str, error: IssboxError) -> None:
        self._talk.say(f"{what}: not done. {error}")
        self._talk.say(f"What to do: {error.hint} (code {error.code})")

    # Showing

    def _show(self) -> None:
        stop = self._trail.here
        view = stop.place.show(self._session, stop.subject, stop.wanted)
        count = view.lines.count()
        stop.position = max(0, min(stop.position, count - 1))
        stop.view, self._chosen = view, None
        searched = f", with '{printable(stop.wanted.search)}'" if stop.wanted.search else ""
        self._teletype.tell("")
        self._teletype.tell(printable(view.title) + searched)
        for head in view.head:
            self._talk.say(head)
        widths = fit(view.columns, self._teletype.columns - NUMBER)
        lines = view.lines.fetch(stop.position, _LINES)
        if lines:
            self._teletype.tell(" " * NUMBER + row([each.title for each in view.columns], widths).rstrip())
        for at, line in enumerate(lines, stop.position + 1):
            self._teletype.tell(f"{at:>{NUMBER - 1}} {row(line.cells, widths)}".rstrip())
        if not lines:
            self._talk.say(view.empty)
        self._talk.say(self._menu(count, len(lines)))

    def _menu(self, count: int, shown: int) -> str:
        start = self._trail.here.position
        more = f"{start + 1}-{start + shown} of {count}, + shows more. " if shown < count else ""
        actions = "  ".join(f"{_key(each)} {each.title}" for each in actions_of(self._place.id))
        return f"{more}A number chooses a line. {actions}"

    def _help(self) -> None:
        self._talk.say(self._place.help)
        target = self._target()
        for each in actions_of(self._place.id):
            why_not = self._session.why_not(each, target)
            self._talk.say(f"{_key(each):6} {each.title}: {each.help}" + (f" (now: {why_not})" if why_not else ""))
        for keys, words in _PLAIN_HABITS:
            self._talk.say(f"{keys:6} {words}")

    # Obeying

    def _obey(self, given: str) -> bool | None:
        """Do what a line says; False when the place need not be shown again."""
        if (number := number_in(given)) is not None:
            return self._choose(number - 1)
        if given[:1] == "/":
            self._trail.here.want(Wanted(given[1:].strip()))
            return None
        action = next((each for each in actions_of(self._place.id) if _key(each) == given), None)
        if action is not None:
            return self._begin(action)
        habits: dict[str, Callable[[], bool | None]] = {
            "": lambda: None,
            "?": self._help_only,
            "+": lambda: self._page(_LINES),
            "-": lambda: self._page(-_LINES),
            ".": self._trail.back,
            "g": self._go,
            "s": self._sort,
            "x": self._actions,
            "o": lambda: self._begin(find_action("overview.organization")),
        }
        if given not in habits:
            self._talk.say(f"'{given}' is nothing that can be done here; ? helps.")
            return False
        return habits[given]()

    def _help_only(self) -> bool:
        self._help()
        return False

    def _page(self, step: int) -> None:
        stop = self._trail.here
        stop.position = max(0, stop.position + step)

    def _choose(self, position: int) -> bool:
        view = self._trail.here.view
        found: Sequence[Line] = () if view is None or position < 0 else view.lines.fetch(position, 1)
        if view is None or not found:
            self._talk.say("There is no such line.")
            return False
        self._chosen = found[0]
        for column, cell in zip(view.columns, self._chosen.cells, strict=False):
            if cell:
                self._talk.say(f"{column.title}: {cell}")
        return self._actions()

    def _actions(self) -> bool:
        known = [each for each in actions_of(self._place.id) if each.needs is not None or self._chosen is None]
        target = self._target()
        options = []
        for each in known:
            why_not = self._session.why_not(each, target)
            options.append((each.id, each.title + (f" (not now: {why_not})" if why_not else "")))
        if not options:
            return False
        chosen = self._talk.pick("What to do", options)
        return self._begin(find_action(chosen)) is not False

    def _target(self) -> Target:
        return self._trail.here.target(None if self._chosen is None else self._chosen.thing)

    def _go(self) -> None:
        place = self._talk.pick("Go to", [(each.id, each.title) for each in PLACES if each.key])
        self._trail.go(Opening(place))

    def _sort(self) -> bool | None:
        stop = self._trail.here
        if stop.view is None:
            return False
        column = self._talk.pick("Sort by", stop.view.sort_choices())
        stop.wanted = stop.sorted_by(int(column))
        return None

    # Actions

    def _begin(self, action: Action) -> bool | None:
        target = self._target()
        why_not = self._session.why_not(action, target)
        if why_not:
            self._talk.say(f"{action.title}: {why_not}.")
            return False
        questions = () if action.ask is None else action.ask(self._session, target)
        answers: Answers = {question.id: self._talk.question(question) for question in questions}
        consequences = None if action.confirm is None else action.confirm(self._session, target, answers)
        if consequences is not None:
            self._talk.confirm(consequences)
            answers = {**answers, **consequences.extra}
        return self._tell(action.run(self._session, target, answers))

    def _tell(self, outcome: Outcome) -> bool | None:
        if outcome.message:
            self._talk.say(outcome.message)
        if outcome.text is not None:
            self._talk.read(outcome.text)
        if outcome.job is not None:
            self._watch(outcome.job)
        if outcome.opening is not None:
            self._trail.go(outcome.opening)
            return None
        return False if outcome.text is not None else None

    def _watch(self, job_id: int) -> None:
        while True:
            self._talk.read(job_text(self._session, job_id))
            given = self._teletype.ask("Enter looks again, . goes on => ")
            if given is None or given.strip():
                return


_PLAIN_KEYS: Final = {
    "console.help": "?",
    "console.actions": "x",
    "console.go": "g",
    "console.search": "/words",
    "console.sort": "s",
    "console.refresh": "Enter",
    "console.organization": "o",
    "console.back": ".",
    "console.quit": "q",
}
_PLAIN_HABITS: Final = (
    *((_PLAIN_KEYS[each.id], f"{each.title}: {each.help}") for each in HABITS if each.id in _PLAIN_KEYS),
    ("+ -", "Show the lines after these, or before."),
)


def _key(action: Action) -> str:
    """Give what is typed for an action: its letter, or the word `open`, since Enter alone shows the place again."""
    return "open" if action.key == "enter" else action.key
