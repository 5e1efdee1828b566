"""Raw bytes at the real server: nothing outside of what is published ever comes back, and it stays on its feet."""

import contextlib
import socket
import ssl

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from makers.serving import BASE, GRANTED, REPOMD, Service

SECRETS = (b"PRIVATE KEY", b"SQLite format", b"CERTIFICATE", b"root:x:0:0")
"""What lies beside the content: keys, database, authority; and the system's accounts."""


def statuses(received: bytes) -> list[int]:
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET http://localhost/content HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"CONNECT keys:22 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"CONNECT a?/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"get / http/1.1\r\n\r\n",
        b"\x00\x01\x02\x03\r\n\r\n",
        b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 70000 + b"\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
        b"POST /content HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\nConnection: close\r\n\r\nabc",
        b"POST /content HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\nConnection: close\r\n\r\n",
    ],
)
def test_odd_requests_are_refused_and_the_next_one_is_answered(service: Service, request_: bytes) -> None:
    client = service.client(GRANTED)
    with client.connect() as connection:
        connection.settimeout(3)
        received = b""
        with contextlib.suppress(TimeoutError, ConnectionError, ssl.SSLError):
            connection.sendall(request_)
            while data := connection.recv(65536):
                received += data
    assert all(400 <= status < 600 for status in statuses(received)), received[:300]
    assert not [secret for secret in SECRETS if secret in received]
    assert client.get(REPOMD).status == 200


def test_requests_one_after_the_other_on_one_connection(service: Service) -> None:
    one = f"GET {REPOMD} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    last = one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    received = service.client(GRANTED).raw(one * 5 + last)
    assert statuses(received) == [200] * 6


odd = st.sampled_from(
    [
        "..",
        ".",
        "",
        "%2e%2e",
        "%2f",
        "%5c",
        "\\",
        "%00",
        "%252e%252e",
        "%c0%ae",
        "keys",
        "signing.pem",
        "issbox.db",
        "etc",
        "passwd",
        "content",
        "published",
        "acme",
        "Library",
        "custom",
        "tools",
        "base",
        "repodata",
        "%",
        "~",
        ";",
        "a?b",
    ]
)
paths = st.lists(odd, min_size=1, max_size=12).map("/".join)
starts = st.sampled_from(["/", BASE + "/", "/content/acme/Library/", "/content/", "/content/acme/gpg-keys/"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(starts, paths).map("".join), min_size=10, max_size=20))
def test_no_path_reaches_what_is_not_published(service: Service, targets: list[str]) -> None:
    """On one connection, as they are, without anything that would tidy them up."""
    requests = "".join(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n" for target in targets if " " not in target)
    received = service.client("/acme").raw(f"{requests}GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert len(statuses(received)) >= 1
    assert not [secret for secret in SECRETS if secret in received]
    assert {status for status in statuses(received) if status not in (200, 400, 403, 404)} == set()


def test_a_link_or_pipe_in_a_tree_is_not_followed(service: Service) -> None:
    """Nobody but the box writes there; should something lie there all the same, it is not served."""
    import os

    root = (service.ctx.store.state_dir / BASE.removeprefix("/")).resolve()
    link, pipe, directory = root / "link.rpm", root / "pipe.rpm", root / "elsewhere"
    link.symlink_to(service.ctx.store.state_dir / "keys/signing.pem")
    directory.symlink_to(service.ctx.store.state_dir / "keys")
    os.mkfifo(pipe)
    try:
        client = service.client(GRANTED)
        for name in ("link.rpm", "pipe.rpm", "elsewhere/signing.pem"):
            assert client.get(f"{BASE}/{name}").status == 404
    finally:
        for each in (link, pipe, directory):
            each.unlink()


def test_plain_http_gets_nothing(service: Service) -> None:
    with socket.create_connection(("127.0.0.1", service.running.ports[0]), timeout=5) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with contextlib.suppress(ConnectionError, TimeoutError):
            assert b"200" not in plain.recv(1000)
