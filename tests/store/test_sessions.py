"""Opening stores, sessions of threads, transactions, and how trouble with the database comes out."""

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from makers.stores import NOW, Place, UndoError

from issbox.errors import (
    AlreadyExistsError,
    ConfigurationError,
    DatabaseError,
    InvalidValueError,
    NoSpaceError,
    NotInitializedError,
)
from issbox.model import Box, Organization
from issbox.store import Store, create_store, open_store

BOX = Box("b2a6c2c8-0000-4000-8000-000000000001", "near", "ab" * 32, NOW)


def test_a_box_is_found_again(empty_place: Place) -> None:
    store = create_store(empty_place.state_dir, empty_place.database_url)
    with store.session():
        store.box.create(BOX)
    again = open_store(empty_place.state_dir, empty_place.database_url)
    with again.session():
        assert again.box.get() == BOX
        with pytest.raises(AlreadyExistsError, match="near"):
            again.box.create(BOX)


def test_a_box_is_never_made_over_another_but_an_interrupted_attempt_is_taken_up(place: Place) -> None:
    create_store(place.state_dir, place.database_url)
    store = create_store(place.state_dir, place.database_url)
    with store.session():
        with pytest.raises(NotInitializedError):
            store.box.get()
        store.box.create(BOX)
    with pytest.raises(AlreadyExistsError, match="near"):
        create_store(place.state_dir, place.database_url)


def test_opening_what_is_no_box_says_so_and_makes_nothing(empty_place: Place, tmp_path: Path) -> None:
    with pytest.raises(NotInitializedError):
        open_store(empty_place.state_dir, empty_place.database_url)
    assert list(tmp_path.iterdir()) == []
    if empty_place.database_url is not None:
        (empty_place.state_dir / "blobs" / "sha256").mkdir(parents=True)
        with pytest.raises(NotInitializedError, match="database"):
            open_store(empty_place.state_dir, empty_place.database_url)


def test_what_is_private_is_private_whatever_the_umask(tmp_path: Path) -> None:
    create_store(tmp_path, None)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes["keys"] == modes["tmp"] == modes["locks"] == 0o700
    assert modes["published"] == modes["content"] == modes["blobs"] == 0o755
    assert modes["issbox.db"] == 0o600


@pytest.mark.parametrize("url", ["mysql://host/name", "issbox.db", "sqlite:///x"])
def test_another_kind_of_database_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError, match="postgresql://"):
        create_store(tmp_path, url)


def test_a_server_that_does_not_answer_is_a_database_error_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError) as caught:
        create_store(tmp_path, f"postgresql://user:hidden@/issbox?host={tmp_path}")
    assert "hidden" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_a_damaged_database_is_a_database_error(tmp_path: Path) -> None:
    create_store(tmp_path, None)
    (tmp_path / "issbox.db").write_bytes(b"not a database" * 1000)
    for name in ("issbox.db-wal", "issbox.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    with pytest.raises(DatabaseError):
        open_store(tmp_path, None)


def test_a_missing_table_comes_out_as_a_database_error_of_the_very_call(store: Store) -> None:
    store.database.execute_sql("ALTER TABLE content_import RENAME TO gone")  # type: ignore[no-untyped-call]  # the stubs leave it so
    with pytest.raises(DatabaseError, match="content_import"):
        store.imports.list()


def test_outside_of_a_session_the_mistake_is_named(place: Place) -> None:
    store = create_store(place.state_dir, place.database_url)
    with pytest.raises((RuntimeError, AttributeError)):
        store.organizations.list()
    with pytest.raises(RuntimeError, match="session"), store.transaction():
        pass


def test_sessions_of_two_stores_may_be_nested_in_one_thread(place: Place, tmp_path: Path) -> None:
    near, far = create_store(place.state_dir, place.database_url), create_store(tmp_path / "far", None)
    with near.session():
        near.organizations.create("Near", "Near")
        with far.session():
            far.organizations.create("Far", "Far")
            with near.session():
                assert near.organizations.list() == [Organization("Near", "Near")]
            assert far.organizations.list() == [Organization("Far", "Far")]
        assert near.organizations.list() == [Organization("Near", "Near")]
        assert far.database.is_closed()
    assert near.database.is_closed()


def test_threads_share_a_store_and_each_has_its_own_session(place: Place, tmp_path: Path) -> None:
    stores = [create_store(place.state_dir, place.database_url), create_store(tmp_path / "other", None)]

    def create(number: int) -> None:
        store = stores[number % 2]
        with store.session(), store.transaction():
            store.organizations.create(f"o{number:02}", str(number))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(create, range(32)))
    for parity, store in enumerate(stores):
        with store.session():
            wanted = [f"o{number:02}" for number in range(parity, 32, 2)]
            assert [organization.label for organization in store.organizations.list()] == wanted


