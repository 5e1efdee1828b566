"""How long a thread waits for the database: a request has somebody who waits for its answer, a job has not."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

BUSY_SECONDS: Final = 30
"""How long a writer waits for another one before it gives up, on either kind of database."""
CONNECT_SECONDS: Final = 10
"""How long a server of a database may take to let somebody in."""
_patience: ContextVar[float | None] = ContextVar("patience", default=None)


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Let no statement of the with-block wait longer for the database; DatabaseBusyError is what it raises then.

    It goes with the context of Python: `asyncio.to_thread` takes it along, a thread of its own does not have it.
    """
    token = _patience.set(seconds)
    try:
        yield
    finally:
        _patience.reset(token)


def seconds_left(longest: float) -> float:
    """Give what the present patience leaves of a wait."""
    present = _patience.get()
    return longest if present is None else min(longest, present)


def statement_seconds() -> float | None:
    """Give how long one statement may take; None for as long as it takes."""
    return _patience.get()
