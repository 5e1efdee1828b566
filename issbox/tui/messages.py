"""What workers tell the screen, in the past tense."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.message import Message

from issbox.console.words import Action, Answers, Consequences, Outcome, Question, Target, Text, View
from issbox.errors import IssboxError


@dataclass
class Loaded(Message):
    """A place was read."""

    ticket: int
    view: View
    count: int


@dataclass
class Asked(Message):
    """An action has questions, or none."""

    action: Action
    target: Target
    questions: Sequence[Question]


@dataclass
class Planned(Message):
    """It is known what an action would do; None when that needs no confirmation."""

    action: Action
    target: Target
    answers: Answers
    consequences: Consequences | None


@dataclass
class Finished(Message):
    """An action was done."""

    action: Action
    outcome: Outcome


@dataclass
class Failed(Message):
    """Something went wrong in a worker."""

    what: str
    error: IssboxError


@dataclass
class Said(Message):
    """A worker has something for the status line."""

    words: str


@dataclass
class Reread(Message):
    """A text that is being watched was read again."""

    text: Text


@dataclass
class Changed(Message):
    """Somebody changed something: another operator, the service or a job."""
