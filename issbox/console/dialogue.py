"""Asking and telling line by line: questions, choices by number, and confirmations."""

from collections.abc import Sequence
from typing import Final, Protocol

from issbox.console.words import Consequences, Kind, Question, Text
from issbox.errors import BugError, IssboxError
from issbox.files import error_from_os
from issbox.screen_text import printable, wrapped

NUMBER: Final = 5
"""Columns of the number before a line."""
_DIGITS: Final = 12
_PICKED: Final = 40
"""Choices shown at once."""


def number_in(word: str) -> int | None:
    """Give the number that a word is; None for anything else, and for one that no list is long enough for."""
    return int(word) if word.isdecimal() and len(word) <= _DIGITS else None


class Teletype(Protocol):
    """Where lines are read from and written to."""

    columns: int

    def ask(self, prompt: str, *, secret: bool = False) -> str | None:
        """Read a line; None at the end of input."""

    def tell(self, line: str) -> None:
        """Write a line."""


class LeftError(Exception):
    """The operator left a dialogue, or the input ended."""


def told(error: Exception) -> IssboxError:
    """Give what an operator is told of an error: its own words, or that it is a bug."""
    if isinstance(error, IssboxError):
        return error
    if isinstance(error, OSError):
        return error_from_os(error)
    return BugError(f"{type(error).__name__}: {error}", hint="Report it, with what you did before.")


class Dialogue:
    """Talks with an operator over a teletype. A single `.`, or the end of input, raises LeftError."""

    def __init__(self, teletype: Teletype) -> None:
        self._teletype = teletype

    def say(self, text: str) -> None:
        """Write text in lines that fit."""
        for line in wrapped(text, self._teletype.columns):
            self._teletype.tell(line)

    def confirm(self, told: Consequences) -> None:
        """Show what will happen and go on only with a yes; raises LeftError."""
        self.say(told.title)
        for line in told.lines:
            self.say(line)
        if told.refusals:
            self.say("It cannot be done:")
            for line in told.refusals:
                self.say(f"! {line}")
            raise LeftError
        if told.final:
            self.say("This cannot be taken back.")
        answer = self._teletype.ask(f"{told.verb}? (y/n) ")
        if answer is None or answer.strip().casefold() not in ("y", "yes"):
            raise LeftError

    def read(self, text: Text) -> None:
        """Write a text whole."""
        self.say(text.title)
        for line in text.lines:
            if text.wrap:
                self.say(line)
            else:
                self._teletype.tell(printable(line))

    def question(self, question: Question) -> str:
        """Give the answer to a question; raises LeftError."""
        if question.kind is Kind.CHOICE:
            if question.help:
                self.say(question.help)
            return self.pick(question.label, question.choices, question.default)
        while True:
            answer = self._one_line(question)
            if answer.strip() or not question.required:
                return answer
            self.say("It is needed; a single . leaves.")

    def _one_line(self, question: Question) -> str:
        if question.help:
            self.say(question.help)
        default = f" [{printable(question.default)}]" if question.default else ""
        given = self._teletype.ask(f"{question.label}{default}: ", secret=question.kind is Kind.HIDDEN)
        if given is None or given.strip() == ".":
            raise LeftError
        if question.kind is Kind.YES_NO:
            word = given.strip().casefold() or question.default
            return "yes" if word in ("y", "yes") else "no"
        if given.strip() == "-" and question.default:
            return ""
        return given or question.default

    def pick(self, title: str, options: Sequence[tuple[str, str]], default: str = "") -> str:
        """Give one of several, chosen by its number or a part of its name; raises LeftError."""
        if not options:
            self.say(f"{title}: there is nothing to choose from.")
            raise LeftError
        left = list(options)
        while True:
            self.say(f"{title}:")
            for at, (answer, words) in enumerate(left[:_PICKED], 1):
                self.say(f"{at:>{NUMBER - 1}} {words}" + (" (now)" if answer == default else ""))
            if len(left) > _PICKED:
                self.say(f"... and {len(left) - _PICKED} more: type a part of the name.")
            given = self._teletype.ask("Number, or part of the name; . leaves => ")
            if given is None or given.strip() == ".":
                raise LeftError
            word = given.strip()
            if not word and any(answer == default for answer, _ in options):
                return default
            if 0 < (number_in(word) or 0) <= min(len(left), _PICKED):
                return left[int(word) - 1][0]
            left = [each for each in options if word.casefold() in each[1].casefold()] or list(options)
            if len(left) == 1:
                return left[0][0]
