"""Being woken by a real directory."""

import errno
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from watchdog.observers.api import BaseObserver

from issbox.watcher.observer import InboxObserver

PATIENCE = 5.0


class Bell:
    """Counts rings."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def __call__(self) -> None:
        self._rung.set()

    def rings(self, patience: float = PATIENCE) -> bool:
        rung = self._rung.wait(patience)
        self._rung.clear()
        return rung


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    return inbox


@pytest.fixture(params=[False, True], ids=["inotify", "polling"])
def observer(request: pytest.FixtureRequest, inbox: Path, bell: Bell) -> Iterator[InboxObserver]:
    observer = InboxObserver(inbox, bell, polling=request.param, poll_interval=0.05)
    observer.ensure()
    yield observer
    observer.stop()


def write(path: Path) -> None:
    path.write_bytes(b"1")


@pytest.mark.parametrize(
    "deliver",
    [
        lambda outside, inbox: write(inbox / "file"),
        lambda outside, inbox: (outside / "bundle").rename(inbox / "bundle"),
        lambda outside, inbox: (inbox / "bundle").mkdir(),
        lambda outside, inbox: (inbox / "hard link").hardlink_to(outside / "bundle" / "file"),
        lambda outside, inbox: (inbox / "link").symlink_to("/nowhere"),
    ],
    ids=["write", "move", "mkdir", "hard link", "symlink"],
)
def test_every_kind_of_delivery_rings(
    tmp_path: Path, inbox: Path, observer: InboxObserver, bell: Bell, deliver: Callable[[Path, Path], None]
) -> None:
    (tmp_path / "bundle").mkdir()
    write(tmp_path / "bundle" / "file")
    deliver(tmp_path, inbox)
    assert bell.rings()


def test_what_happens_deep_inside_rings(inbox: Path, observer: InboxObserver, bell: Bell) -> None:
    (inbox / "a" / "b").mkdir(parents=True)
    assert bell.rings()
    while bell.rings(0.2):
        pass
    write(inbox / "a" / "b" / "file")
    assert bell.rings()


def test_watching_again_is_nothing_new(inbox: Path, observer: InboxObserver, bell: Bell) -> None:
    threads = threading.active_count()
    observer.ensure()
    assert threading.active_count() == threads


def test_an_inbox_that_comes_back_is_watched_again(inbox: Path, observer: InboxObserver, bell: Bell) -> None:
    inbox.rename(inbox.with_name("unmounted"))
    observer.ensure()
    inbox.mkdir()
    observer.ensure()
    while bell.rings(0.1):
        pass
    write(inbox / "file")
    assert bell.rings()


def test_without_an_inbox_it_waits(tmp_path: Path, bell: Bell) -> None:
    observer = InboxObserver(tmp_path / "missing", bell, polling=False, poll_interval=0.05)
    observer.ensure()
    observer.stop()


def test_without_kernel_events_it_polls_and_says_so(inbox: Path, bell: Bell, caplog: pytest.LogCaptureFixture) -> None:
    # The limits of inotify belong to the whole machine, so a test cannot use them up; this is what they look like.
    def exhausted() -> BaseObserver:
        raise OSError(errno.EMFILE, "inotify instance limit reached")

    observer = InboxObserver(inbox, bell, polling=False, poll_interval=0.05, native=exhausted)
    with caplog.at_level(logging.WARNING):
        observer.ensure()
    assert observer.polling
    assert "polling instead" in caplog.text
    assert "inotify instance limit reached" in caplog.text
    write(inbox / "file")
    assert bell.rings()
    observer.stop()
