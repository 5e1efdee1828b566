"""The store as a whole: its directories and database, made or opened."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import peewee

from issbox.errors import AlreadyExistsError, DatabaseError, NotInitializedError
from issbox.files import error_from_os
from issbox.store.database import (
    after_transaction,
    create_sqlite_file,
    execute,
    is_sqlite,
    open_database,
    session,
    transaction,
)
from issbox.store.disk.blobs import BlobStore
from issbox.store.disk.staging import Staging, sweep
from issbox.store.driver_errors import translated
from issbox.store.migrating import Migrations
from issbox.store.nouns import Nouns

if TYPE_CHECKING:
    from issbox.store.disk.trees import Trees
    from issbox.store.versions import Versions


_DATABASE: Final = "issbox.db"
_OPEN_TO_ALL: Final = ("blobs", "blobs/sha256", "published", "content")
_PRIVATE: Final = (
    "keys",
    "keys/credentials",
    "keys/consumers",
    "keys/authority",
    "keys/manifests",
    "tmp",
    "locks",
    "heads",
    "incoming",
)


class Store(Nouns):
    """Everything a box keeps. One store may be used by all threads of a process; rows need a session of the thread."""

    def __init__(self, state_dir: Path, database: peewee.Database) -> None:
        """Put the parts together; use `create_store` or `open_store`."""
        self.state_dir = state_dir
        self.locks = state_dir / "locks"
        """Where the locks between processes lie."""
        self.heads = state_dir / "heads"
        """Where the heads of exported bundles are kept, by bundle id, so that a volume can be written again."""
        self.incoming = state_dir / "incoming"
        """Where the heads of bundles are kept, by bundle id, of which only some volumes are here yet."""
        self.authority = state_dir / "keys" / "authority"
        """Where the keys and certificates of the box's authority lie."""
        self.consumer_keys = state_dir / "keys" / "consumers"
        """Where the private keys of hosts lie, by UUID."""
        self.manifest_keys = state_dir / "keys" / "manifests"
        """Where certificates and private keys of subscription manifests lie, by organization."""
        self.database = database
        """For the set-up of the queue only."""
        self._staging = state_dir / "tmp"
        self.blobs = BlobStore(state_dir / "blobs" / "sha256", self._staging)

    @cached_property
    def versions(self) -> "Versions":
        """The versions of repositories."""
        from issbox.store.versions import Versions

        return Versions(self._staging)

    @cached_property
    def trees(self) -> "Trees":
        """The published trees."""
        from issbox.store.disk.trees import Trees

        return Trees(self.state_dir / "published", self.state_dir / "content", self._staging, self.blobs)

    def session(self) -> AbstractContextManager[None]:
        """Connect this thread to the database for a with-block; sessions may be nested. Raises DatabaseError."""
        return session(self.database)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do everything in a with-block or nothing, as the only writer; nested ones are savepoints.

        Call it inside a session.
        """
        with transaction():
            yield

    def after_transaction(self, work: Callable[[], None]) -> None:
        """Do the work once this thread is in no transaction, whether the present one is committed or rolled back.

        For what must be written down although the caller fails. The work opens its own transaction.
        """
        after_transaction(self.database, work)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Give a directory for unfinished files of this process, which goes away with the with-block or the process."""
        with Staging(self._staging) as staging:
            yield staging.path

    def clean_staging(self, *, downloads: bool = False) -> int:
        """Remove unfinished files of dead processes and give the bytes removed.

        Downloads that can be resumed stay, unless `downloads` says that they go too.
        """
        try:
            return sweep(self._staging, downloads=downloads)
        except OSError as error:
            raise error_from_os(error) from error

    def check_database(self) -> str:
        """Say what is wrong with the structure of the database, in a session; empty when it is sound.

        SQLite is read whole (PRAGMA quick_check); PostgreSQL looks after itself.
        """
        if not is_sqlite(self.database):
            return ""
        try:
            with translated():
                found = execute("PRAGMA quick_check(3)").fetchall()
        except DatabaseError as error:
            return str(error)
        return "" if found == [("ok",)] else "; ".join(str(row[0]) for row in found)

    def clean_drafts(self) -> int:
        """Delete the drafts of dead processes and give their number. Call it inside a session."""
        from issbox.store.drafts import delete_dead_drafts

        return delete_dead_drafts(self._staging)


