"""One round: look at the inbox, tell the tracker, write down what changed."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from issbox.files import error_from_os
from issbox.model import ContentImport
from issbox.watcher.facts import fields
from issbox.watcher.scan import Candidate, look
from issbox.watcher.settle import SettleTracker
from issbox.workflows.context import Context
from issbox.workflows.inbox.inbox import WAITING_STATES, Sighting, record

_LOG: Final = logging.getLogger("issbox.inbox")


@dataclass(frozen=True, slots=True)
class Round:
    """What one look at the inbox came to."""

    present: bool
    """Whether the inbox is there at all."""
    changed: tuple[ContentImport, ...] = ()
    next_look: float | None = None
    """Seconds until something may have settled; None when nothing is on its way."""


class Rounds:
    """Looks at the inbox again and again, remembering what it saw before."""

    def __init__(self, ctx: Context, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Prepare; `clock` gives seconds that only go forward."""
        self._ctx = ctx
        self._clock = clock
        settings = ctx.settings.inbox
        self._inbox = settings.path
        self._tracker = SettleTracker(
            quiet_for=settings.quiet_for_seconds, incomplete_after=settings.incomplete_after_seconds
        )
        self._primed = False
        self._absent = False
        self._told: set[str] = set()

    def go(self) -> Round:
        """Look once. An inbox that is not there is said once and changes nothing. Raises DatabaseError."""
        with self._ctx.store.session():
            self._prime()
            organizations = {organization.label for organization in self._ctx.store.organizations.list()}
            try:
                findings = look(self._inbox, organizations, self._ctx.settings.inbox.max_files)
            except OSError as error:
                self._tell_absent(str(error_from_os(error)))
                return Round(present=False)
            self._tell_present()
            self._tell_nameless([str(path) for path in findings.nameless])
            at = self._clock()
            candidates = [each for each in findings.candidates if not self._is_our_own(each)]
            sightings = [self._sight(candidate, at) for candidate in candidates]
            self._tracker.keep_only({candidate.path for candidate in candidates})
            changed = record(self._ctx, sightings)
            return Round(True, tuple(changed), self._tracker.next_look(at))

    def _prime(self) -> None:
        """Learn from the rows what an earlier process saw, so that its waiting was not in vain."""
        if self._primed:
            return
        now, at = self._ctx.clock(), self._clock()
        for row in self._ctx.store.imports.list(states=WAITING_STATES):
            if row.inbox and row.fingerprint:
                age = max(0.0, (now - row.updated_at).total_seconds())
                self._tracker.prime(Path(row.path), row.fingerprint, since=at - age)
        self._primed = True

    def _is_our_own(self, candidate: Candidate) -> bool:
        """Tell whether it is the archive or the quarantine, kept inside the inbox, or lies in one or around one."""
        settings = self._ctx.settings.inbox
        return any(
            candidate.path.is_relative_to(kept) or kept.is_relative_to(candidate.path)
            for kept in (settings.archive_path, settings.quarantine_path)
        )

    def _sight(self, candidate: Candidate, at: float) -> Sighting:
        settled = self._tracker.saw(candidate.path, candidate.fingerprint, complete=candidate.complete, at=at)
        return Sighting(
            path=str(candidate.path),
            organization=candidate.organization,
            fingerprint=candidate.fingerprint,
            settled=settled,
            words=candidate.words,
            files=candidate.files,
            size=candidate.size,
            members=tuple(map(str, candidate.members)),
        )

    def _tell_absent(self, why: str) -> None:
        if not self._absent:
            self._absent = True
            _LOG.warning("the inbox cannot be read; looking again %s", fields(inbox=self._inbox, reason=why))

    def _tell_present(self) -> None:
        if self._absent:
            self._absent = False
            _LOG.info("the inbox is back %s", fields(inbox=self._inbox))

    def _tell_nameless(self, paths: list[str]) -> None:
        for path in set(paths) - self._told:
            _LOG.warning("a name in the inbox is not UTF-8; rename it %s", fields(path=ascii(path)))
        self._told = set(paths)
