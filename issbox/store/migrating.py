"""Bringing a store's schema up to date: numbered files in `migrations/`, each applied in one transaction."""

import re
from pathlib import Path
from typing import Any, Final

from issbox.errors import StoreTooNewError
from issbox.files import FileLock
from issbox.store.database import current, execute

DIRECTORY: Final = Path(__file__).with_name("migrations")
_HISTORY: Final = "schema_migration"


class Migrations:
    """The migrations of this issbox against the database of the present session."""

    def __init__(self, directory: Path = DIRECTORY) -> None:
        """Take the migrations from this directory."""
        self._directory = directory

    @property
    def begun(self) -> bool:
        """Whether the database holds a store at all."""
        return bool(self._applied())

    def _applied(self) -> set[str]:
        database: Any = current()
        if not database.table_exists(_HISTORY):
            return set()
        return {str(name) for (name,) in execute("SELECT name FROM schema_migration").fetchall()}

    def pending(self) -> list[str]:
        """Give the names of the migrations to apply, in order.

        Raises StoreTooNewError when the database has one that this issbox does not know.
        """
        known = sorted(path.stem for path in self._directory.glob("[0-9]*.py"))
        applied = self._applied()
        unknown = sorted(applied.difference(known))
        if unknown:
            raise StoreTooNewError(
                f"the store has the schema {unknown[-1]}, which this issbox does not know: a newer one wrote it"
            )
        return [name for name in known if name not in applied]

    def apply(self, locks: Path, backup_of: Path | None = None) -> list[str]:
        """Apply what is pending and give its names, after a copy of the SQLite database `backup_of` beside it.

        Raises BusyError when another process is doing it, StoreTooNewError.
        """
        if not self.pending():
            return []
        with FileLock(locks / "schema.lock", busy="another process is upgrading the store"):
            names = self.pending()
            if names and backup_of is not None and self.begun:
                _copy_sqlite(backup_of, names[0])
            from playhouse.migrations import Runner

            runner: Any = Runner(current(), str(self._directory), _HISTORY)
            runner.up()
            return names


def _copy_sqlite(path: Path, migration: str) -> None:
    """Copy the database to `<name>.before-NNNN`; a copy that was cut off is not left under that name."""
    number = re.match(r"\d+", migration)
    copy = path.with_name(f"{path.name}.before-{number[0] if number else migration}")
    unfinished = copy.with_name(f"{copy.name}.part")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    database: Any = current()
    database.execute_sql("VACUUM INTO ?", (str(unfinished),))
    unfinished.replace(copy)
