"""peewee without the driver of PostgreSQL, which is loaded when a database of PostgreSQL is opened.

peewee loads each driver that it finds, and psycopg takes longer to load than peewee and every table of the store: each
command on SQLite would wait for what it never uses. The store imports this module before any other.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

_DRIVERS: Final = ("psycopg", "psycopg2", "psycopg2cffi", "pymysql", "MySQLdb")


@contextmanager
def _unseen(names: tuple[str, ...]) -> Iterator[None]:
    """Let `import` not find these modules, unless they are loaded already."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None there is how Python marks what is not found
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)


with _unseen(_DRIVERS):
    import peewee


def load_psycopg() -> bool:
    """Give peewee the driver psycopg; tell whether it is installed."""
    module: Any = peewee
    if module.psycopg is None:
        try:
            import psycopg
            from psycopg.pq import TransactionStatus
            from psycopg.types.json import Json, Jsonb
        except ImportError:
            return False
        # The names that peewee binds when it finds the driver, and what its adapter takes from them.
        module.psycopg, module.TransactionStatus = psycopg, TransactionStatus
        module.Json_pg3, module.Jsonb_pg3 = Json, Jsonb
        adapter: Any = peewee.Psycopg3Adapter
        adapter.txn_idle, adapter.txn_inerror = TransactionStatus.IDLE, TransactionStatus.INERROR
        adapter.txn_unknown = TransactionStatus.UNKNOWN
    return True
