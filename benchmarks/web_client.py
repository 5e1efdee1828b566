"""One client of benchmarks/web.py, with nothing but the standard library, so that it starts at once.

usage: web_client.py DIRECTORY PORT PATH SECONDS; prints how often it asked, and the seconds that took.
"""

import socket
import ssl
import sys
import time
from pathlib import Path

_END = b"\r\n\r\n"


def load(directory: Path, port: int, path: str, seconds: float) -> tuple[int, float]:
    """Ask for one file again and again; gives how often, and the seconds it took."""
    context = ssl.create_default_context(cafile=directory / "root.pem")
    context.load_cert_chain(directory / "client.pem", directory / "client.key")
    plain = socket.create_connection(("127.0.0.1", port))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    buffer = bytearray(1 << 20)
    with context.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
        _once(connection, request, buffer)  # what is only done first
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            _once(connection, request, buffer)
            count += 1
        return count, time.perf_counter() - began


def _once(connection: ssl.SSLSocket, request: bytes, buffer: bytearray) -> None:
    connection.sendall(request)
    got = 0
    while (at := buffer.find(_END, 0, got)) < 0:
        got += _receive(connection, memoryview(buffer)[got:])
    end = at + len(_END)
    head = bytes(buffer[:end])
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.decode("latin-1"))
    left = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]) - (got - end)
    while left > 0:
        left -= _receive(connection, buffer)


def _receive(connection: ssl.SSLSocket, buffer: bytearray | memoryview) -> int:
    got = connection.recv_into(buffer)
    if not got:
        raise RuntimeError("the answer was cut")
    return got


if __name__ == "__main__":
    print(*load(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], float(sys.argv[4])))
