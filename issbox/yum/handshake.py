"""Shaking hands with a server to see which certificates it shows, and whether they lead to a trusted authority."""

import socket
import ssl
from base64 import b64encode
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from issbox.errors import UnreachableError
from issbox.yum.address import parse_address
from issbox.yum.request import MirrorRequest
from issbox.yum.web import tls_context

_PORTS: Final = {"https": 443, "http": 80}
_LONGEST_ANSWER: Final = 16 << 10
"""Bytes of a proxy's answer to CONNECT."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """How a server presents itself."""

    chain: tuple[bytes, ...]
    """The certificates that it shows, in DER, its own first; whatever becomes of the check."""
    problem: str = ""
    """Why they are not accepted; empty when they are."""


def shake_hands(request: MirrorRequest) -> Handshake:
    """Connect to the https server of a request twice: to see what it shows, and with all checks.

    Raises UnreachableError when there is no connection or no TLS at all, InvalidValueError for certificates of the
    request that cannot be used.
    """
    address = urlsplit(f"https://{parse_address(request.url).host}")
    host, port = address.hostname or "", address.port or _PORTS["https"]
    careless = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE  # only to look at them: nothing is sent
    try:
        with _connect(request, host, port) as plain, careless.wrap_socket(plain, server_hostname=host) as tls:
            chain = _chain(tls)
        with _connect(request, host, port) as plain, tls_context(request).wrap_socket(plain, server_hostname=host):
            return Handshake(chain)
    except ssl.SSLCertVerificationError as error:
        return Handshake(chain, error.verify_message or str(error.reason))
    except ssl.SSLError as error:
        raise UnreachableError(f"{host}:{port} speaks no TLS that is understood: {error.reason or error}") from None
    except OSError as error:
        raise UnreachableError(f"no connection to {host}:{port}: {error.strerror or error}") from None


def _chain(tls: ssl.SSLSocket) -> tuple[bytes, ...]:
    """Give what the server showed. Python 3.13 has a method for it, earlier ones have it inside."""
    give: Any = getattr(tls, "get_unverified_chain", None)
    if give is not None:
        return tuple(give())
    inner: Any = tls._sslobj  # type: ignore[attr-defined]  # noqa: SLF001  # the only way before Python 3.13
    return tuple(ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in inner.get_unverified_chain() or ())


def _connect(request: MirrorRequest, host: str, port: int) -> socket.socket:
    if not request.proxy:
        return socket.create_connection((host, port), timeout=request.timeout_seconds)
    proxy = urlsplit(request.proxy)
    place = (proxy.hostname or "", proxy.port or _PORTS[proxy.scheme])
    connection = socket.create_connection(place, timeout=request.timeout_seconds)
    try:
        if proxy.scheme == "https":
            connection = ssl.create_default_context().wrap_socket(connection, server_hostname=place[0])
        _ask_proxy(connection, f"{host}:{port}", proxy.username, proxy.password)
    except BaseException:
        connection.close()
        raise
    return connection


def _ask_proxy(connection: socket.socket, target: str, user: str | None, password: str | None) -> None:
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if user is not None:
        pair = b64encode(f"{unquote(user)}:{unquote(password or '')}".encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {pair}")
    connection.sendall("\r\n".join((*lines, "", "")).encode())
    answer = b""
    while b"\r\n\r\n" not in answer and len(answer) < _LONGEST_ANSWER:
        block = connection.recv(1)  # not a byte of the TLS that follows
        if not block:
            break
        answer += block
    status = answer.split(b"\r\n", 1)[0].decode("latin-1")
    if not status.startswith("HTTP/1.") or status[8:12] != " 200":
        raise UnreachableError(f"the proxy does not connect to {target}: {status[:100]!a}")
