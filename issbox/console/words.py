"""What the console is made of: places with lines, actions on them, questions, and what comes of an action.

Both front ends, the full-screen one and the line mode, show these and know nothing of organizations or bundles.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from issbox.workflows.context import Permission

if TYPE_CHECKING:
    from issbox.console.session import Session


T = TypeVar("T")


class Mood(Enum):
    """How a line is meant. Its colour says it a second time: the words of the line say it first."""

    PLAIN = "plain"
    GOOD = "good"
    BUSY = "busy"
    BAD = "bad"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    title: str
    width: int
    """Columns of the terminal that it takes at least."""
    grow: int = 0
    """Its share of the room that is left over."""
    spare: bool = False
    """Whether it is left out where the others would be cut; what it says stands in the details, too."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table."""

    key: str
    """Tells it from the others, also after a refresh."""
    cells: tuple[str, ...]
    thing: Any = None
    """What actions on the line are given."""
    mood: Mood = Mood.PLAIN


class Lines(Protocol):
    """The lines of a table, however many there are."""

    def count(self) -> int:
        """Give how many there are."""

    def fetch(self, start: int, number: int) -> Sequence[Line]:
        """Give so many of them from a position on; fewer at the end."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How the operator wants to see a place: what is searched for, and by which column it is sorted."""

    search: str = ""
    sort: int | None = None
    descending: bool = False

    def order(self, orders: Mapping[int, T], default: T) -> T:
        """Give which of the orders of a long table is wanted, by the column that shows what it goes by."""
        return default if self.sort is None else orders.get(self.sort, default)


@dataclass(frozen=True, slots=True)
class View:
    """What a place shows now."""

    title: str
    columns: tuple[Column, ...]
    lines: Lines
    empty: str = "Nothing is here."
    """What stands there when there are no lines."""
    sorts: tuple[int, ...] | None = None
    """Numbers of the columns that it can be sorted by; None for all."""
    head: tuple[str, ...] = ()
    """Lines above the table."""

    def sort_choices(self) -> tuple[tuple[str, str], ...]:
        """Give number and title of each column that it can be sorted by."""
        numbers = range(len(self.columns)) if self.sorts is None else self.sorts
        return tuple((str(at), self.columns[at].title) for at in numbers)


@dataclass(frozen=True, slots=True)
class Target:
    """What an action is about: the place's subject, and the thing of the chosen line."""

    subject: Any = None
    thing: Any = None


@dataclass(frozen=True, slots=True)
class Place:
    """A screen of the console."""

    id: str
    title: str
    help: str
    show: Callable[["Session", Any, Wanted], View]
    """Gives what it shows, of its subject and as wanted. Called in a thread; raises IssboxError."""
    key: str = ""
    """The key that goes there from everywhere; none for places below others."""
    short: str = ""
    """Its name where there is little room."""


class Kind(StrEnum):
    """What a question takes."""

    TEXT = "text"
    HIDDEN = "hidden"
    """A text that is not shown while it is typed."""
    CHOICE = "choice"
    YES_NO = "yes-no"


@dataclass(frozen=True, slots=True)
class Question:
    """One field of a form."""

    id: str
    label: str
    kind: Kind = Kind.TEXT
    default: str = ""
    """The answer to begin with; `yes` or `no` for a yes-no question."""
    choices: tuple[tuple[str, str], ...] = ()
    """Answer and words of each choice."""
    required: bool = False
    help: str = ""


Answers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Text:
    """A text to read, and to take away."""

    title: str
    lines: tuple[str, ...]
    values: tuple[tuple[str, str], ...] = ()
    """Names and values that somebody may want to copy."""
    wrap: bool = True
    """Whether long lines are broken; codes of squares must not be."""


@dataclass(frozen=True, slots=True)
class Consequences:
    """What an action will do, to be confirmed."""

    title: str
    lines: tuple[str, ...]
    verb: str = "Go on"
    refusals: tuple[str, ...] = ()
    """What stands against it; with any of these it is not done."""
    final: bool = False
    """Whether it cannot be taken back."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """Added to the answers when it is confirmed."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A place to go to, with its subject."""

    place: str
    subject: Any = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an action."""

    message: str = ""
    text: Text | None = None
    opening: Opening | None = None
    job: int | None = None
    """A job that was begun, to be watched."""


@dataclass(frozen=True, slots=True)
class Action:
    """Something an operator can do."""

    id: str
    """Its place's id and a verb, such as `inbox.approve`."""
    key: str
    """A letter, or `enter`."""
    title: str
    run: Callable[["Session", Target, Answers], Outcome]
    """Does it; called in a thread. Its docstring is the help."""
    needs: type | tuple[type, ...] | None = None
    """What kind of thing the chosen line must hold; None when it needs no line."""
    permission: Permission | None = None
    where: Callable[["Session", Target], tuple[str | None, tuple[str, ...]]] | None = None
    """Gives the organization (None: the box) and products that it touches; by default the session's organization."""
    ask: Callable[["Session", Target], Sequence[Question]] | None = None
    confirm: Callable[["Session", Target, Answers], Consequences | None] | None = None
    why_not: Callable[["Session", Target], str] | None = None
    """Says why it cannot be done to this thing now; empty when it can."""

    @property
    def place(self) -> str:
        """The id of the place where it can be done."""
        return self.id.partition(".")[0]

    @property
    def help(self) -> str:
        """What it does, for people."""
        return " ".join((self.run.__doc__ or "").split())
