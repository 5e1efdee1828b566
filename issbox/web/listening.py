"""The sockets at which hosts and a server in front are served."""

import logging
import os
import resource
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from issbox.config import WebSettings
from issbox.errors import ConfigurationError, PermissionDeniedError
from issbox.files import error_from_os
from issbox.rules.serving import Site, parse_listen

_OTHER_FILES: Final = 256
_LOG: Final = logging.getLogger("issbox.web")


@dataclass(frozen=True, slots=True)
class Channel:
    """Where requests come from."""

    in_front: bool = False
    """Whether it is the server in front of this one, which tells who the client is."""
    site: Site | None = None
    """Given when one environment is served at the root of this channel."""


@dataclass(frozen=True, slots=True)
class Listening:
    """A socket, and what the connections are that come to it."""

    socket: socket.socket
    channel: Channel

    def __str__(self) -> str:
        """Say where it is."""
        name = self.socket.getsockname()
        if self.channel.in_front:
            return f"the server in front at {name}"
        host = f"[{name[0]}]" if self.socket.family == socket.AF_INET6 else name[0]
        site = self.channel.site
        return f"https://{host}:{name[1]}" + (f" {site.organization}/{site.environment}" if site else "")


def allow_open_files(connections: int) -> None:
    """Raise the limit of open files of this process to what so many connections need, or say that it is too low.

    Each has a socket and the file that it gets. Others are let go before they have shown who they are, and what the
    rest of the service has open is little.
    """
    needed = 3 * connections + _OTHER_FILES
    try:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft == resource.RLIM_INFINITY or soft >= needed:
            return
        allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    except (OSError, ValueError):  # the unit of systemd forbids asking, and sets the limit itself
        return
    if allowed < needed:
        _LOG.warning("[web] max_connections needs %d open files, and the system allows %d", needed, allowed)


def is_anything_served(settings: WebSettings) -> bool:
    """Tell whether there is anywhere to listen."""
    return bool(settings.listen or settings.socket is not None or _sites_with_ports(settings))


def listen(settings: WebSettings) -> list[Listening]:
    """Open the sockets of [web]: its addresses, those of its sites, and the one for a server in front.

    Raises ConfigurationError for an address in use and for an unknown group, and OperatingSystemError.
    """
    found: list[Listening] = []
    try:
        places = [(address, None) for address in settings.listen] + _sites_with_ports(settings)
        found.extend(Listening(_bind(each, settings.send_seconds), Channel(site=site)) for each, site in places)
        if settings.socket is not None:
            found.append(Listening(_bind_in_front(settings.socket, settings.socket_group), Channel(in_front=True)))
    except BaseException:
        for each in found:
            each.socket.close()
        raise
    return found


def _sites_with_ports(settings: WebSettings) -> list[tuple[tuple[str, int], Site | None]]:
    return [(parse_listen(each.host), each) for each in settings.sites if ":" in each.host]


def _bind_in_front(path: Path, group: str) -> socket.socket:
    """Give the socket of the server in front, which only its group may reach."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        before = os.umask(0o177)
        try:
            listening.bind(str(path))
        finally:
            os.umask(before)
        if group:
            _give_to_group(path, group)
    except OSError as error:
        raise error_from_os(error) from error
    return listening


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
