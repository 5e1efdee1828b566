"""In which order bundles are imported: those of one source are numbered, and an older one would be refused later."""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from typing import TypeVar

from issbox.model import ContentImport
from issbox.workflows.inbox.peeking import Hint

T = TypeVar("T")


def line_of(organization: str | None, hint: Hint) -> tuple[str | None, ...]:
    """Give what bundles are numbered within: where they go, source box, organization there, and destination."""
    return (organization, *hint.line)


def place_of(organization: str | None, hint: Hint | None) -> tuple[Hashable, int] | None:
    """Give a bundle's line and its number in it, as far as it says anything."""
    return None if hint is None else (line_of(organization, hint), hint.bundle.sequence)


def in_order(things: Sequence[tuple[T, tuple[Hashable, int] | None]]) -> Iterator[T]:
    """Give things as they stand, but before each one those of its line that have a smaller number.

    With each thing comes its line and its number in it, None when that is not known.
    """
    lines: dict[Hashable, list[tuple[int, int]]] = defaultdict(list)
    for place, (_, numbered) in enumerate(things):
        if numbered is not None:
            lines[numbered[0]].append((numbered[1], place))
    left = {line: iter(sorted(places)) for line, places in lines.items()}
    given: set[int] = set()
    for place, (thing, numbered) in enumerate(things):
        if numbered is None:
            yield thing
            continue
        while place not in given:
            _, earliest = next(left[numbered[0]])
            given.add(earliest)
            yield things[earliest][0]


def in_their_order(bundles: Sequence[tuple[ContentImport, Hint | None]]) -> Iterator[ContentImport]:
    """Give the rows of bundles as they were seen first, but of its source and destination the one made first."""
    seen = sorted(bundles, key=lambda each: (each[0].first_seen, each[0].id))
    return in_order([(row, place_of(row.organization, hint)) for row, hint in seen])
