"""Listeners and connections: TLS for hosts, a socket for a server in front, all in one event loop."""

import asyncio
import logging
import math
import time
from functools import partial
from typing import Final, cast

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from issbox.errors import IssboxError
from issbox.rules.serving import PKI
from issbox.web.api.dispatch import PREFIXES, Api
from issbox.web.application import Application
from issbox.web.crew import Crew, Post
from issbox.web.current import LOOK_EVERY, Current
from issbox.web.doorstep import Doorkeeper, Doorstep, Terms
from issbox.web.listening import Channel, Listening, allow_open_files, listen
from issbox.web.peers import Peer, peer_by_headers, peer_by_tls
from issbox.web.revoked import RevokedList
from issbox.web.takings import WRITE_EVERY
from issbox.web.tls import ServerFiles, ServerTls
from issbox.workflows.appliance.nginx import write_authorities
from issbox.workflows.cdn.downstream import record_takings
from issbox.workflows.certificates.server_certificate import server_certificate
from issbox.workflows.context import Context

HANDSHAKE_SECONDS: Final = 20.0
WAITING_SECONDS: Final = 5.0
"""After which a connection that waits for a request makes room for a new one when there are too many."""
STOP_SECONDS: Final = 10.0
"""How long answers that are under way may take when the server stops."""
CREW_SECONDS: Final = STOP_SECONDS + 3.0
"""How long the other processes may take for that."""
_LARGEST_HEADER: Final = 16 << 10
_LARGEST_CERTIFICATE: Final = 256 << 10
"""Bytes of the header with a certificate; one of version 1 with many contents has some 60 KiB before encoding."""
_RENEW_EVERY: Final = 3600.0
"""Seconds between two looks at whether the server's certificate has to be issued again."""
_BACKLOG: Final = 512
_NOBODY: Final = Peer("-", None)
"""Who asked on a connection that is gone already."""
_LOG: Final = logging.getLogger("issbox.web")


class _Connections(web.Server):
    """The connections of one listener."""

    def __init__(self, application: Application, channel: Channel, idle: float) -> None:
        super().__init__(
            self._handle,
            keepalive_timeout=idle,
            access_log=None,
            logger=_LOG,
            max_field_size=_LARGEST_CERTIFICATE if channel.in_front else _LARGEST_HEADER,
            lingering_time=2.0,
            auto_decompress=False,  # a body that swells would take the memory before anybody counts its bytes
        )
        self._application = application
        self._channel = channel
        self._peers: dict[asyncio.BaseProtocol, Peer] = {}
        self._waiting: dict[RequestHandler, float] = {}
        """Connections without a whole request, and since when: who has waited longest is the first."""

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        in_front, connection = self._channel.in_front, request.protocol
        peer = peer_by_headers(request) if in_front else self._peers.get(connection, _NOBODY)
        self._waiting.pop(connection, None)
        try:
            return await self._application.handle(request, peer, in_front=in_front)
        finally:
            if connection in self._peers:
                self._waiting[connection] = time.monotonic()

    def longest_waiting(self) -> tuple[float, asyncio.BaseTransport] | None:
        """Give since when a host's connection has waited for its next request, or its first one to be whole."""
        for connection, since in self._waiting.items():
            if connection.transport is not None:
                return since, connection.transport
        return None

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """Count it, and see who it is."""
        self._application.counters.connect(1)
        if not self._channel.in_front:
            self._peers[handler] = peer_by_tls(transport, self._channel.site)
            self._waiting[handler] = time.monotonic()
        super().connection_made(handler, transport)

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        """Count it no longer."""
        self._application.counters.connect(-1)
        self._peers.pop(handler, None)
        self._waiting.pop(handler, None)
        super().connection_lost(handler, exc)


