"""Copies of all rows, for backups: a file of SQLite as it is, or of PostgreSQL one JSON array a line.

A line is `[table, [column, ...]]`, and then `[value, ...]` for each row of it, in the order in which rows may refer to
each other.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from peewee import AutoField, CompositeKey

from issbox.errors import BackupDamagedError
from issbox.store.database import current, execute, execute_many, is_sqlite, snapshot, transaction
from issbox.store.tables.columns import Row
from issbox.store.tables.every import TABLES
from issbox.syncing import sync_filesystem

_PAGE: Final = 2000


def copy_sqlite(target: Path) -> None:
    """Write a consistent copy of the SQLite database of the present session to a new file of mode 0600."""
    target.touch(mode=0o600, exist_ok=False)
    execute("VACUUM INTO ?", (str(target),))
    sync_filesystem(target.parent)


def uses_sqlite() -> bool:
    """Tell whether the present session is on SQLite."""
    return is_sqlite(current())


def dump_rows(out: BinaryIO) -> None:
    """Write the rows of all tables, as they are at one moment."""
    with snapshot():
        for table in TABLES:
            columns = _columns(table)
            _write(out, [_name(table), columns])
            for row in _rows(table, columns):
                _write(out, list(row))


def load_rows(source: BinaryIO) -> None:
    """Fill the empty tables of the present session; raises BackupDamagedError when a line is not what it must be."""
    tables = {_name(table): table for table in TABLES}
    with transaction():
        table: type[Row] | None = None
        columns: list[str] = []
        rows: list[list[object]] = []
        for line in source:
            words = _read(line)
            if len(words) == 2 and isinstance(words[1], list):
                _insert(table, columns, rows)
                rows = []
                table, columns = tables.get(words[0]), words[1]
                if table is None or sorted(columns) != sorted(_columns(table)):
                    raise BackupDamagedError(f"the backup has a table {words[0]!r} that this issbox does not know")
            else:
                rows.append(words)
            if len(rows) >= _PAGE:
                _insert(table, columns, rows)
                rows = []
        _insert(table, columns, rows)
        _advance_counters()


def _insert(table: type[Row] | None, columns: list[str], rows: list[list[object]]) -> None:
    if not rows:
        return
    if table is None or any(len(row) != len(columns) for row in rows):
        raise BackupDamagedError("a row of the backup does not fit its table")
    names = ", ".join(f'"{name}"' for name in columns)
    places = ", ".join("?" for _ in columns)
    execute_many(f'INSERT INTO "{_name(table)}" ({names}) VALUES ({places})', rows)  # noqa: S608  # names of our tables


def _advance_counters() -> None:
    """Let the next rows get numbers that are free."""
    if uses_sqlite():
        return
    for table in TABLES:
        key: Any = table._meta.primary_key  # noqa: SLF001  # peewee's documented name
        if isinstance(key, AutoField):
            name = _name(table)
            execute(
                f"SELECT setval(pg_get_serial_sequence('\"{name}\"', '{key.column_name}'),"  # noqa: S608
                f' GREATEST(MAX("{key.column_name}"), 1)) FROM "{name}"'
            )


def _rows(table: type[Row], columns: list[str]) -> Iterator[tuple[object, ...]]:
    names = ", ".join(f'"{name}"' for name in columns)
    key: Any = table._meta.primary_key  # noqa: SLF001  # peewee's documented name
    select = f'SELECT {names} FROM "{_name(table)}"'  # noqa: S608
    if isinstance(key, CompositeKey):
        yield from execute(select).fetchall()
        return
    place = columns.index(key.column_name)
    page = execute(f'{select} ORDER BY "{key.column_name}" LIMIT ?', (_PAGE,)).fetchall()
    while page:
        yield from page
        after = page[-1][place]
        order = f'WHERE "{key.column_name}" > ? ORDER BY "{key.column_name}" LIMIT ?'
        page = execute(f"{select} {order}", (after, _PAGE)).fetchall()


def _columns(table: type[Row]) -> list[str]:
    fields: Any = table._meta.sorted_fields  # noqa: SLF001  # peewee's documented name
    return [field.column_name for field in fields]


def _name(table: type[Row]) -> str:
    return str(table._meta.table_name)  # noqa: SLF001  # peewee's documented name


def _write(out: BinaryIO, words: list[Any]) -> None:
    plain = [{"hex": bytes(each).hex()} if isinstance(each, bytes | memoryview) else each for each in words]
    out.write(json.dumps(plain, separators=(",", ":")).encode() + b"\n")


def _read(line: bytes) -> list[Any]:
    try:
        words = json.loads(line)
        return [bytes.fromhex(each["hex"]) if isinstance(each, dict) else each for each in words]
    except (ValueError, KeyError, TypeError):
        raise BackupDamagedError("a line of the backup is not a row") from None
