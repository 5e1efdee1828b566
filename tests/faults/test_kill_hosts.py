"""kill -9 while hosts and their certificates change: each is valid or stale then, none is lost and none is double."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from makers.boxes import KEY
from makers.fleets import Fleet, make_fleet

from issbox.certs.decode import decode_certificate
from issbox.model import LIBRARY, Consumer, JobState, RegenerationScope
from issbox.workflows.certificates import authority, certificates, regenerating, revocation_lists
from issbox.workflows.environments import environments, promoting
from issbox.workflows.hosts import consumers, registering
from issbox.workflows.job_kinds.regeneration import RegenerateJob
from issbox.workflows.jobs import create_job, get_job


@dataclass(frozen=True)
class Town:
    """A box with three hosts in dev, each with its certificate for tools/base."""

    fleet: Fleet
    hosts: list[Consumer]

    def check(self) -> None:
        """Every entitlement has one certificate that is valid, revoked ones are nobody's, and the store is whole."""
        ctx = self.fleet.ctx
        self.fleet.gap.outside.check()
        revoked = set(revocation_lists.revoked_serials(ctx))
        for host in self.hosts:
            current = certificates.current_certificates(ctx, host.uuid)
            assert len(current) == 1
            assert current[0].certificate.serial not in revoked
            with ctx.store.session():
                issued = [each.serial for each in ctx.store.certificates.of(host.uuid) if each.entitlement is not None]
            assert issued == [current[0].certificate.serial], "none double"

    def paths(self) -> list[tuple[str, ...]]:
        """Give what hosts get when they ask."""
        return [tuple(self.fleet.paths(host)) for host in self.hosts]


@pytest.fixture
def town(tmp_path: Path) -> Town:
    fleet = make_fleet(tmp_path)
    hosts = [fleet.host(f"h{each}", "dev") for each in range(3)]
    fleet.promote(KEY, "dev")
    town = Town(fleet, hosts)
    town.paths()
    return town


@pytest.mark.parametrize("step", promoting.STEPS)
def test_demote(town: Town, step: str) -> None:
    side = town.fleet.gap.outside
    side.run("demote", "dev", kill=step)
    side.restart()
    done = step == "switch-links"
    assert town.fleet.stale(*town.hosts) == ({"h0", "h1", "h2"} if done else set())
    town.check()
    side.run("demote", "dev") if not done else None
    assert town.paths() == [(), (), ()]
    town.check()


@pytest.mark.parametrize("step", promoting.STEPS)
@pytest.mark.parametrize(("action", "before", "after"), [("promote-everything", "dev", 2), ("set-content", "prod", 1)])
def test_all_that_an_environment_holds(town: Town, step: str, action: str, before: str, after: int) -> None:
    """`promote-everything` fills dev with apps besides base; `set-content` gives prod, which holds nothing, base."""
    side, ctx = town.fleet.gap.outside, town.fleet.ctx
    if before == "prod":
        consumers.move_consumers(ctx, "acme", [each.uuid for each in town.hosts], ["prod"])
    old = town.paths()
    side.run(action, before, kill=step)
    side.restart()
    done = step == "switch-links"
    assert town.fleet.stale(*town.hosts) == ({"h0", "h1", "h2"} if done else set())
    assert len(promoting.list_promotions(ctx, "acme", before)) == (before == "dev") + done
    town.check()
    side.run(action, before)
    assert len(promoting.list_promotions(ctx, "acme", before)) == (before == "dev") + 1, "once, not twice"
    assert [len(paths) for paths in town.paths()] == [after] * 3
    assert old != town.paths()
    town.check()