class _TurnedAway(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """End it."""
        cast("asyncio.Transport", transport).abort()


class WebServer:
    """The server; everything but making it happens in its event loop."""

    def __init__(self, ctx: Context, *, post: Post | None = None, look_every: float = LOOK_EVERY) -> None:
        """Take the settings of the box; nothing listens yet. With a post, it serves beside another process."""
        self._ctx = ctx
        self._settings = ctx.settings.web
        self._look_every = look_every
        self._current = Current(ctx, look_every=look_every)
        self._api = Api(ctx, self._current)
        self._post = post
        self._crew = Crew(self._settings.processes - 1) if post is None and self._settings.processes > 1 else None
        given = post or self._crew
        self._application = Application(
            ctx,
            self._current,
            handlers={**dict.fromkeys(PREFIXES, self._api.handle), PKI: RevokedList(self._current).handle},
            counters=None if given is None else given.counters,
        )
        self._doorstep = Doorstep(
            self._settings.max_connections, partial(self._application.counters.drop, "no-handshake")
        )
        self._listeners: list[asyncio.Server | Doorkeeper] = []
        self._connections: list[_Connections] = []
        self._upkeep: asyncio.Task[None] | None = None
        self.ports: list[int] = []
        """Where it listens, in the order of [web] listen and then of the sites that have ports of their own."""

    async def start(self) -> None:
        """Listen. Raises ConfigurationError, ServerCertificateError, and OperatingSystemError for a port in use."""
        allow_open_files(self._settings.max_connections)
        await self._current.overview()
        listening = self._post.listening if self._post else await asyncio.to_thread(listen, self._settings)
        tls = None
        if not all(each.channel.in_front for each in listening):
            files = await asyncio.to_thread(self._files)
            tls = ServerTls(files, (await self._current.overview()).trust.pem())
        for each in listening:
            await self._serve(each, tls)
        if self._crew is not None:
            await asyncio.to_thread(self._crew.start, listening)
        self._upkeep = asyncio.create_task(self._keep_up(tls))

    async def stop(self) -> None:
        """Take no more connections, let answers end, and close."""
        for listener in self._listeners:
            listener.close()
        self._doorstep.clear()
        if self._upkeep is not None:
            self._upkeep.cancel()
        for each in self._connections:
            each.pre_shutdown()
        crew = None if self._crew is None else asyncio.create_task(asyncio.to_thread(self._crew.stop, CREW_SECONDS))
        await asyncio.gather(*(each.shutdown(STOP_SECONDS) for each in self._connections))
        await self._write_takings()
        await asyncio.to_thread(self._api.close)
        await asyncio.to_thread(self._current.close)
        if crew is not None:
            await crew
        if self._settings.socket is not None and self._post is None and self._listeners:
            self._settings.socket.unlink(missing_ok=True)

    async def _write_takings(self) -> None:
        """Write down what other boxes took; when that fails, it is lost and told."""
        try:
            shown = await self._application.takings.take()
            if shown:
                await asyncio.to_thread(record_takings, self._ctx, shown)
        except (IssboxError, OSError) as error:
            _LOG.warning("what other boxes took is not written down: %s", error)

    def _files(self) -> ServerFiles:
        found = server_certificate(self._ctx)
        return ServerFiles(found.certificate, found.key)

    async def _serve(self, listening: Listening, tls: ServerTls | None) -> None:
        """Take connections from a socket."""
        connections = _Connections(self._application, listening.channel, self._settings.idle_seconds)
        loop, admit = asyncio.get_running_loop(), partial(self._admit, connections)
        if listening.channel.in_front:
            listener: asyncio.Server | Doorkeeper = await loop.create_unix_server(
                lambda: admit() or _TurnedAway(), sock=listening.socket, backlog=_BACKLOG
            )
        else:
            assert tls is not None
            terms = Terms(tls.context, min(HANDSHAKE_SECONDS, self._settings.idle_seconds))
            listener = Doorkeeper(listening.socket, self._doorstep, terms, admit)
            listener.start(_BACKLOG)
            self.ports.append(listening.socket.getsockname()[1])
        self._connections.append(connections)
        self._listeners.append(listener)
        if self._post is None:
            _LOG.info("serving %s", listening)

    def _admit(self, connections: _Connections) -> asyncio.Protocol | None:
        if self._application.counters.connections() >= self._settings.max_connections and not self._make_room():
            self._application.counters.drop("too-many")
            return None
        return connections()

    def _make_room(self) -> bool:
        """End the connection that has waited longest for a request, if that is long enough; tell whether there was one.

        A client that keeps connections and asks for nothing would keep all others out; one that is used again connects
        again.
        """
        waiting = filter(None, (each.longest_waiting() for each in self._connections))
        since, transport = min(waiting, key=lambda each: each[0], default=(math.inf, None))
        if transport is None or time.monotonic() - since < WAITING_SECONDS:
            return False
        self._application.counters.drop("waiting")
        cast("asyncio.Transport", transport).abort()
        return True

    async def _keep_up(self, tls: ServerTls | None) -> None:
        """Take over changed certificates, and do what the first process does for all.

        It has the server's own certificate renewed in time, replaces processes that ended, and hands the authorities of
        hosts to the server in front: at the start, too, since they may have changed while nobody served.
        """
        loop = asyncio.get_running_loop()
        renew_at = loop.time() + (_RENEW_EVERY if tls is not None else 0)  # with listeners, `start` has looked
        write_at = loop.time() + WRITE_EVERY
        written: str | None = None
        while True:
            await asyncio.sleep(max(self._look_every, 0.05))
            if loop.time() >= write_at:
                write_at = loop.time() + WRITE_EVERY
                await self._write_takings()
            try:
                if self._post is None and loop.time() >= renew_at:
                    renew_at = loop.time() + _RENEW_EVERY
                    await asyncio.to_thread(server_certificate, self._ctx)
                if self._crew is not None:
                    await asyncio.to_thread(self._crew.tend)
                pem = (await self._current.overview()).trust.pem()
                changed = tls is not None and tls.refresh(pem)
                if self._settings.socket is not None and self._post is None and pem != written:
                    await asyncio.to_thread(write_authorities, self._ctx)
                    changed, written = changed or written is not None, pem
                if changed:
                    _LOG.info("the server's certificate or the authorities of hosts changed")
            except (IssboxError, OSError) as error:
                _LOG.warning("what changed is not used: %s", error)