def create_store(state_dir: Path, database_url: str | None) -> Store:
    """Make the directories and the database of a new box; its identity comes by `store.box.create`.

    What an interrupted attempt left is taken up. Raises AlreadyExistsError if a box is there, ConfigurationError,
    DatabaseError, and what the disk says.
    """
    state_dir = state_dir.absolute()
    store = Store(state_dir, open_database(state_dir / _DATABASE, database_url))
    try:
        _make_directories(state_dir)
        if is_sqlite(store.database):
            create_sqlite_file(state_dir / _DATABASE)
    except OSError as error:
        raise error_from_os(error) from error
    with store.session():
        Migrations().apply(store.locks)
        from issbox.store.tables import BoxRow

        if BoxRow.select().exists():
            where = state_dir if is_sqlite(store.database) else "the database"
            raise AlreadyExistsError(
                f"{where} holds the box {store.box.get().name} already",
                hint="Use it as it is, or choose another state directory and database.",
            )
    return store


def unfinished_restore(state_dir: Path) -> Path:
    """Give where a restore keeps what it unpacked; what lies there without a restore running was interrupted."""
    return state_dir / ".restore"


def holds_box(state_dir: Path, database_url: str | None) -> bool:
    """Tell whether a restore would find a box there, or with SQLite anything of a database, and change nothing.

    Raises ConfigurationError, DatabaseError.
    """
    path = state_dir.absolute() / _DATABASE
    database = open_database(path, database_url)
    if is_sqlite(database):
        # A log of changes without its database would be taken for one of the next database beside it.
        return any(path.with_name(path.name + suffix).exists() for suffix in ("", "-wal", "-shm", "-journal"))
    from issbox.store.tables import BoxRow

    with session(database):
        return Migrations().begun and bool(BoxRow.select().exists())


def open_store(state_dir: Path, database_url: str | None) -> Store:
    """Open a box; an older store is brought up to date, after a copy of the database beside it if it is SQLite.

    Raises NotInitializedError, StoreTooNewError, ConfigurationError, BusyError while another process upgrades the
    store, DatabaseError.
    """
    state_dir = state_dir.absolute()
    path = state_dir / _DATABASE
    store = Store(state_dir, open_database(path, database_url))
    sqlite = is_sqlite(store.database)
    if not (state_dir / "blobs" / "sha256").is_dir() or (sqlite and not path.is_file()):
        if unfinished_restore(state_dir).exists():
            raise NotInitializedError(
                f"{state_dir} holds a box that is not restored yet", hint="Run `issbox restore FILE` to its end."
            )
        raise NotInitializedError(f"{state_dir} holds no box")
    with store.session():
        migrations = Migrations()
        if not migrations.begun:
            raise NotInitializedError(f"the database of {state_dir} holds no box")
        migrations.apply(store.locks, backup_of=path if sqlite else None)
    return store


def prepare_directories(state_dir: Path) -> Path:
    """Make the directories of a store and give the place of its SQLite database, for a restore."""
    try:
        _make_directories(state_dir.absolute())
    except OSError as error:
        raise error_from_os(error) from error
    return state_dir.absolute() / _DATABASE


def _make_directories(state_dir: Path) -> None:
    state_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
    for names, mode in ((_OPEN_TO_ALL, 0o755), (_PRIVATE, 0o700)):
        for name in names:
            directory = state_dir / name
            directory.mkdir(exist_ok=True)
            directory.chmod(mode)
