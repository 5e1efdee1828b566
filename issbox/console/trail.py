"""Where the operator is and came from, and what is shown of it."""

from dataclasses import dataclass, field
from typing import Any, Final

from issbox.console.registry import find_place
from issbox.console.words import Opening, Place, Target, View, Wanted

_FIRST: Final = "overview"


@dataclass
class Stop:
    """A place that the operator is at, or came from."""

    place: Place
    subject: Any = None
    wanted: Wanted = field(default_factory=Wanted)
    position: int = 0
    """Of the chosen line, or of the first one shown."""
    key: str | None = None
    """Of the chosen line."""
    view: View | None = None

    def target(self, thing: Any) -> Target:
        """Give what an action here is about."""
        return Target(self.subject, thing)

    def want(self, wanted: Wanted) -> None:
        """Show something else of the place, from its beginning."""
        self.wanted, self.position, self.key = wanted, 0, None

    def sorted_by(self, column: int) -> Wanted:
        """Give the wish to sort by a column; by the one it is sorted by already, the other way round."""
        turned = self.wanted.sort == column and not self.wanted.descending
        return Wanted(self.wanted.search, column, turned)


class Trail:
    """The way that an operator took: from a place with a key down to where it is now."""

    def __init__(self) -> None:
        self._stops = [Stop(find_place(_FIRST))]

    @property
    def here(self) -> Stop:
        """Where the operator is."""
        return self._stops[-1]

    def go(self, opening: Opening) -> None:
        """Go to a place: one with a key begins anew, one below another can be left by going back.

        Another subject at the same place takes the present one's, with the same line chosen.
        """
        place = find_place(opening.place)
        if place.key:
            self._stops.clear()
        elif place is self.here.place:
            here = self._stops.pop()
            self._stops.append(Stop(place, opening.subject, here.wanted, here.position, here.key))
            return
        self._stops.append(Stop(place, opening.subject))

    def back(self) -> None:
        """Go back where the operator came from; from a place with a key, to the first one."""
        if len(self._stops) > 1:
            self._stops.pop()
        elif self.here.place.id != _FIRST:
            self._stops[:] = [Stop(find_place(_FIRST))]
