"""Connections that begin and do not get through their TLS handshake: they keep nobody out, however many there are."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from makers.fleets import quick
from makers.serving import GRANTED, REPOMD, Service, make_box, serve

MOST = 5


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with serve(quick(make_box(tmp_path / "own", max_connections=MOST)), tmp_path, look_every=1.0) as service:
        yield service


def come(service: Service, address: str, says: bytes = b"") -> socket.socket:
    """Connect from an address of loopback and say no more than this."""
    made = socket.create_connection(("127.0.0.1", service.running.ports[0]), 20, (address, 0))
    made.sendall(says)
    return made


def is_gone(connection: socket.socket) -> bool:
    connection.settimeout(0.05)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


@contextmanager
def crowd(service: Service, number: int, says: bytes) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        yield [stack.enter_context(come(service, "127.0.0.2", says)) for _ in range(number)]


@pytest.mark.parametrize("says", [b"", b"\x16\x03\x01", b"\x16\x03\x01\x02\x00" + bytes(100)], ids=["", "3", "100"])
def test_hosts_are_served_beside_any_number_that_say_little(service: Service, says: bytes) -> None:
    patient = come(service, "127.0.0.1", says)
    client = service.client(GRANTED)
    with crowd(service, 40, says) as silent:
        assert {client.get(REPOMD).status for _ in range(5)} == {200}
        left = [each for each in silent if not is_gone(each)]
        assert len(left) <= MOST
        assert left == silent[-len(left) :], "those that came first had to go"
        text = client.get("/metrics").text
        dropped = int(text.partition('dropped_connections_total{reason="no-handshake"} ')[2].split()[0])
        assert dropped >= 40 - MOST
    assert not is_gone(patient), "the only one of its address"
    patient.close()


def test_what_is_no_tls_ends_at_once_and_takes_no_room(service: Service) -> None:
    with crowd(service, 20, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") as rude:
        for each in rude:
            each.settimeout(20)  # the end comes long before the time for a handshake is over
            with suppress(ConnectionError):
                while said := each.recv(100):
                    assert b"HTTP" not in said
    assert service.client(GRANTED).get(REPOMD).status == 200
