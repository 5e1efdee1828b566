"""Where the operator is and came from, and what the screen shows of it."""

from dataclasses import dataclass, field
from typing import Any

from issbox.console.words import Place, Target, View, Wanted


@dataclass
class Stop:
    """A place that the operator is at, or came from."""

    place: Place
    subject: Any = None
    wanted: Wanted = field(default_factory=Wanted)
    position: int = 0
    key: str | None = None
    """Of the chosen line."""
    view: View | None = None

    def target(self, thing: Any) -> Target:
        """Give what an action here is about."""
        return Target(self.subject, thing)

    def sorted_by(self, column: int) -> Wanted:
        """Give the wish to sort by a column; by the one it is sorted by already, the other way round."""
        turned = self.wanted.sort == column and not self.wanted.descending
        return Wanted(self.wanted.search, column, turned)
