"""The database of a store: opening SQLite or PostgreSQL, connections by thread, and transactions."""

import functools
import inspect
import os
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import peewee

from issbox.errors import ConfigurationError
from issbox.store.driver_errors import translated
from issbox.store.late_driver import load_psycopg
from issbox.store.patience import BUSY_SECONDS, seconds_left

_WRITER_LOCK: Final = 0x155B0C
"""PostgreSQL advisory lock of the one writer at a time that SQLite has by nature."""
_Function = TypeVar("_Function", bound=Callable[..., Any])


class _Thread(threading.local):
    """What a thread has open: one database after the other, when sessions of several stores are nested."""

    def __init__(self) -> None:
        self.databases: list[peewee.Database] = []
        self.afterwards: list[tuple[peewee.Database, Callable[[], None]]] = []


_thread = _Thread()


class SessionDatabase(peewee.DatabaseProxy):
    """Stands for the database of the session that the calling thread is in; tables are declared with it.

    Two stores in one process cannot touch each other's rows by this, whatever their threads do.
    """

    def __init__(self) -> None:
        self._callbacks: list[Callable[[object], object]] = []

    @property
    def obj(self) -> peewee.Database | None:
        """Give the database of the innermost session of this thread, or None outside of a session."""
        return _thread.databases[-1] if _thread.databases else None


SESSION: Final = SessionDatabase()


def current() -> peewee.Database:
    """Give the database of this thread's session; raises RuntimeError outside of one, which is a mistake in code."""
    if not _thread.databases:
        raise RuntimeError("the store is used outside of `with store.session():`")
    return _thread.databases[-1]


def open_database(path: Path, url: str | None) -> peewee.Database:
    """Prepare the database at the URL, or SQLite at the path; nothing is connected yet.

    Raises ConfigurationError when the URL is not one of PostgreSQL or its driver is not installed.
    """
    if url is None:
        # FULL: a bundle is archived or deleted and links are swapped once a commit has returned, so it must not be
        # lost with the power. It costs one fsync a transaction.
        return peewee.SqliteDatabase(
            str(path),
            pragmas={
                "journal_mode": "wal",
                "synchronous": "full",
                "foreign_keys": 1,
                "cache_size": -2 * 1024,  # the kernel keeps more of the file, and takes it away when memory is short
                "journal_size_limit": 64 << 20,
            },
            timeout=BUSY_SECONDS,
            lock_type="IMMEDIATE",
            autoconnect=False,
        )
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in {"postgresql", "postgres"}:
        raise ConfigurationError(
            "the database setting must be empty for SQLite, or a URL such as postgresql://user@host/issbox"
        )
    if not load_psycopg():
        raise ConfigurationError(
            "the database setting names PostgreSQL, but its driver psycopg is not installed",
            hint="Install it with `pip install 'issbox[postgresql]'`, or leave the setting empty to use SQLite.",
        )
    from issbox.store.postgresql import Postgresql

    return Postgresql(
        f"postgresql://{rest}",
        prefer_psycopg3=True,
        autoconnect=False,
        application_name="issbox",
        # Text sorts by its bytes, as in SQLite and in Python, whatever the locale of the server.
        field_types={"TEXT": 'TEXT COLLATE "C"'},
    )


def is_sqlite(database: peewee.Database) -> bool:
    """Tell which of the two databases it is."""
    return isinstance(database, peewee.SqliteDatabase)


def create_sqlite_file(path: Path) -> None:
    """Make the database file readable by its owner only: proxy addresses in it may hold passwords."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


@contextmanager
def session(database: peewee.Database) -> Iterator[None]:
    """Open this thread's connection, unless it is open already, and close it at the end of the outermost session."""
    with translated(), database.connection_context():
        busy = seconds_left(BUSY_SECONDS)
        if busy < BUSY_SECONDS and is_sqlite(database):
            _sqlite_waits(database, busy)
        _thread.databases.append(database)
        try:
            yield
        finally:
            _thread.databases.pop()


def _sqlite_waits(database: Any, seconds: float) -> None:
    database.execute_sql(f"PRAGMA busy_timeout = {int(seconds * 1000)}")


