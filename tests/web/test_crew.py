"""Several processes that serve hosts at one address: which one answers is nobody's business."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from makers.boxes import Side
from makers.ports import free_port
from makers.serving import BASE, GRANTED, KEY, REPOMD, Client, issue

from issbox.workflows.certificates.authority import open_authority
from issbox.workflows.certificates.certificates import certificates_of
from issbox.workflows.context import Context
from issbox.workflows.environments.promoting import plan_demotion, promote
from issbox.workflows.hosts import consumers
from issbox.workflows.hosts.registering import register

SIZE = 2


@dataclass
class Crewed:
    """A running `issbox serve` of several processes."""

    ctx: Context
    directory: Path
    port: int
    first: "subprocess.Popen[bytes]"

    @property
    def others(self) -> list[int]:
        """Give the processes that the first one started."""
        threads = Path(f"/proc/{self.first.pid}/task").iterdir()
        text = " ".join((each / "children").read_text() for each in threads)
        return [int(each) for each in text.split()]

    @property
    def listening(self) -> list[int]:
        """Give those of them that have taken up their post: they have waited for connections."""
        return [each for each in self.others if "anon_inode:[eventpoll]" in links(each)]

    def client(self, certificate: str | None = None) -> Client:
        return Client(self.directory, self.port, certificate)

    def host(self) -> Client:
        """Give a client that may read the repository."""
        return self.client(issue(open_authority(self.ctx), [GRANTED]))

    def metric(self, name: str) -> int:
        lines = self.client().get("/metrics").text.splitlines()
        return next(int(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    def log(self) -> str:
        return (self.directory / "log").read_text()


def links(process: int) -> list[str]:
    found = []
    for each in Path(f"/proc/{process}/fd").iterdir():
        try:
            found.append(str(each.readlink()))
        except FileNotFoundError:
            continue
    return found


def wait_until(holds: Callable[[], bool], crewed: Crewed) -> None:
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until, crewed.log()
        time.sleep(0.05)


@contextmanager
def serving(ctx: Context, directory: Path, **web: object) -> Iterator[Crewed]:
    port, configuration = free_port(), directory / "issbox.toml"
    settings = {"listen": [f"127.0.0.1:{port}"], "names": ["127.0.0.1"], "processes": SIZE} | web
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    configuration.write_text("\n".join([f'state_dir = "{ctx.store.state_dir}"', "[web]", *lines]))
    (directory / "root.pem").write_text(open_authority(ctx).root_pem)
    environ = dict(Side(ctx.store.state_dir).environment()) | {"ISSBOX_CONFIG": str(configuration)}
    command = [sys.executable, "-m", "issbox", "serve", "--web-only"]
    with (directory / "log").open("wb") as log:
        first = subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    crewed = Crewed(ctx, directory, port, first)
    try:
        wait_until(lambda: first.poll() is not None or len(crewed.listening) == SIZE - 1, crewed)
        assert first.poll() is None, crewed.log()
        yield crewed
    finally:
        first.terminate()
        first.wait(30)


def gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_all_count_together_and_what_changes_counts_at_all(own_box: Context, tmp_path: Path) -> None:
    host = register(own_box, organization="acme", name="web1", facts={}, environments=["dev"])
    (issued,) = certificates_of(own_box, host.uuid)
    (tmp_path / "host.pem").write_text(issued.certificate.pem + consumers.read_key(own_box, host.uuid))
    dev = REPOMD.replace("Library", "dev")
    with serving(own_box, tmp_path) as crewed:
        client = crewed.host()
        for number in range(40):
            answer = client.get(REPOMD, Range=f"bytes={number}-{number + 9}")
            assert (answer.status, len(answer.body)) == (206, 10)
        assert crewed.metric('issbox_http_requests_total{method="GET",code="206"}') == 40
        wait_until(lambda: crewed.metric("issbox_http_connections") == 1, crewed)
        mine = crewed.client()
        mine.context.load_cert_chain(tmp_path / "host.pem")
        assert {mine.get(dev).status for _ in range(12)} == {200}
        promote(own_box, plan_demotion(own_box, "acme", "dev", [KEY]))
        wait_until(lambda: {mine.get(dev).status for _ in range(12)} == {404}, crewed)
        consumers.delete_consumer(own_box, host.uuid)
        wait_until(lambda: {mine.get(dev).status for _ in range(12)} == {403}, crewed)


def test_one_that_is_killed_is_replaced_and_its_connections_do_not_count(own_box: Context, tmp_path: Path) -> None:
    with serving(own_box, tmp_path, max_connections=12) as crewed:
        client = crewed.host()
        kept = [client.connect() for _ in range(10)]
        killed = crewed.others
        for process in killed:
            os.kill(process, signal.SIGKILL)
        assert {client.get(REPOMD).status for _ in range(5)} == {200}
        wait_until(lambda: len(set(crewed.listening) - set(killed)) == SIZE - 1, crewed)
        for each in kept:
            each.close()
        assert {client.get(REPOMD).status for _ in range(20)} == {200}
        wait_until(lambda: crewed.metric("issbox_http_connections") == 1, crewed)
        assert "which served hosts, ended with -9" in crewed.log()


def test_connections_are_limited_for_all_together(own_box: Context, tmp_path: Path) -> None:
    with serving(own_box, tmp_path, max_connections=6) as crewed:
        kept = [crewed.host().connect() for _ in range(6)]
        for _ in range(6):
            for each in kept:  # who only waits makes room
                each.sendall(f"HEAD {REPOMD} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                assert each.recv(65536).startswith(b"HTTP/1.1 200")
            with pytest.raises(OSError, match=r"(?i)closed|reset|eof|broken"):
                crewed.host().get(REPOMD)
        for each in kept:
            each.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_all_end_with_the_first_one(own_box: Context, tmp_path: Path, number: signal.Signals) -> None:
    with serving(own_box, tmp_path) as crewed:
        others = crewed.others
        assert len(others) == SIZE - 1
        crewed.first.send_signal(number)
        crewed.first.wait(30)
        wait_until(lambda: all(gone(each) for each in others), crewed)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", crewed.port))
        assert "Traceback" not in crewed.log()


def test_answers_under_way_end_when_the_server_stops(own_box: Context, tmp_path: Path) -> None:
    tree = (own_box.store.state_dir / BASE.removeprefix("/")).resolve()
    with (tree / "big.rpm").open("wb") as out:
        out.truncate(8 << 20)
    with serving(own_box, tmp_path) as crewed:
        asked = [crewed.host().connect() for _ in range(3)]
        for each in asked:
            each.sendall(f"GET {BASE}/big.rpm HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            assert each.recv(1000).startswith(b"HTTP/1.1 200")
        crewed.first.terminate()
        for each in asked:
            received = 0
            while data := each.recv(1 << 20):
                received += len(data)
            assert received > (8 << 20) - 1000
        assert crewed.first.wait(30) == 0


def test_a_server_in_front_and_sites_are_served_by_all(own_box: Context, tmp_path: Path) -> None:
    place, site = tmp_path / "web.sock", free_port()
    settings = {"socket": str(place), "sites": [f"127.0.0.1:{site}=acme/Library"]}
    with serving(own_box, tmp_path, **settings) as crewed:
        for _ in range(12):
            with socket.socket(socket.AF_UNIX) as front:
                front.connect(str(place))
                front.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                assert front.recv(100).startswith(b"HTTP/1.1 200")
            root = Client(tmp_path, site, issue(open_authority(own_box), ["/custom/tools/base"]))
            assert root.get("/custom/tools/base/repodata/repomd.xml").status == 200
        assert crewed.metric('issbox_http_requests_total{method="GET",code="200"}') == 24
    assert not place.exists()
