"""What peewee and the drivers raise, as errors that front ends can show."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import peewee

from issbox.errors import DatabaseBusyError, DatabaseError, InvalidValueError, NoSpaceError

_LARGEST: Final = (1 << 63) - 1


def _is_driver_error(error: Exception) -> bool:
    return isinstance(error, peewee.PeeweeException | sqlite3.Error) or any(
        each.__module__.partition(".")[0] == "psycopg" for each in type(error).__mro__
    )


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    """Give an error and what led to it: a transaction that cannot even be rolled back hides why."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _says_full(error: BaseException) -> bool:
    """Tell whether it is SQLite's SQLITE_FULL or PostgreSQL's disk_full (class 53)."""
    return "disk is full" in str(error) or type(error).__name__ == "DiskFull"


def _says_busy(error: BaseException) -> bool:
    """Tell whether it is SQLite's SQLITE_BUSY, PostgreSQL's lock_not_available, or a server that did not answer."""
    names = {each.__name__ for each in type(error).__mro__}
    return bool(names & {"LockNotAvailable", "NoAnswerError", "ConnectionTimeout"}) or (
        isinstance(error, sqlite3.OperationalError) and getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY")
    )


@contextmanager
def translated() -> Iterator[None]:
    """Turn what peewee or a driver raises into DatabaseError, or NoSpaceError when the disk is full.

    DatabaseBusyError, a kind of the former, is for what may be done a moment later.
    A number of more than 64 bits, which SQLite takes nowhere, gives InvalidValueError.
    """
    try:
        yield
    except OverflowError as error:
        if "SQLite" not in str(error):  # somebody's in the with-block
            raise
        raise InvalidValueError(f"a number is larger than any that a box keeps, {_LARGEST}") from error
    except Exception as error:
        if not _is_driver_error(error):
            raise
        if any(map(_says_full, _with_causes(error))):
            raise NoSpaceError("the disk of the database is full") from error
        busy = next(filter(_says_busy, _with_causes(error)), None)
        if busy is not None:
            raise DatabaseBusyError(f"the database did not answer in time: {busy}") from error
        raise DatabaseError(f"the database failed: {str(error).strip() or type(error).__name__}") from error
