"""An upstream web server on loopback that can fail in every way real ones do: it is told what to do by path."""

import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cryptography import x509
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Request:
    """What the server was asked."""

    path: str
    """Path and query as sent; a whole URL when the server is used as a proxy."""
    headers: dict[str, str]
    """Names in lower case."""
    client: str
    """Common name of the client certificate, or empty."""


@dataclass(frozen=True)
class Answer:
    """What the server does instead of sending the file."""

    status: int = 200
    body: bytes | None = None
    """Instead of the file's bytes."""
    cut: int | None = None
    """Close the connection after so many bytes of the body, having promised all."""
    hang_up: bool = False
    """Close the connection without an answer."""
    ranges: bool = True
    headers: dict[str, str] = field(default_factory=dict)
    chunked: bool = False
    pause: float = 0.0
    """Seconds before the answer."""


class Upstream:
    """A running server of one directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = ""
        self.requests: list[Request] = []
        self.script: defaultdict[str, list[Answer]] = defaultdict(list)
        """By path: the answers to the next requests; afterwards the file itself."""
        self.always: dict[str, Answer] = {}
        self.running = 0
        self.most_at_once = 0
        self.lock = threading.Lock()

    @property
    def paths(self) -> list[str]:
        """The paths asked for, without leading slash, in order."""
        return [urlsplit(request.path).path.removeprefix("/") for request in self.requests]

    def answer(self, path: str) -> Answer:
        """Choose what to do with a request."""
        if self.script[path]:
            return self.script[path].pop(0)
        return self.always.get(path, Answer())


@contextmanager
def serve(root: Path, *, tls: ssl.SSLContext | None = None) -> Iterator[Upstream]:
    """Serve a directory until the block ends."""
    upstream = Upstream(root)

    class Handler(_Handler):
        server_state = upstream

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        upstream.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield upstream
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_state: Upstream

    def do_GET(self) -> None:
        state = self.server_state
        with state.lock:
            state.requests.append(Request(self.path, {k.lower(): v for k, v in self.headers.items()}, self._client()))
            answer = state.answer(urlsplit(self.path).path.removeprefix("/"))
            state.running += 1
            state.most_at_once = max(state.most_at_once, state.running)
        try:
            time.sleep(answer.pause)
            self._send(answer)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with state.lock:
                state.running -= 1

    def _send(self, answer: Answer) -> None:
        if answer.hang_up:
            self.close_connection = True
            return
        status, body = answer.status, answer.body
        if body is None and status == 200:
            place = self.server_state.root / unquote(urlsplit(self.path).path).lstrip("/")
            body = place.read_bytes() if place.is_file() else None
            status = 200 if body is not None else 404
        body = body if body is not None else b"nothing here"
        headers = dict(answer.headers)
        asked = self.headers.get("Range", "")
        if status == 200 and answer.ranges and asked.startswith("bytes="):
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(body):
                status, body = 416, b""
            else:
                headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
                status, body = 206, body[start:]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if answer.chunked:
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if answer.cut is None else body[: answer.cut])
        if answer.cut is not None:
            self.close_connection = True

    def _client(self) -> str:
        if not isinstance(self.connection, ssl.SSLSocket):
            return ""
        certificate = self.connection.getpeercert(binary_form=True)
        if certificate is None:
            return ""
        (name,) = x509.load_der_x509_certificate(certificate).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(name.value)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""
