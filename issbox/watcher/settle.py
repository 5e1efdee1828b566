"""When a candidate has stopped growing: a pure tracker that is told what was seen and what time it is.

Times are seconds of any clock that only goes forward. Fingerprints are compared for equality only, so modification
times in the future, or rounded to two seconds as vfat does it, do no harm.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(slots=True)
class _Sighting:
    """What was seen of one candidate last, and since when it has looked like that."""

    fingerprint: str
    since: float
    complete: bool


class SettleTracker:
    """Remembers what each candidate looked like and says which ones stand still."""

    def __init__(self, *, quiet_for: float, incomplete_after: float) -> None:
        """Settle what is unchanged for `quiet_for` seconds and complete, or unchanged for `incomplete_after`."""
        self._quiet_for = quiet_for
        self._incomplete_after = max(quiet_for, incomplete_after)
        self._sightings: dict[Path, _Sighting] = {}

    def prime(self, path: Path, fingerprint: str, *, since: float) -> None:
        """Take over what an earlier process saw, unless this one has already seen the candidate itself."""
        self._sightings.setdefault(path, _Sighting(fingerprint, since, complete=False))

    def saw(self, path: Path, fingerprint: str, *, complete: bool, at: float) -> bool:
        """Take note of a candidate as it looks now and tell whether it has settled.

        A change starts the wait over; becoming complete without a change cannot happen, but would not.
        """
        known = self._sightings.get(path)
        if known is None or known.fingerprint != fingerprint:
            known = self._sightings[path] = _Sighting(fingerprint, at, complete)
        known.complete = complete
        return self._settles_at(known) <= at

    def keep_only(self, paths: set[Path]) -> None:
        """Forget every candidate that is not among these."""
        for path in self._sightings.keys() - paths:
            del self._sightings[path]

    def next_look(self, at: float) -> float | None:
        """Give the seconds until the next candidate settles if nothing changes; None when none is on its way.

        Never more than the candidate's whole wait, whatever the rounding of a large clock.
        """
        waits = [
            min(self._wait_of(sighting), self._settles_at(sighting) - at)
            for sighting in self._sightings.values()
            if self._settles_at(sighting) > at
        ]
        return min(waits, default=None)

    def _settles_at(self, sighting: _Sighting) -> float:
        return sighting.since + self._wait_of(sighting)

    def _wait_of(self, sighting: _Sighting) -> float:
        return self._quiet_for if sighting.complete else self._incomplete_after
