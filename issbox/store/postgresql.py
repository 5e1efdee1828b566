"""PostgreSQL that may hang: connections that give up when patience ends, and notice a server that is gone.

A server that fails closes its connections. One that hangs (a stopped process, a disk that does not answer, a machine
without power behind a switch that has) does not, and whoever waits for it waits for ever.
"""

import time
from collections.abc import Generator
from typing import Any, Final

import peewee
import psycopg

from issbox.store.patience import CONNECT_SECONDS, seconds_left, statement_seconds

_NOTICE_DEATH: Final = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""Over a network: after a minute a machine that answers nothing at all counts as gone."""
_INTERVAL: Final = 0.1
"""Seconds after which a wait looks at its end."""


class NoAnswerError(psycopg.OperationalError):
    """The server did not answer in time."""


class _Connection(psycopg.Connection[Any]):
    """A connection that keeps to the patience of its thread."""

    def wait(self, gen: Any, interval: float = _INTERVAL, timeout: float | None = None) -> Any:
        """Wait for what the driver does; too late, the connection is closed, since nobody knows where it is."""
        given = statement_seconds()
        if given is None or timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(_within(gen, given), min(interval, _INTERVAL))
        except NoAnswerError:
            self.pgconn.finish()
            raise


def _within(gen: Generator[Any, Any, Any], seconds: float) -> Generator[Any, Any, Any]:
    """Pass on what a generator of the driver waits for, until so many seconds are over."""
    end = time.monotonic() + seconds
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if not ready and time.monotonic() >= end:
                raise NoAnswerError(f"no answer within {seconds:g} seconds")
            wanted = gen.send(ready)
    except StopIteration as done:
        return done.value


class _Adapter(peewee.Psycopg3Adapter):
    """Makes such connections."""

    def connect(self, db: Any, **params: Any) -> Any:
        """Connect by the URL; what it says of time limits counts."""
        given = psycopg.conninfo.conninfo_to_dict(db.database)
        limits: dict[str, Any] = {**_NOTICE_DEATH, "connect_timeout": int(max(2, seconds_left(CONNECT_SECONDS)))}
        wanted: dict[str, Any] = {name: value for name, value in limits.items() if name not in given}
        return _Connection.connect(db.database, **wanted, **params)


class Postgresql(peewee.PostgresqlDatabase):
    """A database of PostgreSQL by its URL."""

    psycopg3_adapter = _Adapter
