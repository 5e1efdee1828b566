"""Finding the repositories of a place that content paths lead to, by its listing files: many at once, and not all."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from issbox.rules.content.cdn import fits_variable, template_segments, variable_of
from issbox.yum.groups import first_failure
from issbox.yum.listings import Listings, open_listings
from issbox.yum.request import MirrorRequest

MOST_LISTINGS: Final = 10_000
"""Listing files read in one walk."""
MOST_PLACES: Final = 20_000
"""Repositories found in one walk."""
MOST_SIZE: Final = 64 << 20
"""Bytes of all listing files of one walk."""
MOST_PROBES: Final = 500
"""Repositories that no listing names whose metadata is looked for."""


@dataclass(frozen=True, slots=True)
class Template:
    """A content path to be followed."""

    key: str
    """What its places are called by."""
    path: str
    arches: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    """Of variables that are known already."""


@dataclass(frozen=True, slots=True)
class Place:
    """A repository that a content path leads to."""

    key: str
    path: str
    """Relative."""
    variables: Mapping[str, str] = field(default_factory=dict)
    confirmed: bool = False
    """Whether a listing names it or its metadata is there."""


@dataclass(frozen=True, slots=True)
class Walk:
    """What was found."""

    places: tuple[Place, ...]
    """By key and path."""
    listings: int
    """Directories that were looked at."""
    readable: bool
    """Whether there was any listing file at all."""
    cut: bool = False
    """Whether it ended early because there is too much."""


_STEPS: Final = 10
"""How many times `MOST_PLACES` directories may be thought of on the way to the places."""


@dataclass(slots=True)
class _Bounds:
    """How far a walk may go, and how far it went."""

    listings: int
    places: int
    found: int = 0
    steps: int = 0
    readable: bool = False
    cut: bool = False

    def allow(self, listings: Listings) -> bool:
        """Tell whether one more directory may be looked at."""
        self.cut = (
            self.cut or listings.read >= self.listings or listings.size > MOST_SIZE or self.steps > self.places * _STEPS
        )
        return not self.cut


def walk(
    request: MirrorRequest,
    templates: Sequence[Template],
    *,
    most_listings: int = MOST_LISTINGS,
    most_places: int = MOST_PLACES,
) -> Walk:
    """Follow content paths from the URL of the request down.

    What a listing does not name is not there. A variable becomes each name that the listing has; without a listing it
    becomes nothing, unless its value is known. Raises UnreachableError, UpstreamError, BadMetadataError for a listing
    that is none, and what a wrong URL raises.
    """
    return asyncio.run(_walk(request, templates, _Bounds(most_listings, most_places)))


async def _walk(request: MirrorRequest, templates: Sequence[Template], bounds: _Bounds) -> Walk:
    async with open_listings(request) as listings:
        found: list[Place] = []
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(_follow(listings, each, bounds)) for each in templates]
        except BaseExceptionGroup as failures:
            raise first_failure(failures) from None
        for task in tasks:
            found += task.result()
        places = await _probe(listings, found)
        ordered = tuple(sorted(places, key=lambda each: (each.key, each.path)))
        return Walk(ordered, listings.read, bounds.readable, bounds.cut)


async def _follow(listings: Listings, template: Template, bounds: _Bounds) -> list[Place]:
    segments = template_segments(template.path)
    if segments is None:
        return []
    places = [Place(template.key, "")]
    for segment in segments:
        steps = await asyncio.gather(*(_step(listings, each, segment, template, bounds) for each in places))
        places = [place for step in steps for place in step]
    bounds.found += len(places)
    bounds.cut = bounds.cut or bounds.found > bounds.places
    return [] if bounds.cut else places


async def _step(listings: Listings, place: Place, segment: str, template: Template, bounds: _Bounds) -> list[Place]:
    """Go from a directory into those that a segment of the content path stands for."""
    if not bounds.allow(listings):
        return []
    names = await listings.look(place.path)
    bounds.readable = bounds.readable or names is not None
    variable = variable_of(segment)
    if variable is None:
        here = [(segment, place.variables)]
    else:
        known = place.variables.get(variable) or template.values.get(variable)
        values = [known] if known is not None else sorted(names or ())
        fitting = [each for each in values if fits_variable(variable, each, template.arches)]
        here = [(each, {**place.variables, variable: each}) for each in fitting]
    bounds.steps += len(here)
    return [
        Place(place.key, f"{place.path}/{name}" if place.path else name, variables, confirmed=names is not None)
        for name, variables in here
        if names is None or name in names
    ]


async def _probe(listings: Listings, places: Sequence[Place]) -> list[Place]:
    """Look for the metadata of repositories that no listing names, as far as they are not too many."""
    open_questions = [each for each in places if not each.confirmed]
    if len(open_questions) > MOST_PROBES:
        return list(places)
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [(each, group.create_task(listings.has_repository(each.path))) for each in open_questions]
    except BaseExceptionGroup as failures:
        raise first_failure(failures) from None
    there = [replace(each, confirmed=True) for each, task in tasks if task.result()]
    return [each for each in places if each.confirmed] + there
