"""huey on the store's own database, SQLite and PostgreSQL: it really runs there, and cannot be made to run code."""

import pickle
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from huey.registry import Message
from hypothesis import given
from hypothesis import strategies as st
from makers.stores import Place

from issbox.errors import InvalidValueError
from issbox.jobs import InboxQueue, JsonSerializer
from issbox.store import Store, create_store

PATIENCE = 5.0
FOREIGN_TASK = b'{"id":"1","name":"os.system","numbers":[]}'


@pytest.fixture
def shared(place: Place) -> Store:
    """A store without a session in the test's thread."""
    return create_store(place.state_dir, place.database_url)


class Work:
    """Counts how often it is done, in which threads, and waits in the middle when told to."""

    def __init__(self) -> None:
        self.threads: list[str] = []
        self.done = threading.Semaphore(0)
        self.began = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self) -> None:
        self.began.set()
        self.go_on.wait(PATIENCE)
        self.threads.append(threading.current_thread().name)
        self.done.release()


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def queue(shared: Store, work: Work) -> Iterator[InboxQueue]:
    queue = InboxQueue(shared, work, longest_pause=0.05)
    yield queue
    work.go_on.set()
    assert queue.stop(PATIENCE)


def put_raw(store: Store, data: bytes) -> None:
    """Write into the queue's table as somebody could who has got hold of the database."""
    database: Any = store.database
    with store.session(), store.transaction():
        database.execute_sql(
            f"INSERT INTO huey_task (queue, data, priority) VALUES ('issbox', {database.param}, 0)", (data,)
        )


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_task_is_done_in_the_worker(queue: InboxQueue, work: Work) -> None:
    queue.start()
    queue.enqueue()
    assert work.done.acquire(timeout=PATIENCE)
    assert work.threads == ["Worker-1"]
    assert queue.waiting() == 0


def test_asking_twice_is_asking_once(queue: InboxQueue, work: Work) -> None:
    for _ in range(5):
        queue.enqueue()
    assert queue.waiting() == 1
    queue.start()
    assert work.done.acquire(timeout=PATIENCE)
    assert not work.done.acquire(timeout=0.2)


def test_asking_while_it_is_being_done_has_it_done_again(queue: InboxQueue, work: Work) -> None:
    work.go_on.clear()
    queue.start()
    queue.enqueue()
    assert work.began.wait(PATIENCE)
    queue.enqueue()
    work.go_on.set()
    assert work.done.acquire(timeout=PATIENCE)
    assert work.done.acquire(timeout=PATIENCE)


def test_a_task_asked_for_before_a_restart_is_done_after_it(shared: Store, work: Work) -> None:
    InboxQueue(shared, work).enqueue()
    queue = InboxQueue(shared, work, longest_pause=0.05)
    assert queue.waiting() == 1
    queue.start()
    assert work.done.acquire(timeout=PATIENCE)
    assert queue.stop(PATIENCE)


def test_work_that_fails_does_not_end_the_worker(shared: Store) -> None:
    done = threading.Semaphore(0)

    def fail() -> None:
        done.release()
        raise RuntimeError("as it may happen")

    queue = InboxQueue(shared, fail, longest_pause=0.05)
    queue.start()
    for _ in range(2):
        queue.enqueue()
        assert done.acquire(timeout=PATIENCE)
    assert queue.stop(PATIENCE)


def test_stopping_waits_only_so_long(queue: InboxQueue, work: Work) -> None:
    work.go_on.clear()
    queue.start()
    queue.enqueue()
    assert work.began.wait(PATIENCE)
    began = time.monotonic()
    assert not queue.stop(0.1)
    assert time.monotonic() - began < 2


def test_it_works_beside_a_transaction_of_another_thread(shared: Store, queue: InboxQueue, work: Work) -> None:
    queue.start()
    with shared.session(), shared.transaction():
        shared.organizations.create("acme", "Acme")
        time.sleep(0.15)  # the worker looks into the queue meanwhile
    queue.enqueue()
    assert work.done.acquire(timeout=PATIENCE)


def test_the_tables_are_its_own(shared: Store, queue: InboxQueue) -> None:
    with shared.session():
        tables = set(shared.database.get_tables())
    assert {"huey_task", "huey_kv", "huey_schedule", "huey_counter"} <= tables
    assert not {"task", "kv", "schedule", "counter"} & tables


def test_a_connection_is_left_in_no_thread(shared: Store, queue: InboxQueue) -> None:
    queue.enqueue()
    assert queue.waiting() == 1
    assert shared.database.is_closed()


class Evil:
    """Runs code when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self._path,)


def test_a_pickle_in_the_table_is_thrown_away_unread(
    shared: Store, queue: InboxQueue, work: Work, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    put_raw(shared, pickle.dumps(Evil(victim)))
    queue.start()
    until(lambda: queue.waiting() == 0)
    queue.enqueue()
    assert work.done.acquire(timeout=PATIENCE)
    assert not victim.exists()


def test_a_foreign_task_is_thrown_away(shared: Store, queue: InboxQueue, work: Work) -> None:
    put_raw(shared, FOREIGN_TASK)
    queue.start()
    until(lambda: queue.waiting() == 0)
    queue.enqueue()
    assert work.done.acquire(timeout=PATIENCE)
    assert len(work.threads) == 1


@given(st.text(), st.text(), st.lists(st.integers(-(2**63), 2**63)))
def test_tasks_read_back_as_they_were_written(task_id: str, name: str, numbers: list[int]) -> None:
    serializer = JsonSerializer()
    message = Message(task_id, name, None, 0, 0, None, tuple(numbers), {})
    assert serializer.deserialize(serializer.serialize(message)) == message


@given(st.binary())
def test_any_other_bytes_are_refused_cleanly(data: bytes) -> None:
    with pytest.raises(InvalidValueError):
        JsonSerializer().deserialize(data)


def test_a_task_with_more_than_numbers_is_refused() -> None:
    with pytest.raises(InvalidValueError):
        JsonSerializer().serialize(Message("1", "name", None, 0, 0, None, (), {"path": "/etc"}))
