"""A box behind a real sshd on loopback, to be pushed to, and a line to it that breaks."""

import getpass
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from makers.ports import free_port
from makers.sshd import SSHD, make_key

needs_sshd = pytest.mark.skipif(
    SSHD is None or shutil.which("ssh") is None, reason="openssh-server or openssh-client is not installed"
)


@dataclass
class SshServer:
    """A running server."""

    directory: Path
    port: int
    log: Path

    @property
    def url(self) -> str:
        return self.at(self.port)

    def at(self, port: int) -> str:
        """Give its URL by way of another port."""
        return f"ssh://{getpass.getuser()}@127.0.0.1:{port}/"

    def options(self, **changes: str) -> list[str]:
        """Give the words that let `issbox push` in: keys and known hosts of this test, and nothing of the account."""
        wanted = {
            "IdentityFile": str(self.directory / "key"),
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": str(self.directory / "known_hosts"),
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
            "BatchMode": "yes",
        }
        return [word for name, value in (wanted | changes).items() for word in ("--ssh-option", f"{name}={value}")]

    def let_in(self, options: str = "") -> None:
        """Let the key in, with options as authorized_keys has them."""
        key = (self.directory / "key.pub").read_text()
        path = self.directory / "authorized_keys"
        path.write_text(f"{options} {key}" if options else key)
        path.chmod(0o600)

    def know(self, port: int) -> None:
        """Write the host key down as that of this port too."""
        kind, key = (self.directory / "host_key.pub").read_text().split()[:2]
        with (self.directory / "known_hosts").open("a") as known:
            known.write(f"[127.0.0.1]:{port} {kind} {key}\n")


@contextmanager
def serve_ssh(directory: Path, environment: Mapping[str, str]) -> Iterator[SshServer]:
    """Run sshd until the block ends; commands there get this environment."""
    assert SSHD is not None
    directory.mkdir(mode=0o700)
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    for name in ("host_key", "key"):
        make_key(directory / name, name)
    server = SshServer(directory, free_port(), directory / "log")
    server.let_in()
    server.know(server.port)
    (directory / "config").write_text(
        f"ListenAddress 127.0.0.1:{server.port}\n"
        f"HostKey {directory}/host_key\n"
        f"AuthorizedKeysFile {directory}/authorized_keys\n"
        "PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nPrintMotd no\n"
        f"SetEnv {' '.join(f'{name}={value}' for name, value in environment.items())}\n"
    )
    with server.log.open("w") as log:
        process = subprocess.Popen([SSHD, "-D", "-e", "-f", directory / "config"], stderr=log, stdin=subprocess.DEVNULL)
    try:
        _wait(server, process)
        yield server
    finally:
        process.terminate()
        process.wait()


@contextmanager
def breaking_line(port: int, *, after: int) -> Iterator[int]:
    """Give another port that leads to this one, and cuts a connection after so many bytes towards it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_accept, args=(listener, port, after), daemon=True)
        thread.start()
        yield listener.getsockname()[1]


def _accept(listener: socket.socket, port: int, after: int) -> None:
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            return
        far = socket.create_connection(("127.0.0.1", port))
        threading.Thread(target=_forward, args=(far, near, None), daemon=True).start()
        threading.Thread(target=_forward, args=(near, far, after), daemon=True).start()


def _forward(source: socket.socket, sink: socket.socket, after: int | None) -> None:
    passed = 0
    try:
        while block := source.recv(1 << 16):
            sink.sendall(block)
            passed += len(block)
            if after is not None and passed > after:
                break
    except OSError:
        pass
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _wait(server: SshServer, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", server.port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"sshd did not start:\n{server.log.read_text()}")
