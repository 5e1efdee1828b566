"""A box that serves hosts: real content, real certificates, a real server on loopback."""

import logging
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest

from issbox.certs.authority import Authority
from issbox.certs.entitlement import issue_entitlement, prepare_v1, prepare_v3
from issbox.certs.keys import KeyKind, new_serial
from issbox.config import WebSettings
from issbox.model import LIBRARY, RepositoryKey, Validity
from issbox.web.service import RunningServer, serving
from issbox.workflows.certificates.authority import open_authority
from issbox.workflows.content import catalog, repositories
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.context import Context
from issbox.workflows.environments import environments
from issbox.workflows.environments.promoting import plan_repository_promotion, promote
from makers.boxes import PACKAGES, Side, initialize_box
from makers.certificates import YEAR, key_of, payload_of
from makers.rpms import Repository as Layout
from makers.rpms import write_repository

KEY = RepositoryKey("acme", "tools", "base")
BASE = "/content/acme/Library/custom/tools/base"
REPOMD = f"{BASE}/repodata/repomd.xml"
GRANTED = "/acme/Library/custom/tools/base"
"""What a certificate of the box says for it."""


def logged_requests(caplog: pytest.LogCaptureFixture, number: int) -> list[logging.LogRecord]:
    """Give the lines of so many requests: a client may have its answer before the server has written the line."""
    until = time.monotonic() + 20
    while True:
        found = [each for each in caplog.records if each.name == "issbox.access"]
        if len(found) >= number or time.monotonic() > until:
            assert len(found) == number
            return found
        time.sleep(0.02)


def issue(
    authority: Authority,
    paths: Sequence[str],
    *,
    organization: str = "acme",
    serial: int | None = None,
    valid: Validity = YEAR,
    version: int = 3,
) -> str:
    """Issue an entitlement certificate for these full paths, for the key with the number 9."""
    prepared = prepare_v3(payload_of(list(paths)), authority) if version == 3 else prepare_v1(payload_of(list(paths)))
    return issue_entitlement(
        authority,
        prepared,
        organization=organization,
        entitlement="0" * 32,
        public=key_of(KeyKind.EC_P256, 9).public,
        valid=valid,
        serial=serial or new_serial(),
    )


def make_box(state: Path, **web: Any) -> Context:
    """Make a box with the organization acme, whose Library and dev hold tools/base, and another one without content."""
    environ = Side(state).environment()
    initialize_box(environ, state.name)
    ctx = with_web(Side(state).context(), listen=(("127.0.0.1", 0),), names=("localhost", "127.0.0.1"), **web)
    upstream = state.parent / f"{state.name}-upstream"
    write_repository(Layout(upstream, PACKAGES))
    catalog.create_organization(ctx, label="other", name="Other")
    catalog.create_product(ctx, organization="acme", label="tools", name="Tools")
    repositories.create_repository(
        ctx, organization="acme", product="tools", label="base", name="Base", url=upstream.as_uri()
    )
    synchronize(ctx, KEY)
    environments.create_environment(ctx, organization="acme", label="dev", name="Dev", prior=LIBRARY)
    promote(ctx, plan_repository_promotion(ctx, KEY, 1, "dev"))
    return ctx


def with_web(ctx: Context, **web: Any) -> Context:
    """Give the same box with other settings of its server."""
    changed: WebSettings = replace(ctx.settings.web, **web)
    return replace(ctx, settings=replace(ctx.settings, web=changed))


@dataclass
class Answer:
    """What a server answered."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Client:
    """A host that asks a server, with or without a certificate."""

    directory: Path
    port: int
    certificate: str | None = None
    context: ssl.SSLContext = field(init=False)

    def __post_init__(self) -> None:
        self.context = ssl.create_default_context(cafile=self.directory / "root.pem")
        if self.certificate is not None:
            write_certificate(self.directory, self.certificate)
            self.context.load_cert_chain(self.directory / "client.pem", self.directory / "client.key")

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Ask once, on a connection of its own; `If_Range` becomes `If-Range`."""
        return self.ask(method, path, {name.replace("_", "-"): value for name, value in headers.items()})

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """Ask once, with a body."""
        connection = HTTPSConnection("127.0.0.1", self.port, context=self.context, timeout=20)
        try:
            connection.request(method, path, body=body, headers=dict(headers))
            response = connection.getresponse()
            return Answer(response.status, response.read(), dict(response.headers))
        finally:
            connection.close()

    def connect(self) -> ssl.SSLSocket:
        """Give a connection for raw requests."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        return self.context.wrap_socket(plain, server_hostname="127.0.0.1")

    def raw(self, request: bytes) -> bytes:
        """Send bytes and give everything that comes back until the connection ends or is idle."""
        with self.connect() as connection:
            connection.sendall(request)
            received = b""
            try:
                while data := connection.recv(65536):
                    received += data
            except (ConnectionError, TimeoutError, ssl.SSLError):
                pass
            return received


def write_certificate(directory: Path, certificate: str) -> None:
    """Write a host's certificate and key as stock clients keep them."""
    (directory / "client.pem").write_text(certificate)
    (directory / "client.key").write_text(key_of(KeyKind.EC_P256, 9).pem())


@dataclass
class Service:
    """A running server with what a test needs to ask it."""

    ctx: Context
    running: RunningServer
    directory: Path

    def client(self, *paths: str, port: int = 0, **wanted: Any) -> Client:
        """Give a client with a certificate of the box for these full paths; without paths, one without."""
        certificate = issue(open_authority(self.ctx), paths, **wanted) if paths else None
        return self.showing(certificate, port=port)

    def showing(self, certificate: str | None, *, port: int = 0) -> Client:
        """Give a client with this certificate."""
        return Client(self.directory, port or self.running.ports[0], certificate)


@contextmanager
def serve(ctx: Context, directory: Path, *, look_every: float = 0.0) -> Iterator[Service]:
    """Serve a box; `directory` is for the files of clients. With `look_every` 0, changes count at once."""
    (directory / "root.pem").write_text(open_authority(ctx).root_pem)
    with serving(ctx, look_every=look_every) as running:
        assert running is not None
        yield Service(ctx, running, directory)
