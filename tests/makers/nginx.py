"""A real nginx in front of a served box, with the configuration that the box writes."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from issbox.workflows.appliance.nginx import write_nginx_config
from issbox.workflows.context import Context
from makers.ports import free_port
from makers.serving import Client, Service, serve, with_web

NGINX = shutil.which("nginx") or ("/usr/sbin/nginx" if Path("/usr/sbin/nginx").exists() else None)
needs_nginx = pytest.mark.skipif(
    NGINX is None or os.geteuid() != 0, reason="nginx is not installed, or not run as root"
)


@dataclass
class Front:
    """A running nginx and the box behind it."""

    service: Service
    port: int
    logs: Path
    master: int

    def showing(self, certificate: str | None) -> Client:
        return self.service.showing(certificate, port=self.port)

    def client(self, *paths: str, **wanted: object) -> Client:
        return self.service.client(*paths, port=self.port, **wanted)


@contextmanager
def nginx_in_front(ctx: Context, directory: Path, *, workers: str = "1", look_every: float = 0.0) -> Iterator[Front]:
    """Serve a box through nginx until the block ends; answers of the guard may be five seconds old."""
    assert NGINX is not None
    port = free_port()
    sockets = directory / "s"
    sockets.mkdir()
    ctx = with_web(ctx, socket=sockets / "web.sock")
    with serve(ctx, directory, look_every=look_every) as service:
        made = write_nginx_config(
            ctx,
            listen=(f"127.0.0.1:{port}",),
            user="root",
            cache=directory / "cache",
            logs=directory,
            workers=workers,
        )
        file = directory / "nginx.conf"
        file.write_text(made.text)
        command = [NGINX, "-c", str(file), "-p", str(directory), "-g", f"pid {directory}/nginx.pid; daemon off;"]
        process = subprocess.Popen(command, stderr=(directory / "stderr").open("wb"))
        try:
            _wait_for(port, process, directory)
            yield Front(service, port, directory, process.pid)
        finally:
            process.terminate()
            process.wait(20)


def _wait_for(port: int, process: subprocess.Popen[bytes], directory: Path) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"nginx did not start:\n{(directory / 'stderr').read_text()}")
