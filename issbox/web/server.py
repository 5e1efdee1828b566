"""Listeners and connections: TLS for hosts, a socket for a server in front, all in one event loop."""

import asyncio
import logging
import os
import shutil
import socket
from functools import partial
from pathlib import Path
from typing import Final, cast

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from issbox.errors import ConfigurationError, IssboxError, PermissionDeniedError
from issbox.files import error_from_os
from issbox.rules.serving import PKI, Site, parse_listen
from issbox.web.api.dispatch import PREFIXES, Api
from issbox.web.application import Application, Channel
from issbox.web.current import LOOK_EVERY, Current
from issbox.web.revoked import RevokedList
from issbox.web.takings import WRITE_EVERY
from issbox.web.tls import ServerFiles, ServerTls
from issbox.workflows.cdn.downstream import record_takings
from issbox.workflows.context import Context
from issbox.workflows.nginx import write_authorities
from issbox.workflows.server_certificate import server_certificate

HANDSHAKE_SECONDS: Final = 20.0
STOP_SECONDS: Final = 10.0
"""How long answers that are under way may take when the server stops."""
_LARGEST_HEADER: Final = 16 << 10
_LARGEST_CERTIFICATE: Final = 256 << 10
"""Bytes of the header with a certificate; one of version 1 with many contents has some 60 KiB before encoding."""
_RENEW_EVERY: Final = 3600.0
"""Seconds between two looks at whether the server's certificate has to be issued again."""
_BACKLOG: Final = 512
_LOG: Final = logging.getLogger("issbox.web")


class _Connections(web.Server):
    """The connections of one listener."""

    def __init__(self, application: Application, channel: Channel, idle: float) -> None:
        super().__init__(
            partial(application.handle, channel),
            keepalive_timeout=idle,
            access_log=None,
            logger=_LOG,
            max_field_size=_LARGEST_CERTIFICATE if channel.in_front else _LARGEST_HEADER,
            lingering_time=2.0,
            auto_decompress=False,  # a body that swells would take the memory before anybody counts its bytes
        )
        self.open = 0

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """Count it."""
        self.open += 1
        super().connection_made(handler, transport)

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        """Count it no longer."""
        self.open -= 1
        super().connection_lost(handler, exc)


