"""Real TLS: a certificate issued here is shown by curl and by Python, verified, decoded and asked for its grants."""

import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from makers.certificates import KINDS, NOW, YEAR, authority_of, entitle, key_of
from makers.chains import SiteAuthority
from makers.needs import needs_curl

from issbox.certs import pem
from issbox.certs.authority import Authority
from issbox.certs.decode import decode_certificate
from issbox.certs.guard import decide
from issbox.certs.identity import issue_server
from issbox.certs.keys import KeyKind, new_serial
from issbox.certs.site_authority import accept_answer, request_certificate
from issbox.certs.verify import TrustedAuthorities
from issbox.errors import UntrustedCertificateError
from issbox.rules.entitlements.paths import request_path


@dataclass
class Door:
    """A server that asks for a certificate and answers what the guard says."""

    trusted: TrustedAuthorities
    below: list[x509.Certificate]
    revoked: set[int] = field(default_factory=set)
    port: int = 0

    def answer(self, der: bytes | None, raw_path: str) -> tuple[int, str]:
        if der is None:
            return 401, "no certificate"
        found = decode_certificate(pem.write("CERTIFICATE", der))
        try:
            self.trusted.verify_client(found.certificate, self.below, at=NOW)
        except UntrustedCertificateError as error:
            return 403, str(error)
        revoked = found.certificate.serial_number in self.revoked
        verdict = decide(found, request_path(raw_path), now=NOW, revoked=revoked)
        return (200 if verdict.granted else 403), verdict.reason


@contextmanager
def open_door(authority: Authority, directory: Path) -> Iterator[Door]:
    chain = x509.load_pem_x509_certificates(authority.chain_pem.encode())
    door = Door(TrustedAuthorities.from_pem(authority.root_pem), chain[:-1])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert isinstance(self.connection, ssl.SSLSocket)
            code, text = door.answer(self.connection.getpeercert(binary_form=True), self.path)
            self.send_response(code)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 # the name of the method above
            pass

    certificate = issue_server(
        authority, names=["127.0.0.1"], public=key_of(KeyKind.EC_P256, 8).public, valid=YEAR, serial=new_serial()
    )
    (directory / "server.pem").write_text(certificate + "".join(authority.chain_pem))
    (directory / "server.key").write_text(key_of(KeyKind.EC_P256, 8).pem())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "server.pem", directory / "server.key")
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(cadata=authority.chain_pem)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    door.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield door
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def write_client(authority: Authority, directory: Path, serial: int) -> None:
    """Write certificate and key as a host keeps them: the whole text, with entitlement data and signature."""
    (directory / "client.pem").write_text(entitle(["/Acme/dev/tools"], authority, serial))
    (directory / "client.key").write_text(key_of(KeyKind.EC_P256, 9).pem())
    (directory / "root.pem").write_text(authority.root_pem)


def ask_with_curl(door: Door, directory: Path, path: str, *, certificate: bool = True) -> tuple[int, str]:
    command = ["curl", "--silent", "--noproxy", "*", "--cacert", "root.pem", "--write-out", " %{http_code}"]
    command += ["--cert", "client.pem", "--key", "client.key"] if certificate else []
    command.append(f"https://127.0.0.1:{door.port}{path}")
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True)
    text, _, code = done.stdout.rpartition(" ")
    return int(code), text


def ask_with_python(door: Door, directory: Path, path: str) -> tuple[int, str]:
    context = ssl.create_default_context(cafile=directory / "root.pem")
    context.load_cert_chain(directory / "client.pem", directory / "client.key")
    connection = HTTPSConnection("127.0.0.1", door.port, context=context, timeout=20)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def below_a_site() -> Authority:
    site = SiteAuthority("site issuing", SiteAuthority("site root"))
    assert site.above is not None
    key = key_of(KeyKind.EC_P256, 3)
    return accept_answer(
        key, site.answer(request_certificate(key, name="issbox")), now=NOW, above=site.pem + site.above.pem
    )


@needs_curl
@pytest.mark.parametrize("kind", [*KINDS, None])
def test_curl_and_python_are_let_in_with_what_was_issued_here(kind: KeyKind | None, tmp_path: Path) -> None:
    authority = authority_of(kind) if kind else below_a_site()
    write_client(authority, tmp_path, serial=4711)
    with open_door(authority, tmp_path) as door:
        for ask in (ask_with_curl, ask_with_python):
            assert ask(door, tmp_path, "/Acme/dev/tools/repodata/repomd.xml") == (200, "granted")
            assert ask(door, tmp_path, "/Acme/qa/tools/repodata/repomd.xml") == (403, "path-not-granted")
            door.revoked.add(4711)
            code, said = ask(door, tmp_path, "/Acme/dev/tools/repodata/repomd.xml")
            assert (code, said) == (403, "revoked")
            door.revoked.clear()
        assert ask_with_curl(door, tmp_path, "/Acme/dev/tools/x", certificate=False) == (401, "no certificate")


@needs_curl
def test_a_certificate_of_another_authority_is_turned_away(tmp_path: Path) -> None:
    write_client(authority_of(number=1), tmp_path, serial=4711)
    (tmp_path / "root.pem").write_text(authority_of().root_pem)
    with open_door(authority_of(), tmp_path) as door, pytest.raises((ssl.SSLError, ConnectionError)):
        ask_with_python(door, tmp_path, "/Acme/dev/tools/x")
