"""Two hundred clients at once, slow and silent ones among them: every answer is right, and memory stays flat."""

import asyncio
import errno
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from makers.serving import GRANTED, REPOMD, Service, make_box, serve, with_web

from issbox.web import sending, server
from issbox.workflows.context import Context

CLIENTS, ROUNDS = 200, 4
BIG = 24 << 20


@pytest.fixture(scope="module")
def patient_box(tmp_path_factory: pytest.TempPathFactory) -> Context:
    """A box that waits a second only, with one large file in its tree."""
    ctx = make_box(tmp_path_factory.mktemp("many") / "box", send_seconds=1.0, idle_seconds=1.5)
    tree = (ctx.store.state_dir / "content/acme/Library/custom/tools/base").resolve()
    with (tree / "big.rpm").open("wb") as out:
        out.truncate(BIG)
    return ctx


def resident() -> int:
    """Bytes of memory that this process, server and clients alike, has."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    raise AssertionError("there is no VmRSS")


async def ask(service: Service, context: ssl.SSLContext, path: str) -> tuple[int, int]:
    reader, writer = await asyncio.open_connection("127.0.0.1", service.running.ports[0], ssl=context)
    try:
        for _ in range(ROUNDS):
            writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            body = await reader.readexactly(length)
            status = int(head.split()[1])
    finally:
        writer.close()
    return status, len(body)


async def dawdle(service: Service, context: ssl.SSLContext, stop: asyncio.Event) -> None:
    """Ask for a large file and take nothing of it."""
    _, writer = await asyncio.open_connection("127.0.0.1", service.running.ports[0], ssl=context, limit=1024)
    writer.write(f"GET {REPOMD.replace('repodata/repomd.xml', 'big.rpm')} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await stop.wait()
    writer.transport.abort()


async def crowd(service: Service) -> None:
    client = service.client(GRANTED)
    path, size = REPOMD, len(client.get(REPOMD).body)
    silent = [socket.create_connection(("127.0.0.1", service.running.ports[0])) for _ in range(20)]
    stop = asyncio.Event()
    slow = [asyncio.create_task(dawdle(service, client.context, stop)) for _ in range(20)]
    before = resident()
    answers = await asyncio.gather(*(ask(service, client.context, path) for _ in range(CLIENTS)))
    assert answers == [(200, size)] * CLIENTS
    assert resident() - before < 200 << 20
    stop.set()
    await asyncio.gather(*slow)
    for each in silent:
        each.close()


def test_two_hundred_clients_with_slow_and_silent_ones(patient_box: Context, tmp_path: Path) -> None:
    ctx = with_web(patient_box, idle_seconds=60.0, send_seconds=60.0)
    with serve(ctx, tmp_path, look_every=1.0) as service:
        asyncio.run(crowd(service))
        assert service.client(GRANTED).get(REPOMD).status == 200


def wait_until_nobody_is_connected(service: Service, patience: float) -> None:
    until = time.monotonic() + patience
    while time.monotonic() < until:
        text = service.client().get("/metrics").text
        if "issbox_http_connections 1\n" in text:  # the one that asks
            return
        time.sleep(0.2)
    raise AssertionError(text)


def test_slow_and_silent_clients_are_let_go(patient_box: Context, tmp_path: Path) -> None:
    with serve(patient_box, tmp_path, look_every=1.0) as service:
        client = service.client(GRANTED)
        big = REPOMD.replace("repodata/repomd.xml", "big.rpm")
        slow = client.connect()
        slow.sendall(f"GET {big} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        silent = client.connect()
        half = client.connect()
        half.sendall(b"GET / HTTP/1.1\r\nHost:")
        wait_until_nobody_is_connected(service, 30)
        assert 'issbox_http_dropped_connections_total{reason="slow"} 1\n' in service.client().get("/metrics").text
        for each in (slow, silent, half):
            each.close()
        answer = client.get(big, Range=f"bytes={BIG - 10}-")
        assert (answer.status, answer.body) == (206, bytes(10))


def test_a_file_that_fails_on_the_way_ends_the_connection(
    patient_box: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = sending._read

    async def fail_later(descriptor: int, length: int, offset: int) -> bytearray:
        if offset:
            raise OSError(errno.EIO, "Input/output error")
        return await read(descriptor, length, offset)

    monkeypatch.setattr(sending, "_read", fail_later)
    with serve(patient_box, tmp_path, look_every=1.0) as service:
        big = REPOMD.replace("repodata/repomd.xml", "big.rpm")
        received = service.client(GRANTED).raw(f"GET {big} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert received.count(b"HTTP/1.1") <= 1
        assert b"503" not in received
        assert 'issbox_http_dropped_connections_total{reason="unread"} 1\n' in service.client().get("/metrics").text


def test_connections_beyond_the_limit_are_closed(
    patient_box: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "WAITING_SECONDS", 60.0)
    ctx = with_web(patient_box, max_connections=3, idle_seconds=20.0)
    with serve(replace(ctx), tmp_path, look_every=1.0) as service:
        kept = [service.client(GRANTED).connect() for _ in range(3)]
        with pytest.raises(OSError, match=r"(?i)closed|reset|eof|broken"):
            service.client(GRANTED).get(REPOMD)
        for each in kept:
            each.close()


def test_connections_that_only_wait_make_room_and_those_in_use_do_not(
    patient_box: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = with_web(patient_box, max_connections=3, idle_seconds=60.0, send_seconds=60.0)
    with serve(ctx, tmp_path, look_every=1.0) as service:
        busy, silent, half = (service.client(GRANTED).connect() for _ in range(3))
        big = REPOMD.replace("repodata/repomd.xml", "big.rpm")
        busy.sendall(f"GET {big} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert busy.recv(4) == b"HTTP"
        half.sendall(b"GET / HTTP/1.1\r\nHost:")
        monkeypatch.setattr(server, "WAITING_SECONDS", 60.0)
        with pytest.raises(OSError, match=r"(?i)closed|reset|eof|broken"):
            service.client(GRANTED).get(REPOMD)
        monkeypatch.setattr(server, "WAITING_SECONDS", 0.0)
        answers = [service.client(GRANTED).connect() for _ in range(2)]
        for each in answers:
            each.sendall(f"GET {REPOMD} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert each.recv(12) == b"HTTP/1.1 200"
        for each in (silent, half):
            with suppress(OSError):
                assert each.recv(1) == b""
        rest = len(busy.recv(1 << 20))
        while rest < BIG:
            rest += len(busy.recv(1 << 20)) or BIG * 2
        assert rest < BIG * 2, "the one that was in use came to its end"
        for each in (busy, silent, half, *answers):
            each.close()


def test_a_client_that_asks_on_and_takes_nothing_is_let_go(patient_box: Context, tmp_path: Path) -> None:
    tree = (patient_box.store.state_dir / "content/acme/Library/custom/tools/base").resolve()
    (tree / "middle.rpm").write_bytes(bytes(200 << 10))
    with serve(patient_box, tmp_path, look_every=1.0) as service:
        path = REPOMD.replace("repodata/repomd.xml", "middle.rpm")
        greedy = service.client(GRANTED).connect()
        greedy.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 100)
        wait_until_nobody_is_connected(service, 30)
        assert 'issbox_http_dropped_connections_total{reason="slow"} 1\n' in service.client().get("/metrics").text
        greedy.close()
