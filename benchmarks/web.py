"""What serving costs: requests and bytes per second with client certificates. Run by `make bench`.

The limit is a plain nginx that verifies client certificates and sends files, in turns with the built-in server and with
nginx as `issbox web nginx-config` sets it up. All write an access log and answer at the same URL, with the same
certificates, on connections that are kept. Client and server share this machine, and the client takes more of it than
plain nginx does: believe the ratios, and the processor time that the server alone took.
"""

import argparse
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from makers.nginx import NGINX, nginx_in_front
from makers.ports import free_port
from makers.serving import BASE, GRANTED, issue, make_box, write_certificate

from issbox.names import format_size
from issbox.workflows.certificates.authority import open_authority
from issbox.workflows.certificates.server_certificate import server_certificate
from issbox.workflows.context import Context

CLIENTS = 4
"""Processes, each with one connection that is kept."""
CORES = os.cpu_count() or 1
AIMS = {1 << 20: 0.8, 20 << 10: 0.3}
AIM_BEHIND_NGINX = 0.9
PLAIN, BEHIND_NGINX = "plain nginx", "nginx-config"

_PLAIN = """\
user root;
worker_processes auto;
error_log {root}/plain.log;
events {{ worker_connections 1024; }}
http {{
    sendfile on; tcp_nopush on; keepalive_requests 1000000;
    access_log {root}/plain-access.log combined buffer=64k flush=5s;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    ssl_client_certificate {root}/root.pem; ssl_verify_client on; ssl_protocols TLSv1.2 TLSv1.3;
    server {{ listen 127.0.0.1:{port} ssl; root {files}; }}
}}
"""


def main() -> int:
    """Measure and print."""
    arguments = parse(sys.argv[1:])
    if NGINX is None or os.geteuid() != 0:
        print("serving: left out, since nginx is missing or this is not root")
        return 0
    with tempfile.TemporaryDirectory(prefix="issbox-bench-") as name:
        measure(Path(name), arguments.rounds, arguments.seconds)
    return 0


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="medians are of so many rounds (5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="each measurement takes so long (2)")
    return parser.parse_args(words)


@dataclass(frozen=True, slots=True)
class Server:
    """One of those that are compared."""

    port: int
    processes: Callable[[], list[int]]
    """Those that answer."""


def measure(root: Path, rounds: int, seconds: float) -> None:
    """Make a box with two files, serve them in several ways, and compare."""
    ctx = make_box(root / "box")
    _log_requests(root / "built-in-access.log")
    tree = (ctx.store.state_dir / BASE.removeprefix("/")).resolve()
    sizes = (20 << 10, 1 << 20)
    for size in sizes:
        (tree / f"{size}.rpm").write_bytes(os.urandom(size))
    with (
        nginx_in_front(ctx, root, workers="auto", look_every=1.0) as front,
        _plain_nginx(root, ctx) as plain,
        _several_processes(root, ctx) as several,
    ):
        write_certificate(root, issue(open_authority(ctx), [GRANTED]))
        servers = {
            PLAIN: plain,
            "built-in, one process": Server(front.service.running.ports[0], lambda: [os.getpid()]),
            f"built-in, [web] processes = {CORES}": several,
            BEHIND_NGINX: Server(front.port, lambda: [os.getpid(), *_children(front.master)]),
        }
        for size in sizes:
            found: dict[str, list[tuple[float, float]]] = {name: [] for name in servers}
            for _ in range(rounds):
                for name, server in servers.items():
                    found[name].append(_rate(root, server, f"{BASE}/{size}.rpm", seconds))
            _show(size, found)


def _show(size: int, found: dict[str, list[tuple[float, float]]]) -> None:
    print(f"serving files of {format_size(size)}, {CLIENTS} connections with client certificates")
    for name, measured in found.items():
        rate, spent = (median(each) for each in zip(*measured, strict=True))
        line = f"  {name}: {rate:.0f} requests/s, {format_size(rate * size)}/s, {spent * 1e6:.0f} us of the server each"
        if name != PLAIN:
            ratio = median(mine / limit for (mine, _), (limit, _) in zip(measured, found[PLAIN], strict=True))
            aim = AIM_BEHIND_NGINX if name == BEHIND_NGINX else AIMS[size]
            line += f", {ratio:.2f} of plain nginx (aim {aim})"
        print(line)


def _rate(directory: Path, server: Server, path: str, seconds: float) -> tuple[float, float]:
    """Give requests per second, and seconds of processor time that the server took for one."""
    client = Path(__file__).with_name("web_client.py")
    command = [sys.executable, str(client), str(directory), str(server.port), path, str(seconds)]
    processes = server.processes()
    before = _spent(processes)
    clients = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(CLIENTS)]
    rate, requests = 0.0, 0
    for each in clients:
        said, _ = each.communicate()
        if each.returncode != 0:
            raise RuntimeError(f"a client ended with {each.returncode}")
        count, took = said.split()
        requests += int(count)
        rate += int(count) / float(took)
    return rate, (_spent(processes) - before) / requests


def _spent(processes: Iterable[int]) -> float:
    """Give the processor time of processes so far, in seconds (proc(5))."""
    ticks = 0
    for each in processes:
        after_name = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(after_name[11]) + int(after_name[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _children(process: int) -> list[int]:
    threads = Path(f"/proc/{process}/task").iterdir()
    return [int(child) for each in threads for child in (each / "children").read_text().split()]


def _log_requests(file: Path) -> None:
    """Have the built-in server write its access log, as the service does."""
    handler = logging.FileHandler(file)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log = logging.getLogger("issbox.access")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


@contextmanager
def _several_processes(root: Path, ctx: Context) -> Iterator[Server]:
    """Run the service of the box with a process for each processor, as nginx has."""
    port, configuration = free_port(), root / "several.toml"
    configuration.write_text(
        f'state_dir = "{ctx.store.state_dir}"\n[web]\nlisten = ["127.0.0.1:{port}"]\n'
        f'names = ["localhost", "127.0.0.1"]\nprocesses = {CORES}\n'
    )
    with (root / "several.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "issbox", "serve", "--web-only"],
            env=os.environ | {"ISSBOX_CONFIG": str(configuration)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    try:
        time.sleep(5)
        yield Server(port, lambda: [process.pid, *_children(process.pid)])
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def _plain_nginx(root: Path, ctx: Context) -> Iterator[Server]:
    assert NGINX is not None
    found, port = server_certificate(ctx), free_port()
    file = root / "plain.conf"
    files = ctx.store.state_dir
    file.write_text(_PLAIN.format(root=root, certificate=found.certificate, key=found.key, port=port, files=files))
    command = [NGINX, "-c", str(file), "-p", str(root), "-g", f"pid {root}/plain.pid; daemon off;"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)
        yield Server(port, lambda: _children(process.pid))
    finally:
        process.terminate()
        process.wait(20)


if __name__ == "__main__":
    sys.exit(main())