def test_a_transaction_is_done_whole_or_not_at_all(store: Store) -> None:
    with suppress(UndoError), store.transaction():
        store.organizations.create("A", "A")
        raise UndoError
    assert store.organizations.list() == []


def test_a_transaction_inside_another_is_undone_alone(store: Store) -> None:
    with store.transaction():
        store.organizations.create("A", "A")
        with suppress(UndoError), store.transaction():
            store.organizations.create("B", "B")
            raise UndoError
        store.organizations.create("C", "C")
    assert [organization.label for organization in store.organizations.list()] == ["A", "C"]


def test_writers_wait_for_each_other_so_that_reading_then_writing_is_safe(place: Place) -> None:
    store = create_store(place.state_dir, place.database_url)
    entered, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with store.session(), store.transaction():
            number = len(store.organizations.list())
            entered.set()
            go_on.wait(10)
            store.organizations.create(f"o{number}", "")

    def follow() -> None:
        with store.session(), store.transaction():
            store.organizations.create(f"o{len(store.organizations.list())}", "")

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(hold)
        entered.wait(10)
        second = threads.submit(follow)
        with pytest.raises(TimeoutError):
            second.result(0.3)
        go_on.set()
        first.result(), second.result()
    with store.session():
        assert [organization.label for organization in store.organizations.list()] == ["o0", "o1"]


@pytest.mark.parametrize("text", ["nul\0", "\udcff"])
def test_text_that_no_database_keeps_is_refused_in_words(store: Store, text: str) -> None:
    with pytest.raises(InvalidValueError, match="cannot be stored"):
        store.imports.add(f"/inbox/{text}", inbox=True, first_seen=NOW)


def test_a_commit_is_durable_on_sqlite(tmp_path: Path) -> None:
    store = create_store(tmp_path, None)
    with store.session():
        pragma: Callable[[str], object] = store.database.pragma  # type: ignore[attr-defined]  # of SQLite only
        assert (pragma("journal_mode"), pragma("synchronous"), pragma("foreign_keys")) == ("wal", 2, 1)
    with closing(sqlite3.connect(tmp_path / "issbox.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_full_disk_is_told_as_one(tmp_path: Path) -> None:
    store = create_store(tmp_path, None)

    def fill() -> None:
        with store.transaction():
            for number in range(10_000):
                store.organizations.create(f"organization-{number}", "x" * 200)

    with store.session():
        database: Any = store.database
        pages = database.execute_sql("PRAGMA page_count").fetchone()[0]
        database.execute_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(NoSpaceError, match="database is full"):
            fill()
    with store.session():
        assert store.organizations.list() == []


def test_a_number_too_large_is_told_only_of_what_the_database_was_given(tmp_path: Path) -> None:
    store = create_store(tmp_path / "state", None)
    with pytest.raises(InvalidValueError, match="larger than any"), store.session():
        store.imports.get(1 << 64)
    with pytest.raises(OverflowError, match="somebody"), store.session():
        raise OverflowError("that of somebody who uses the session")
