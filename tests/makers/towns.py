"""A served box with users of every role, activation keys and environments."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from issbox.job_running import JobThreads
from issbox.model import ActivationKey, LifecycleEnvironment, Role
from issbox.workflows.context import Context
from issbox.workflows.environments import environments
from issbox.workflows.hosts import activation_keys
from issbox.workflows.people import passwords, tokens, users
from makers.api import PASSWORD, ApiClient, basic, holder, nobody
from makers.fleets import quick
from makers.serving import Client, Service, make_box, serve

MEMBERS = {
    "alice": (Role.ORG_ADMIN, "acme"),
    "root-user": (Role.SUPER_ADMIN, None),
    "pat": (Role.PROMOTER, "acme"),
    "vic": (Role.VIEWER, "acme"),
    "bob": (Role.ORG_ADMIN, "other"),
}
"""Users and the role of each; `nora` has none."""


@dataclass
class Town:
    """The box, its server, and who uses it."""

    service: Service
    tokens: dict[str, str]
    """By user."""

    @property
    def ctx(self) -> Context:
        return self.service.ctx

    def user(self, name: str) -> ApiClient:
        """Give a client of a user, by token."""
        return holder(self.service, self.tokens[name])

    def by_password(self, name: str, password: str = PASSWORD) -> ApiClient:
        """Give a client of a user by name and password, as stock clients have it."""
        return ApiClient(self.service.client(), basic(name, password), "/rhsm")

    def nobody(self) -> ApiClient:
        return nobody(self.service)

    def environment(self, label: str, organization: str = "acme") -> LifecycleEnvironment:
        return environments.get_environment(self.ctx, organization, label).environment

    def host(self, found: dict[str, object]) -> ApiClient:
        """Give the client of a host, which keeps its certificate and key as stock clients do."""
        identity = found["idCert"]
        assert isinstance(identity, dict)
        client = Client(self.service.directory, self.service.running.ports[0])
        place = self.service.directory / f"{found['uuid']}-{identity['id']}"
        place.mkdir(exist_ok=True)
        (place / "cert.pem").write_text(identity["cert"])
        (place / "key.pem").write_text(identity["key"])
        client.context.load_cert_chain(place / "cert.pem", place / "key.pem")
        return ApiClient(client, prefix="/rhsm")


def make_town(root: Path) -> Context:
    ctx = quick(make_box(root / "own"))
    environments.create_environment(ctx, organization="acme", label="prod", name="Production", prior="dev")
    environments.create_environment(ctx, organization="other", label="dev", name="Dev", prior="Library")
    users.create_user(ctx, name="nora")
    for name, (role, organization) in MEMBERS.items():
        users.create_user(ctx, name=name)
        users.grant_role(ctx, name, role, organization=organization)
    passwords.set_password(ctx, "alice", PASSWORD)
    for label, places in (("web", ("dev",)), ("both", ("prod", "dev"))):
        activation_keys.create_activation_key(ctx, ActivationKey("acme", label, environments=places))
    return ctx


@contextmanager
def working(ctx: Context) -> Iterator[None]:
    """Work through the jobs of a box, as its service does."""
    stop = threading.Event()
    threads = JobThreads(ctx, stop, threads=1, look=0.05)
    threads.start()
    try:
        yield
    finally:
        stop.set()
        assert threads.stop(20)


@contextmanager
def serve_town(root: Path) -> Iterator[Town]:
    """Make the box and serve it."""
    ctx = make_town(root)
    with serve(ctx, root) as service:
        yield Town(service, {name: tokens.create_token(ctx, name, "t").secret for name in (*MEMBERS, "nora")})