@contextmanager
def transaction() -> Iterator[None]:
    """Begin a transaction of the one writer at a time, or a savepoint inside of one.

    Raises DatabaseBusyError when another one writes for too long.
    """
    database: Any = current()
    try:
        with translated(), database.atomic():
            if not is_sqlite(database) and database.transaction_depth() == 1:
                wait = int(seconds_left(BUSY_SECONDS) * 1000)
                database.execute_sql(f"SET LOCAL lock_timeout TO {wait}; SELECT pg_advisory_xact_lock({_WRITER_LOCK})")
            yield
    finally:
        if not database.in_transaction():
            _do_afterwards(database)


@contextmanager
def snapshot() -> Iterator[None]:
    """Read everything as it is at one moment; with PostgreSQL nobody who writes waits for it."""
    database: Any = current()
    if is_sqlite(database):
        with transaction():
            yield
        return
    with translated(), database.atomic():
        database.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


@contextmanager
def passing_transaction() -> Iterator[None]:
    """Begin a transaction that returns before it is on the disk, for rows that nobody needs after a crash.

    A power failure may take it back, but nothing that came before it: the next other transaction waits for both. Inside
    a transaction it is a savepoint of that one.
    """
    database: Any = current()
    if database.in_transaction():
        with database.atomic():
            yield
    elif is_sqlite(database):
        database.execute_sql("PRAGMA synchronous = normal")
        try:
            with database.atomic():
                yield
        finally:
            database.execute_sql("PRAGMA synchronous = full")
    else:
        with database.atomic():
            database.execute_sql("SET LOCAL synchronous_commit TO off")
            yield


def after_transaction(database: peewee.Database, work: Callable[[], None]) -> None:
    """Do the work when this thread's transaction has ended, committed or rolled back; at once when there is none."""
    if database.in_transaction():
        _thread.afterwards.append((database, work))
    else:
        work()


def _do_afterwards(database: peewee.Database) -> None:
    due = [work for owner, work in _thread.afterwards if owner is database]
    _thread.afterwards = [each for each in _thread.afterwards if each[0] is not database]
    for work in due:
        work()


@contextmanager
def whole_sets() -> Iterator[None]:
    """Run statements that compare all files of a repository with all files of a draft.

    PostgreSQL has no statistics of rows that were written a moment ago, takes them for few, and would then compare
    each with each. Without nested loops it reads both sets once, which is what such statements need anyway.
    """
    database: Any = current()
    if is_sqlite(database):
        yield
        return
    with database.atomic():
        database.execute_sql("SET LOCAL enable_nestloop TO off")
        yield
        database.execute_sql("SET LOCAL enable_nestloop TO DEFAULT")


def execute(sql: str, parameters: Sequence[object] = ()) -> Any:
    """Run SQL written with `?` placeholders on the session's database and give its cursor."""
    database: Any = current()
    return database.execute_sql(sql.replace("?", database.param), tuple(parameters))


def execute_many(sql: str, rows: Sequence[Sequence[object]]) -> int:
    """Run SQL written with `?` placeholders once for each row, all in one call; gives the number of rows changed."""
    database: Any = current()
    cursor = database.connection().cursor()
    try:
        cursor.executemany(sql.replace("?", database.param), rows)
        return int(cursor.rowcount)
    finally:
        cursor.close()


def rows(query: Any) -> list[tuple[Any, ...]]:
    """Give all rows of a query as tuples."""
    return list(query.tuples())


def first(query: Any) -> tuple[Any, ...] | None:
    """Give the first row of a query as a tuple, or None."""
    found: tuple[Any, ...] | None = query.tuples().first()
    return found


def _translating(function: _Function) -> _Function:
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def generate(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            with translated():
                return (yield from function(*args, **kwargs))

        return cast("_Function", generate)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with translated():
            return function(*args, **kwargs)

    return cast("_Function", call)


class Noun:
    """Base of the classes that hold the queries of one noun.

    Their public methods raise DatabaseError and no other exception of peewee or a driver.
    """

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name, member in list(vars(cls).items()):
            if name.startswith("_"):
                continue
            if inspect.isfunction(member):
                setattr(cls, name, _translating(member))
            elif isinstance(member, property) and member.fget is not None:
                setattr(cls, name, property(_translating(member.fget), doc=member.__doc__))
