"""The queue: work that the service does in the background, kept in the store's database.

A task is a wake-up call and carries numbers at most. What is to be done stands in rows of the store, so a task that
is lost with a killed process loses nothing, and nobody who can write to the queue's tables can run code by it: tasks
are JSON, and huey's pickle is never read.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from huey.api import Huey
from huey.consumer import Consumer, Scheduler
from huey.contrib.sql_huey import BytesBlobField, SqlStorage
from huey.registry import Message
from huey.serializer import Serializer
from peewee import CharField, CompositeKey, FloatField, IntegerField, Model, TimestampField

from issbox.errors import DatabaseError, InvalidValueError
from issbox.store import Store

_LOG: Final = logging.getLogger("issbox.queue")
_WORK_THROUGH_INBOX: Final = "work_through_inbox"
_LONGEST_PAUSE: Final = 0.5
"""Seconds between two looks of an idle worker at the queue."""


class _Task(msgspec.Struct, forbid_unknown_fields=True):
    """All that is kept of a task."""

    id: str
    name: str
    numbers: tuple[int, ...] = ()


def _table_name(model: type[Model]) -> str:
    return f"huey_{model.__name__.lower()}"


class JsonSerializer(Serializer):  # type: ignore[misc]  # huey has no annotations
    """Writes tasks as JSON. Refuses whatever is more than a name and numbers."""

    def _serialize(self, data: Message) -> bytes:
        if data.kwargs or data.eta or data.on_complete or data.on_error:
            raise InvalidValueError("a task of the queue carries numbers only")
        return msgspec.json.encode(_Task(data.id, data.name, tuple(data.args or ())))

    def _deserialize(self, data: bytes) -> Message:
        try:
            task = msgspec.json.decode(data, type=_Task)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise InvalidValueError(f"a task in the queue is not one of issbox: {error}") from error
        return Message(task.id, task.name, None, 0, 0, None, task.numbers, {})


class QueueStorage(SqlStorage):  # type: ignore[misc]  # huey has no annotations
    """huey's tables in the store's database, under names of their own, used only inside sessions of the store."""

    def __init__(self, name: str, store: Store) -> None:
        self._store = store
        super().__init__(name, database=store.database, create_tables=True)

    def create_models(self) -> tuple[type[Model], ...]:
        """Give huey's models, column by column as huey has them, with tables named huey_*."""

        class Table(Model):
            class Meta:
                database = self.database
                table_function = _table_name

        class KV(Table):
            queue = CharField()
            key = CharField()
            value = BytesBlobField()

            class Meta:
                primary_key = CompositeKey("queue", "key")

        class Schedule(Table):
            queue = CharField()
            data = BytesBlobField()
            timestamp = TimestampField(resolution=1000)

            class Meta:
                indexes = ((("queue", "timestamp"), False),)

        class Task(Table):
            queue = CharField()
            data = BytesBlobField()
            priority = FloatField(default=0.0)

            class Meta:
                indexes = ((("priority", "id"), False),)

        class Counter(Table):
            queue = CharField()
            key = CharField()
            value = IntegerField()

            class Meta:
                primary_key = CompositeKey("queue", "key")

        return KV, Schedule, Task, Counter

    def create_tables(self) -> None:
        """Create the tables that are missing."""
        with self._store.session():
            if not self.Task.table_exists():
                with self._store.transaction():
                    self.database.create_tables([self.KV, self.Schedule, self.Task, self.Counter])

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        """Add a task, unless one waits already: the one that waits will see all there is to do."""
        with self._store.session(), self._store.transaction():
            if not self.queue_size():
                super().enqueue(data, priority)

    def dequeue(self) -> bytes | None:
        """Take a task. An empty queue is seen without taking the database's write lock."""
        try:
            with self._store.session():
                return super().dequeue() if self.queue_size() else None
        except DatabaseError as error:
            _LOG.warning("the queue cannot be read now: %s", error)
            return None

    def peek_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Look up revoked tasks."""
        with self._store.session():
            return dict(super().peek_many(keys))

    def pop_data(self, key: str) -> object:
        """Take a mark of a revoked task."""
        with self._store.session():
            return super().pop_data(key)


class _NoScheduler(Scheduler):  # type: ignore[misc]  # huey has no annotations
    """Stands where huey wants a scheduler: nothing is scheduled, the rescan repeats what has to be repeated."""

    def loop(self, now: object = None) -> None:
        """Wait for the end."""
        del now
        self.stop_flag.wait(60)


class _Consumer(Consumer):  # type: ignore[misc]  # huey has no annotations
    """huey's worker threads, without its signal handlers: those are the service's."""

    scheduler_class = _NoScheduler

    def _set_signal_handlers(self) -> None:
        """Leave the signals alone."""


class InboxQueue:
    """Has the inbox worked through in one worker thread."""

    def __init__(self, store: Store, work: Callable[[], object], *, longest_pause: float = _LONGEST_PAUSE) -> None:
        """Prepare the queue; `work` is what a task does. Raises DatabaseError."""
        self._huey = Huey("issbox", results=False, serializer=JsonSerializer(), storage_class=QueueStorage, store=store)
        self._task = self._huey.task(name=_WORK_THROUGH_INBOX)(lambda: _quietly(work))
        self._longest_pause = longest_pause
        self._consumer: _Consumer | None = None

    def enqueue(self) -> None:
        """Ask for the inbox to be worked through; asking twice before it begins is asking once."""
        self._task()

    def waiting(self) -> int:
        """Give the number of tasks that no worker has taken yet."""
        with self._huey.storage._store.session():  # noqa: SLF001 - the storage is this module's own class
            return int(self._huey.storage.queue_size())

    def start(self) -> None:
        """Start the worker thread."""
        self._consumer = _Consumer(
            self._huey,
            workers=1,
            periodic=False,
            initial_delay=min(0.05, self._longest_pause),
            max_delay=self._longest_pause,
        )
        self._consumer.start()

    def keep_alive(self) -> None:
        """Replace a worker thread that has died."""
        if self._consumer is not None:
            self._consumer.check_worker_health()

    def stop(self, timeout: float) -> bool:
        """Let the worker end, waiting for the present task for `timeout` seconds; tell whether it has ended."""
        consumer, self._consumer = self._consumer, None
        if consumer is None:
            return True
        consumer.shutdown_timeout = timeout
        consumer.stop(graceful=True)
        return not any(thread.is_alive() for _, thread in consumer.worker_threads)


def _quietly(work: Callable[[], object]) -> None:
    """Do the work and give nothing back: results have no place in the queue."""
    work()
