"""Further processes that serve beside the first one: at its sockets, with their counts where it finds them.

Each is another `issbox serve --web-only`, which reads for itself what the configuration and the database say. The first
one gives it the sockets and a pipe, which tells it by its end to stop, and starts another one for each that ends early.
"""

import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from issbox.rules.serving import parse_site
from issbox.web.counters import Counters, share_memory
from issbox.web.listening import Channel, Listening

_VARIABLE: Final = "ISSBOX_SERVES_BESIDE"
"""The environment variable that tells such a process its post."""
_OF_SYSTEMD: Final = ("NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC")
"""What systemd tells the first process alone."""
_PAUSE: Final = 5.0
"""Seconds between two starts in the same place."""
_LOG: Final = logging.getLogger("issbox.web")


@dataclass(frozen=True, slots=True)
class Post:
    """What a process was given that serves beside another one."""

    listening: tuple[Listening, ...]
    counters: Counters


def take_post(environ: Mapping[str, str], end: Callable[[], None]) -> Post | None:
    """Give what another process hands to this one, and call `end` when that one says so, or has ended itself.

    None when nobody started this process to serve beside it.
    """
    text = environ.get(_VARIABLE)
    if text is None:
        return None
    given = json.loads(text)
    for descriptor in (given["counts"], *(each["descriptor"] for each in given["sockets"])):
        os.set_inheritable(descriptor, False)
    listening = tuple(
        Listening(socket.socket(fileno=each["descriptor"]), _channel(each["in_front"], each["site"]))
        for each in given["sockets"]
    )
    threading.Thread(target=_wait, args=(end,), name="end-of-first", daemon=True).start()
    return Post(listening, Counters(given["counts"], given["row"]))


def _wait(end: Callable[[], None]) -> None:
    """Wait for the end of the pipe from the first process, which writes nothing."""
    while os.read(0, 1):
        pass
    end()


def _channel(in_front: bool, site: str | None) -> Channel:
    return Channel(in_front=in_front, site=None if site is None else parse_site(site))


class Crew:
    """The processes besides the first one."""

    def __init__(self, size: int) -> None:
        """Have so many; none is started yet."""
        self._counts = share_memory(size + 1)
        self.counters = Counters(self._counts)
        self._listening: Sequence[Listening] = ()
        self._members: list[subprocess.Popen[bytes] | None] = [None] * size
        self._not_before = [0.0] * size
        self._lock = threading.Lock()
        self._ended = False

    def start(self, listening: Sequence[Listening]) -> None:
        """Start all of them with these sockets."""
        self._listening = listening
        self.tend()

    def tend(self) -> None:
        """Start another one for each that has ended, after a pause; what keeps one from starting is logged."""
        with self._lock:
            for place, member in enumerate(self._members):
                if self._ended or (member is not None and member.poll() is None):
                    continue
                if member is not None:
                    level = logging.ERROR if member.returncode else logging.INFO  # whoever asked it to gets it back
                    _LOG.log(level, "process %d, which served hosts, ended with %s", member.pid, member.returncode)
                    _let_go(member)
                    self._members[place] = None
                    self.counters.forget_connections(place + 1)
                if time.monotonic() >= self._not_before[place]:
                    self._not_before[place] = time.monotonic() + _PAUSE
                    self._members[place] = self._enlist(place + 1)

    def stop(self, patience: float) -> None:
        """Have all of them stop, and end those that take longer than `patience` seconds."""
        with self._lock:
            self._ended = True
            members = [each for each in self._members if each is not None]
            for each in members:
                _let_go(each)
            until = time.monotonic() + patience
            for each in members:
                try:
                    each.wait(max(until - time.monotonic(), 0))
                except subprocess.TimeoutExpired:
                    each.kill()
                    each.wait()
            os.close(self._counts)

    def _enlist(self, row: int) -> "subprocess.Popen[bytes] | None":
        sockets = [each.socket.fileno() for each in self._listening]
        post = {
            "counts": self._counts,
            "row": row,
            "sockets": [
                {"descriptor": each.socket.fileno(), "in_front": each.channel.in_front, "site": _site(each)}
                for each in self._listening
            ],
        }
        kept = {name: value for name, value in os.environ.items() if name not in _OF_SYSTEMD}
        try:
            return subprocess.Popen(
                [sys.executable, "-m", "issbox", "serve", "--web-only"],
                env=kept | {_VARIABLE: json.dumps(post)},
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=[self._counts, *sockets],
                start_new_session=True,  # the keys of a terminal are for the first process
            )
        except OSError as error:
            _LOG.error("no further process can serve hosts: %s", error)
            return None


def _let_go(member: "subprocess.Popen[bytes]") -> None:
    if member.stdin is not None:
        member.stdin.close()


def _site(listening: Listening) -> str | None:
    site = listening.channel.site
    return None if site is None else f"{site.host}={site.organization}/{site.environment}"
