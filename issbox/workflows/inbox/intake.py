"""Working through the inbox: which settled bundle is next, and what follows when its import has ended."""

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from issbox.errors import InterruptedByUserError, IssboxError
from issbox.files import FileLock
from issbox.model import ContentImport, ImportState
from issbox.workflows.context import Context
from issbox.workflows.imports.chunks import ChunkFolders
from issbox.workflows.imports.importing import import_bundle
from issbox.workflows.inbox.disposal import finish_bundle
from issbox.workflows.inbox.import_order import in_their_order, line_of
from issbox.workflows.inbox.peeking import Hint, peek_in_inbox

_LOG: Final = logging.getLogger("issbox.work")


class Attempts:
    """Remembers which imports failed for reasons that are not the bundle's, and when to try them again.

    The wait doubles with every failure, since one that shows only at the end of a large bundle is dear to repeat.
    """

    def __init__(self, first_wait: float, longest_wait: float = 3600.0) -> None:
        """Wait `first_wait` seconds after the first failure and `longest_wait` at most."""
        self._first_wait = first_wait
        self._longest_wait = max(first_wait, longest_wait)
        self._failures: dict[int, tuple[int, float]] = {}

    def may_try(self, import_id: int, at: float) -> bool:
        """Tell whether it is time to try this import."""
        return at >= self._failures.get(import_id, (0, at))[1]

    def failed(self, import_id: int, at: float) -> None:
        """Take note of a failure."""
        count = self._failures.get(import_id, (0, at))[0]
        wait = min(self._longest_wait, self._first_wait * 2.0 ** min(count, 32))
        self._failures[import_id] = (count + 1, at + wait)

    def ended(self, import_id: int) -> None:
        """Forget an import that is imported or refused."""
        self._failures.pop(import_id, None)


def next_settled(ctx: Context, may_try: Callable[[int], bool]) -> ContentImport | None:
    """Give the bundle of the inbox to import now, or None.

    One whose predecessor from the same source is still arriving waits for it.
    """
    with ctx.store.session():
        rows = ctx.store.imports.list(states=(ImportState.SETTLED, ImportState.ARRIVING))
        folders = ChunkFolders(ctx)
        hinted = [(row, peek_in_inbox(Path(row.path), folders, row.organization)) for row in rows if row.inbox]
        arriving = [each for each in hinted if each[0].state is ImportState.ARRIVING]
        settled = [each for each in hinted if each[0].state is ImportState.SETTLED and may_try(each[0].id)]
        waiting = [each for each in settled if not _has_predecessor(each, arriving)]
        return next(in_their_order(waiting), None)


def import_settled(
    ctx: Context,
    attempts: Attempts,
    *,
    clock: Callable[[], float] = time.monotonic,
    stopped: Callable[[], bool] = lambda: False,
) -> list[ContentImport]:
    """Import everything in the inbox that has settled, one after the other, and give the rows as they are then.

    A row that is SETTLED afterwards says why it could not be imported now; it is tried again later.
    Raises InterruptedByUserError when the progress says that the work is to end.
    """
    ended: list[ContentImport] = []
    while not stopped() and (row := next_settled(ctx, lambda each: attempts.may_try(each, clock()))) is not None:
        ended.append(_import_one(ctx, row, attempts, clock))
    return ended


def is_left_behind(ctx: Context) -> bool:
    """Tell whether rows say that an import is going on while none is: a process was killed, or its database failed."""
    with ctx.store.session():
        if not ctx.store.imports.list(states=(ImportState.CHECKING, ImportState.IMPORTING), limit=1):
            return False
        lock = FileLock(ctx.store.locks / "import.lock")
        free = lock.try_acquire()
        lock.release()
        return free


def _import_one(ctx: Context, row: ContentImport, attempts: Attempts, clock: Callable[[], float]) -> ContentImport:
    try:
        after = import_bundle(ctx, row.id)
    except InterruptedByUserError:
        raise
    except IssboxError as error:
        ctx.progress.note(f"{row.path} could not be imported now: {error}")
        return _failed(ctx, row, attempts, clock)
    except Exception:
        _LOG.exception("import %d failed in a way that is a mistake in issbox", row.id)
        return _failed(ctx, row, attempts, clock)
    attempts.ended(row.id)
    verdict = f"{after.state} ({after.error_code})" if after.error_code else str(after.state)
    ctx.progress.note(f"{row.path}: {verdict}{': ' if after.reason else ''}{after.reason}")
    return finish_bundle(ctx, after)


def _failed(ctx: Context, row: ContentImport, attempts: Attempts, clock: Callable[[], float]) -> ContentImport:
    attempts.failed(row.id, clock())
    with ctx.store.session():
        return ctx.store.imports.get(row.id)


def _has_predecessor(
    bundle: tuple[ContentImport, Hint | None], arriving: Sequence[tuple[ContentImport, Hint | None]]
) -> bool:
    row, hint = bundle
    return hint is not None and any(
        other_hint is not None
        and line_of(other.organization, other_hint) == line_of(row.organization, hint)
        and other_hint.bundle.sequence < hint.bundle.sequence
        for other, other_hint in arriving
    )
