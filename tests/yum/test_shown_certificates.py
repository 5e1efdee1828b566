"""Looking at the certificates of a server, straight and by a proxy."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from makers.authority import Authority, serve_tls
from makers.relays import relay
from makers.upstream import serve

from issbox.errors import UnreachableError
from issbox.yum.handshake import shake_hands
from issbox.yum.mirror import MirrorRequest


@contextmanager
def proxy(answer: bytes, asked: list[bytes]) -> Iterator[str]:
    """Give the URL of a proxy that says this to CONNECT, and connects when it is 200."""

    def serve_one(connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(1)
        asked.append(head)
        connection.sendall(answer)
        if b" 200 " not in answer:
            connection.close()
            return
        host, _, port = head.split()[1].decode().rpartition(":")
        other = socket.create_connection((host, int(port)), timeout=20)
        relay(connection, other)

    def accept(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve_one, args=(connection,), daemon=True).start()

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        yield f"http://me:s%20cret@127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def subject(der: bytes) -> str:
    return x509.load_der_x509_certificate(der).subject.rfc4514_string()


def test_the_chain_is_seen_whether_it_is_trusted_or_not(tmp_path: Path) -> None:
    ours, theirs = Authority(tmp_path, "ours"), Authority(tmp_path, "theirs")
    with serve_tls(tmp_path, ours, clients=False) as server:
        good = shake_hands(MirrorRequest(url=server.url, ca_pem=ours.pem))
        assert (subject(good.chain[0]), good.problem) == ("CN=127.0.0.1", "")
        bad = shake_hands(MirrorRequest(url=server.url, ca_pem=theirs.pem))
        assert bad.chain == good.chain
        assert "issuer" in bad.problem
        elsewhere = shake_hands(MirrorRequest(url=server.url.replace("127.0.0.1", "localhost"), ca_pem=ours.pem))
        assert "ostname mismatch" in elsewhere.problem


def test_a_proxy_is_asked_to_connect_with_its_password(tmp_path: Path) -> None:
    ours, asked = Authority(tmp_path, "ours"), list[bytes]()
    with serve_tls(tmp_path, ours, clients=False) as server, proxy(b"HTTP/1.1 200 Fine\r\n\r\n", asked) as through:
        found = shake_hands(MirrorRequest(url=server.url, ca_pem=ours.pem, proxy=through))
    assert (subject(found.chain[0]), found.problem) == ("CN=127.0.0.1", "")
    assert len(asked) == 2
    assert b"Proxy-Authorization: Basic bWU6cyBjcmV0\r\n" in asked[0]


@pytest.mark.parametrize("answer", [b"HTTP/1.1 407 No\r\n\r\n", b"SSH-2.0-x\r\n\r\n", b"", b"x" * 20_000])
def test_a_proxy_that_does_not_connect_is_named(tmp_path: Path, answer: bytes) -> None:
    ours = Authority(tmp_path, "ours")
    with (
        serve_tls(tmp_path, ours, clients=False) as server,
        proxy(answer, []) as through,
        pytest.raises(UnreachableError) as refused,
    ):
        shake_hands(MirrorRequest(url=server.url, ca_pem=ours.pem, proxy=through))
    assert "secret" not in str(refused.value)


def test_a_server_without_tls_is_said(tmp_path: Path) -> None:
    with serve(tmp_path) as server, pytest.raises(UnreachableError, match="no TLS"):
        shake_hands(MirrorRequest(url=server.url.replace("http:", "https:")))
