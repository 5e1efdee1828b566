"""Connections that are passed on, as proxies and balancers do."""

import socket
import threading
from contextlib import suppress


def relay(connection: socket.socket, other: socket.socket) -> None:
    """Pass on what each of two connections says to the other one, until the second has said all."""
    threading.Thread(target=_copy, args=(connection, other), daemon=True).start()
    _copy(other, connection)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
