"""Two instances behind a balancer that share PostgreSQL and storage: one answer, whoever gives it, and no gap."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from makers.boxes import ACTOR, PACKAGES, initialize_box
from makers.ports import free_port
from makers.relays import relay
from makers.rpms import Repository as Layout
from makers.rpms import write_repository
from makers.serving import GRANTED, KEY, REPOMD, Client, issue

from issbox.model import LIBRARY
from issbox.wiring import open_context
from issbox.workflows.certificates import certificates
from issbox.workflows.certificates.authority import open_authority
from issbox.workflows.content import catalog, repositories
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.context import Context
from issbox.workflows.environments import environments
from issbox.workflows.environments.promoting import plan_demotion, plan_repository_promotion, promote
from issbox.workflows.hosts import consumers, registering

DEV = REPOMD.replace("Library", "dev")


@dataclass
class Balancer:
    """Hands connections on to one server after the other, TLS and all; one that is away is passed over."""

    targets: list[int]
    port: int = 0
    handed: list[int] = field(default_factory=list)

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._hand_on, args=(connection,), daemon=True).start()

    def _hand_on(self, connection: socket.socket) -> None:
        for _ in self.targets:
            self.targets.append(self.targets.pop(0))
            try:
                other = socket.create_connection(("127.0.0.1", self.targets[-1]), timeout=20)
            except OSError:
                continue
            self.handed.append(self.targets[-1])
            relay(connection, other)
            return
        connection.close()


@contextmanager
def balancer(targets: list[int]) -> Iterator[Balancer]:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        running = Balancer(targets, listener.getsockname()[1])
        threading.Thread(target=running.serve, args=(listener,), daemon=True).start()
        yield running
        listener.shutdown(socket.SHUT_RDWR)


@dataclass
class Cluster:
    """A box on PostgreSQL whose state directory several instances share."""

    directory: Path
    url: str

    def environ(self, port: int) -> dict[str, str]:
        configuration = self.directory / f"{port}.toml"
        configuration.write_text(
            f'state_dir = "{self.directory}/state"\ndatabase = "{self.url}"\n'
            f'[web]\nlisten = ["127.0.0.1:{port}"]\nnames = ["localhost", "127.0.0.1"]\n'
        )
        kept = {key: value for key, value in os.environ.items() if not key.startswith("ISSBOX_")}
        return kept | {"ISSBOX_CONFIG": str(configuration)}

    @contextmanager
    def instance(self, port: int, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        log = self.directory / f"{port}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "issbox", "serve", *words], env=self.environ(port), stdout=out, stderr=out
            )
        try:
            wait_until(lambda: process.poll() is not None or _listens(port), log)
            yield process
        finally:
            process.terminate()
            process.wait(30)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_until(true: Callable[[], bool], log: Path) -> None:
    for _ in range(400):
        if true():
            return
        time.sleep(0.05)
    pytest.fail(f"it did not come to that:\n{log.read_text()}")


@pytest.fixture
def cluster(tmp_path: Path, new_postgresql_database: Callable[[str | None], str]) -> Cluster:
    return Cluster(tmp_path, new_postgresql_database(None))


def make(cluster: Cluster) -> Context:
    environ = cluster.environ(1)
    initialize_box(environ, "shared")
    ctx = open_context(environ=environ, actor=ACTOR)
    write_repository(Layout(cluster.directory / "upstream", PACKAGES))
    catalog.create_product(ctx, organization="acme", label="tools", name="Tools")
    url = (cluster.directory / "upstream").as_uri()
    repositories.create_repository(ctx, organization="acme", product="tools", label="base", name="Base", url=url)
    synchronize(ctx, KEY)
    environments.create_environment(ctx, organization="acme", label="dev", name="Dev", prior=LIBRARY)
    promote(ctx, plan_repository_promotion(ctx, KEY, 1, "dev"))
    return ctx


def at_once(cluster: Cluster, port: int, text: str) -> Client:
    """Give a client of one instance that shows a host's certificate, whose key is in the same text."""
    client = Client(cluster.directory, port)
    file = cluster.directory / f"{port}.pem"
    file.write_text(text)
    client.context.load_cert_chain(file)
    return client


def test_two_instances_answer_alike_and_one_takes_over_for_the_other(cluster: Cluster) -> None:
    ctx = make(cluster)
    (cluster.directory / "root.pem").write_text(open_authority(ctx).root_pem)
    host = registering.register(ctx, organization="acme", name="web1", facts={}, environments=["dev"])
    (issued,) = certificates.certificates_of(ctx, host.uuid)
    key = consumers.read_key(ctx, host.uuid)
    first_port, second_port = free_port(), free_port()
    log = cluster.directory / f"{second_port}.log"
    with (
        cluster.instance(first_port) as first,
        cluster.instance(second_port, "--web-only") as second,
        balancer([first_port, second_port]) as front,
    ):
        assert first.poll() is None
        assert second.poll() is None
        client = Client(cluster.directory, front.port, issue(open_authority(ctx), [GRANTED, "/acme/dev"]))
        whole = client.get(REPOMD)
        assert all(client.get(REPOMD).body == whole.body and whole.status == 200 for _ in range(5))
        assert set(front.handed) == {first_port, second_port}

        promote(ctx, plan_demotion(ctx, "acme", "dev", [KEY]))
        both = [at_once(cluster, port, issued.certificate.pem + key) for port in (first_port, second_port)]
        for each in both:
            wait_until(lambda each=each: each.get(DEV).status == 404, log)  # type: ignore[misc]  # bound at once
        promote(ctx, plan_repository_promotion(ctx, KEY, 1, "dev"))
        for each in both:
            wait_until(lambda each=each: each.get(DEV).status == 200, log)  # type: ignore[misc]  # bound at once
        consumers.delete_consumer(ctx, host.uuid)
        for each in both:
            wait_until(lambda each=each: "was revoked" in each.get(DEV).text, log)  # type: ignore[misc]  # bound at once

        os.kill(first.pid, signal.SIGKILL)
        first.wait(30)
        for _ in range(4):
            assert client.get(REPOMD).body == whole.body
        assert front.handed[-1] == second_port


def test_only_one_service_looks_after_the_inbox(cluster: Cluster) -> None:
    make(cluster)
    first, other = free_port(), free_port()
    with cluster.instance(first) as one, cluster.instance(other) as two:
        assert one.poll() is None
        assert two.wait(30) != 0
        assert "already looking after the inbox" in (cluster.directory / f"{other}.log").read_text()
