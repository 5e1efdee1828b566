"""Being woken when something happens in the inbox; what happened is found out by looking.

Events are unreliable by nature: a move gives one event, a full queue loses thousands without a word, NFS and SMB give
none. So a handler only rings, and the rescan is what finds everything.
"""

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver
from watchdog.observers.polling import PollingObserverVFS

from issbox.watcher.facts import fields

_LOG: Final = logging.getLogger("issbox.inbox")
_ARRIVALS: Final[list[type[FileSystemEvent]]] = [
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
]
"""Without Created every move from outside would be lost; Modified and Opened would only be noise."""


def native_observer() -> BaseObserver:
    """Make an observer that waits for the kernel's events."""
    return Observer()


def _list(directory: str | None) -> Iterator[os.DirEntry[str]]:
    return os.scandir(directory)


class _Bell(FileSystemEventHandler):
    """Rings for every event. It must return at once: a slow handler delays all that come after."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Ring, whatever it was."""
        del event
        self._ring()


class InboxObserver:
    """Watches the inbox as long as it is there, and again when it comes back."""

    def __init__(
        self,
        inbox: Path,
        ring: Callable[[], None],
        *,
        polling: bool,
        poll_interval: float,
        native: Callable[[], BaseObserver] = native_observer,
    ) -> None:
        """Prepare to watch; `ring` is called from another thread, `poll_interval` is in seconds."""
        self._inbox = inbox
        self._bell = _Bell(ring)
        self._polling = polling
        self._poll_interval = poll_interval
        self._native = native
        self._observer: BaseObserver | None = None
        self._watched: tuple[int, int] | None = None

    @property
    def polling(self) -> bool:
        """Whether it looks again and again, by configuration or since the kernel's events cannot be had."""
        return self._polling

    def ensure(self) -> None:
        """Watch the directory that lies at the inbox's path now; do nothing if it is watched already or not there.

        An inbox that was unmounted and mounted again has the same path but is another directory.
        """
        present = self._identity()
        if present is None:
            self.stop()
        elif present != self._watched or not self._alive():
            self.stop()
            self._start()
            self._watched = present

    def stop(self) -> None:
        """Stop watching; safe to call at any time."""
        observer, self._observer, self._watched = self._observer, None, None
        if observer is not None and observer.is_alive():
            observer.stop()
            observer.join(timeout=5)

    def _identity(self) -> tuple[int, int] | None:
        try:
            status = self._inbox.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _alive(self) -> bool:
        observer = self._observer
        return observer is not None and observer.is_alive() and all(each.is_alive() for each in observer.emitters)

    def _start(self) -> None:
        if not self._polling:
            try:
                self._observer = self._watch(self._native(), [*_ARRIVALS])
            except OSError as error:
                self._polling = True
                _LOG.warning(
                    "the kernel's file events cannot be used; polling instead %s",
                    fields(inbox=self._inbox, every_seconds=self._poll_interval, reason=error.strerror or error),
                )
            else:
                return
        try:
            # lstat: a link is an arrival like any other, and must not lead out of the inbox.
            polled = PollingObserverVFS(os.lstat, _list, polling_interval=self._poll_interval)
            self._observer = self._watch(polled, [*_ARRIVALS, FileModifiedEvent])
        except OSError as error:
            _LOG.warning("the inbox cannot be watched %s", fields(inbox=self._inbox, reason=error.strerror or error))

    def _watch(self, observer: BaseObserver, events: list[type[FileSystemEvent]]) -> BaseObserver:
        observer.daemon = True
        observer.schedule(self._bell, self._inbox, recursive=True, event_filter=events)
        observer.start()
        return observer
