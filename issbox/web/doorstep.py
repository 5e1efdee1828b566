"""The doorstep: connections whose TLS handshake is not through, of which one address must not take all the room.

An event loop tells of a connection when its handshake is through. Until then nobody counts it, though it has an open
file: a client that connects and says nothing could take all of them. So connections are taken here first. When more
than so many stand here, the one goes that has stood longest of the address that has most: whoever does a handshake at
once is never that one, unless all others do, too.
"""

import asyncio
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

Admit = Callable[[], asyncio.Protocol | None]
"""Gives what serves a connection once its handshake is through; None when there are too many."""
_SHUTDOWN_SECONDS: Final = 2.0
_REST_SECONDS: Final = 0.5
"""After which connections are taken again when the system gave none, for want of open files for example."""
_LOG: Final = logging.getLogger("issbox.web")


@dataclass(frozen=True, slots=True)
class Terms:
    """What is done with a connection."""

    tls: ssl.SSLContext
    handshake_seconds: float


class Doorstep:
    """Where connections stand until their handshakes are through; for one event loop."""

    def __init__(self, most: int, tell: Callable[[], None]) -> None:
        """Have room for so many; `tell` is called when one has to go."""
        self._most = most
        self._tell = tell
        self._standing: dict[asyncio.Task[None], str] = {}
        self._crowds: Counter[str] = Counter()

    def come(self, greeting: asyncio.Task[None], address: str) -> None:
        """Let a connection stand here while it is greeted, and another one go when there is no room."""
        self._standing[greeting] = address
        self._crowds[address] += 1
        greeting.add_done_callback(self._leave)
        if len(self._standing) > self._most:
            ((_, most),) = self._crowds.most_common(1)
            going = next(each for each, of in self._standing.items() if self._crowds[of] == most)
            self._leave(going)
            going.cancel()
            self._tell()

    def clear(self) -> None:
        """Let all of them go."""
        for each in self._standing:
            each.cancel()

    def _leave(self, greeting: asyncio.Task[None]) -> None:
        address = self._standing.pop(greeting, None)
        if address is not None:
            self._crowds[address] -= 1
            if not self._crowds[address]:
                del self._crowds[address]


class Doorkeeper:
    """Takes the connections that come to one socket."""

    def __init__(self, listening: socket.socket, doorstep: Doorstep, terms: Terms, admit: Admit) -> None:
        """Take none yet."""
        self._listening = listening
        self._doorstep = doorstep
        self._terms = terms
        self._admit = admit
        self._taking: asyncio.Task[None] | None = None

    def start(self, backlog: int) -> None:
        """Take connections; call it in the event loop. Raises OSError."""
        self._listening.setblocking(False)
        self._listening.listen(backlog)
        self._taking = asyncio.get_running_loop().create_task(self._take())

    def close(self) -> None:
        """Take no more of them."""
        if self._taking is not None:
            self._taking.cancel()
            self._taking.add_done_callback(lambda _: self._listening.close())

    async def _take(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, name = await loop.sock_accept(self._listening)
            except OSError as error:
                _LOG.warning("no connection can be taken at present: %s", error.strerror or error)
                await asyncio.sleep(_REST_SECONDS)
                continue
            served = self._admit()
            if served is None:
                connection.close()
                continue
            self._doorstep.come(loop.create_task(self._greet(connection, served)), str(name[0]))

    async def _greet(self, connection: socket.socket, served: asyncio.Protocol) -> None:
        """Do the handshake; whoever does not get through is gone."""
        try:
            with suppress(OSError):  # of which errors of TLS and of time are kinds
                await asyncio.get_running_loop().connect_accepted_socket(
                    lambda: served,
                    connection,
                    ssl=self._terms.tls,
                    ssl_handshake_timeout=self._terms.handshake_seconds,
                    ssl_shutdown_timeout=_SHUTDOWN_SECONDS,
                )
                return
        except asyncio.CancelledError:
            connection.close()
            raise
        connection.close()
