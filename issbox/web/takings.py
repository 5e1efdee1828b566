"""Counting what is given to whom, until it is written down: a request costs no query."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from issbox.certs.clients import Presented
from issbox.errors import UntrustedCertificateError
from issbox.rules.serving import Place
from issbox.web.current import Current
from issbox.workflows.cdn.downstream import Shown

WRITE_EVERY: Final = 30.0
"""Seconds between two times that it is written down."""
_MOST_COUNTED: Final = 4096
"""Certificates and environments counted at once; what is more is not."""


class _Count:
    """What was given to one certificate from one environment."""

    __slots__ = ("first_at", "last_at", "requests", "size")

    def __init__(self, at: datetime) -> None:
        self.first_at = self.last_at = at
        self.requests = self.size = 0


class Takings:
    """Counts in the event loop; whoever writes down takes what was counted."""

    def __init__(self, current: Current, clock: Callable[[], datetime]) -> None:
        """Count from now on."""
        self._current = current
        self._clock = clock
        self._counts: dict[tuple[str, str, Presented], _Count] = {}

    def note(self, place: Place | None, presented: Presented | None, size: int) -> None:
        """Count a file that was given from an environment."""
        if place is None or presented is None or place.view is not None:
            return
        key = (place.organization, place.environment, presented)
        now = self._clock()
        count = self._counts.get(key)
        if count is None:
            if len(self._counts) >= _MOST_COUNTED:
                return
            count = self._counts[key] = _Count(now)
        count.last_at = now
        count.requests += 1
        count.size += size

    async def take(self) -> list[Shown]:
        """Give what was counted since the last time."""
        counts, self._counts = self._counts, {}
        if not counts:
            return []
        own = (await self._current.overview()).trust.own
        taken = []
        for (organization, environment, presented), count in counts.items():
            try:
                if own is not None:
                    presented.leads_to(own, count.last_at)
                is_own = own is not None
            except UntrustedCertificateError:
                is_own = False
            taken.append(
                Shown(
                    organization,
                    environment,
                    presented.decoded,
                    is_own,
                    count.first_at,
                    count.last_at,
                    count.requests,
                    count.size,
                )
            )
        return taken