@pytest.mark.parametrize("step", environments.DELETE_STEPS)
@pytest.mark.parametrize("action", ["delete-environment", "delete-environment-and-hosts"])
def test_deleting_an_environment(town: Town, step: str, action: str) -> None:
    side, ctx = town.fleet.gap.outside, town.fleet.ctx
    for key in ctx.store.consumer_keys.iterdir():
        os.utime(key, (0, 0))  # a young one may belong to a host that is just registering
    side.run(action, "dev", kill=step)
    side.restart()
    links = side.state / "content/acme/dev"
    if step == "record-deletion":
        assert (town.fleet.stale(*town.hosts), links.exists()) == (set(), True)
        town.check()
        side.run(action, "dev")
    assert not links.exists()
    assert [each.label for each in environments.list_environments(ctx, "acme")] == [LIBRARY, "prod"]
    if action == "delete-environment":
        assert town.paths() == [(), (), ()], "never more than before"
        town.check()
    else:
        assert consumers.list_consumers(ctx, "acme") == []
        assert list(ctx.store.consumer_keys.iterdir()) == []
        side.check()


@pytest.mark.parametrize("step", consumers.MOVE_STEPS)
def test_move(town: Town, step: str) -> None:
    side, host = town.fleet.gap.outside, town.hosts[0]
    side.run("move", f"{host.uuid} prod", kill=step)
    assert consumers.get_consumer(town.fleet.ctx, host.uuid).environments == ("dev",)
    town.check()
    side.run("move", f"{host.uuid} prod")
    assert town.fleet.stale(*town.hosts) == {"h0"}
    assert town.paths()[0] == ()
    town.check()


@pytest.mark.parametrize("step", registering.STEPS)
def test_register(town: Town, step: str) -> None:
    side = town.fleet.gap.outside
    side.run("register", "h3", kill=step)
    assert consumers.list_consumers(town.fleet.ctx, "acme", name="h3") == []
    place = town.fleet.ctx.store.consumer_keys
    own = {f"{host.uuid}.pem" for host in town.hosts}
    stray = {path.name for path in place.iterdir()} - own
    assert len(stray) == (step == "record-host")
    town.fleet.gap.outside.restart()
    assert {path.name for path in place.iterdir()} == own | stray, "it may be about to be recorded"
    for name in stray | own:
        os.utime(place / name, (0, 0))
    town.fleet.gap.outside.restart()
    assert {path.name for path in place.iterdir()} == own
    side.run("register", "h3")
    assert len(consumers.list_consumers(town.fleet.ctx, "acme", name="h3")) == 1
    town.check()


@pytest.mark.parametrize("where", ["issue-certificates", "issue-certificates+1"])
def test_eager_regeneration(town: Town, where: str) -> None:
    ctx = town.fleet.ctx
    before = [town.fleet.certificate(host).serial for host in town.hosts]
    job = regenerating.start_regeneration(ctx, RegenerationScope("acme", unchanged=True))
    town.fleet.gap.outside.run("regenerate", job.id, kill=where)
    town.check()
    town.fleet.gap.outside.run("regenerate", job.id)
    town.check()
    done = regenerating.get_regeneration(ctx, job.id)
    assert (done.state, done.done, done.failed) == ("done", 3, 0)
    assert not set(before) & {town.fleet.certificate(host).serial for host in town.hosts}


@pytest.mark.parametrize("where", ["issue-certificates", "issue-certificates+1"])
def test_eager_regeneration_as_a_job(town: Town, where: str) -> None:
    ctx, side = town.fleet.ctx, town.fleet.gap.outside
    before = [town.fleet.certificate(host).serial for host in town.hosts]
    regeneration = regenerating.start_regeneration(ctx, RegenerationScope("acme", unchanged=True))
    job = create_job(ctx, RegenerateJob(regeneration.id))
    side.run("work", kill=where)
    town.check()
    side.run("work")
    done = get_job(ctx, job.id)
    assert (done.state, done.attempts, done.result["done"]) == (JobState.FINISHED, 2, 3)
    assert not set(before) & {town.fleet.certificate(host).serial for host in town.hosts}
    town.check()


def test_renewing_the_authority(town: Town) -> None:
    ctx, side = town.fleet.ctx, town.fleet.gap.outside
    before = authority.show_authority(ctx).serial
    side.run("renew-authority", kill="write-chain")
    assert authority.show_authority(ctx).serial == before
    side.run("renew-authority")
    assert authority.show_authority(ctx).serial != before
    town.check()
    identity = decode_certificate(consumers.identity_of(ctx, town.hosts[0].uuid).pem)
    assert identity.common_name == town.hosts[0].uuid