class _TurnedAway(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """End it."""
        cast("asyncio.Transport", transport).abort()


class WebServer:
    """The server; everything but making it happens in its event loop."""

    def __init__(self, ctx: Context, *, look_every: float = LOOK_EVERY) -> None:
        """Take the settings of the box; nothing listens yet."""
        self._ctx = ctx
        self._settings = ctx.settings.web
        self._look_every = look_every
        self._current = Current(ctx, look_every=look_every)
        self._api = Api(ctx, self._current)
        handlers = {**dict.fromkeys(PREFIXES, self._api.handle), PKI: RevokedList(self._current).handle}
        self._application = Application(ctx, self._current, handlers=handlers)
        self._application.count_connections = self._count
        self._listeners: list[asyncio.Server] = []
        self._connections: list[_Connections] = []
        self._upkeep: asyncio.Task[None] | None = None
        self.ports: list[int] = []
        """Where it listens, in the order of [web] listen and then of the sites that have ports of their own."""

    async def start(self) -> None:
        """Listen. Raises ConfigurationError, ServerCertificateError, and OperatingSystemError for a port in use."""
        overview = await self._current.overview()
        sites = {parse_listen(each.host): each for each in self._settings.sites if _has_port(each)}
        addresses: list[tuple[tuple[str, int], Site | None]] = [(each, None) for each in self._settings.listen]
        addresses += list(sites.items())
        tls = None
        if addresses:
            files = await asyncio.to_thread(self._files)
            overview = await self._current.overview()
            tls = ServerTls(files, overview.trust.pem())
            for address, site in addresses:
                await self._listen(address, Channel(site=site), tls)
        if self._settings.socket is not None:
            await self._listen_in_front(self._settings.socket)
        self._upkeep = asyncio.create_task(self._keep_up(tls))

    async def stop(self) -> None:
        """Take no more connections, let answers end, and close."""
        for listener in self._listeners:
            listener.close()
        if self._upkeep is not None:
            self._upkeep.cancel()
        for each in self._connections:
            each.pre_shutdown()
        await asyncio.gather(*(each.shutdown(STOP_SECONDS) for each in self._connections))
        await self._write_takings()
        await asyncio.to_thread(self._api.close)
        if self._settings.socket is not None and self._listeners:
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

    def _count(self) -> int:
        return sum(each.open for each in self._connections)

    async def _listen(self, address: tuple[str, int], channel: Channel, tls: ServerTls) -> None:
        connections = _Connections(self._application, channel, self._settings.idle_seconds)
        listening = await asyncio.to_thread(_bind, address, self._settings.send_seconds)
        listener = await asyncio.get_running_loop().create_server(
            lambda: self._admit(connections),
            sock=listening,
            ssl=tls.context,
            ssl_handshake_timeout=min(HANDSHAKE_SECONDS, self._settings.idle_seconds),
            ssl_shutdown_timeout=2.0,
            backlog=_BACKLOG,
        )
        self._connections.append(connections)
        self._listeners.append(listener)
        self.ports.append(listening.getsockname()[1])
        where = f"https://{address[0]}:{self.ports[-1]}"
        _LOG.info(
            "serving %s%s", where, f" {channel.site.organization}/{channel.site.environment}" if channel.site else ""
        )

    async def _listen_in_front(self, path: Path) -> None:
        """Listen at the socket of the server in front, which only its group may reach."""
        connections = _Connections(self._application, Channel(in_front=True), self._settings.idle_seconds)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
            before = os.umask(0o177)
            try:
                listening.bind(str(path))
            finally:
                os.umask(before)
            if self._settings.socket_group:
                _give_to_group(path, self._settings.socket_group)
        except OSError as error:
            raise error_from_os(error) from error
        listener = await asyncio.get_running_loop().create_unix_server(
            lambda: self._admit(connections), sock=listening, backlog=_BACKLOG
        )
        self._connections.append(connections)
        self._listeners.append(listener)
        _LOG.info("answering the server in front at %s", path)

    def _admit(self, connections: _Connections) -> asyncio.Protocol:
        if self._count() >= self._settings.max_connections:
            self._application.counters.drop("too-many")
            return _TurnedAway()
        return connections()

    async def _keep_up(self, tls: ServerTls | None) -> None:
        """Take over changed certificates, hand them to the server in front, and have the server's own renewed in time.

        What a server in front reads is written at the start, too: it may have changed while nobody served.
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
                if loop.time() >= renew_at:
                    renew_at = loop.time() + _RENEW_EVERY
                    await asyncio.to_thread(server_certificate, self._ctx)
                pem = (await self._current.overview()).trust.pem()
                changed = tls is not None and tls.refresh(pem)
                if self._settings.socket is not None and pem != written:
                    await asyncio.to_thread(write_authorities, self._ctx)
                    changed, written = changed or written is not None, pem
                if changed:
                    _LOG.info("the server's certificate or the authorities of hosts changed")
            except (IssboxError, OSError) as error:
                _LOG.warning("what changed is not used: %s", error)


def _has_port(site: Site) -> bool:
    return ":" in site.host


def _give_to_group(path: Path, group: str) -> None:
    """Let a group use the socket; raises ConfigurationError and PermissionDeniedError, and what the disk says."""
    try:
        shutil.chown(path, group=group)
    except LookupError:
        raise ConfigurationError(f"[web] socket_group: there is no group {group}") from None
    except PermissionError:
        raise PermissionDeniedError(
            f"[web] socket_group: the account that runs issbox may not give {path} to the group {group}",
            hint=f"Make that account a member, as with `usermod --append --groups {group} issbox`, and start the "
            "service again.",
        ) from None
    path.chmod(0o660)


def _bind(address: tuple[str, int], patience: float) -> socket.socket:
    """Give a socket at this address whose connections the kernel ends when a client takes nothing for so long."""
    host, port = address
    try:
        family, kind, protocol, _, name = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind | socket.SOCK_CLOEXEC, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(patience * 1000))
            listening.bind(name)
        except BaseException:
            listening.close()
            raise
    except OSError as error:
        raise ConfigurationError(
            f"the server cannot listen at {host}:{port}: {error.strerror or error}",
            hint="Choose another address or port in [web] listen, or stop what uses it.",
        ) from None
    return listening
