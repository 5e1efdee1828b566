"""A database that hangs and does not fail: whoever has patience for so long is told then, and waits no longer."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from makers.hanging import stopped
from makers.stores import Place

from issbox.errors import DatabaseBusyError
from issbox.store import create_store
from issbox.store.patience import patience


def test_a_server_that_is_stopped_is_not_waited_for(
    tmp_path: Path, new_postgresql_database: Callable[[None], str]
) -> None:
    url = new_postgresql_database(None)
    store = create_store(tmp_path / "state", url)
    with store.session():
        store.organizations.create("A", "A")
        with stopped(url), patience(0.5), pytest.raises(DatabaseBusyError, match=r"no answer within 0\.5 seconds"):
            store.organizations.list()
    with stopped(url), patience(0.5), pytest.raises(DatabaseBusyError), store.session():
        pass  # nobody lets it in
    with store.session():
        assert [each.label for each in store.organizations.list()] == ["A"], "it goes on as if nothing had been"


def test_a_transaction_that_finds_the_server_stopped_is_undone(
    tmp_path: Path, new_postgresql_database: Callable[[None], str]
) -> None:
    url = new_postgresql_database(None)
    store = create_store(tmp_path / "state", url)

    def create() -> None:
        with store.session(), patience(0.5), store.transaction():
            store.organizations.create("A", "A")
            with stopped(url):
                store.organizations.create("B", "B")

    with pytest.raises(DatabaseBusyError):
        create()
    with store.session():
        assert store.organizations.list() == []
        with store.transaction():
            store.organizations.create("C", "C")


def test_a_writer_waits_for_another_one_as_long_as_it_has_patience(place: Place) -> None:
    store = create_store(place.state_dir, place.database_url)
    entered, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with store.session(), store.transaction():
            entered.set()
            go_on.wait(30)

    with ThreadPoolExecutor(1) as threads:
        holding = threads.submit(hold)
        entered.wait(30)
        try:
            with patience(0.5), store.session(), pytest.raises(DatabaseBusyError), store.transaction():
                pass
        finally:
            go_on.set()
        holding.result()
    with patience(0.5), store.session(), store.transaction():
        store.organizations.create("A", "A")
