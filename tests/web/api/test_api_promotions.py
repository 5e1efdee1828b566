"""Promoting and demoting contents over the API of a real server, overrides of environments, regeneration and jobs."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from makers.api import Reply
from makers.manifests import manifest_authority, manifest_bytes, rhel
from makers.serving import KEY
from makers.towns import Town, working

from issbox.certs.decode import decode_certificate
from issbox.job_running import wait_for
from issbox.model import Consumer, RepositoryKey
from issbox.workflows.certificates import certificates, revocation_lists
from issbox.workflows.content import catalog, repositories
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.environments.promoting import list_promotions, plan_demotion, plan_repository_promotion, promote
from issbox.workflows.hosts.offers import read_offers
from issbox.workflows.hosts.registering import register
from issbox.workflows.manifests.manifest_importing import import_manifest
from issbox.workflows.manifests.manifest_trust import ManifestTrust

FACTS = {"uname.machine": "x86_64", "system.certificate_version": "3.2"}
APPS = RepositoryKey("acme", "tools", "apps")


class World:
    """A served town with a second repository in Library, and nothing in dev and prod."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.ctx = town.ctx
        url = (self.ctx.store.state_dir.parent / "own-upstream").as_uri()
        repositories.create_repository(
            self.ctx, organization="acme", product="tools", label="apps", name="Apps", url=url
        )
        synchronize(self.ctx, APPS)
        promote(self.ctx, plan_demotion(self.ctx, "acme", "dev", [KEY]))
        self.base, self.apps = (repositories.get_repository(self.ctx, key).content.id for key in (KEY, APPS))
        self.dev, self.prod = (f"/environments/{town.environment(label).id}" for label in ("dev", "prod"))

    def content(self, place: str = "") -> dict[str, bool | None]:
        """Give what an environment says it holds."""
        found = self.town.user("vic").get(place or self.dev).good()["environmentContent"]
        return {each["contentId"]: each["enabled"] for each in found}

    def host(self, name: str, *places: str) -> Consumer:
        return register(self.ctx, organization="acme", name=name, facts=FACTS, environments=places)

    def paths(self, host: Consumer) -> tuple[str, ...]:
        (found,) = certificates.certificates_of(self.ctx, host.uuid)
        return decode_certificate(found.certificate.pem).paths

    def ask(self, host: Consumer) -> int:
        """Let a host get its certificate, and give the serial number of it."""
        return certificates.certificates_of(self.ctx, host.uuid)[0].certificate.serial

    def serial(self, host: Consumer) -> int:
        """Give the serial number of the certificate that a host has, stale or not."""
        (found,) = certificates.current_certificates(self.ctx, host.uuid)
        return found.certificate.serial


@pytest.fixture
def world(town: Town) -> Iterator[World]:
    """The world, with a service that works through jobs."""
    with working(town.ctx):
        yield World(town)


def ask(*ids: str, enabled: bool | None = None) -> list[dict[str, Any]]:
    return [{"contentId": each, "enabled": enabled, "environmentId": "passed over"} for each in ids]


def test_task_4_promoted_content_is_in_force_at_once(world: World) -> None:
    host = world.host("dev1", "dev")
    before = world.ask(host)
    assert world.paths(host) == ()
    status = world.town.user("pat").post(f"{world.dev}/content", ask(world.base, world.apps, enabled=False)).good()
    assert status == status | {
        "key": "promote-content", "group": "acme", "principal": "pat", "state": "FINISHED",
        "resultData": {"promotion": 3, "environment": "dev"}, "statusPath": f"/jobs/{status['id']}",
    }  # fmt: skip
    assert world.town.user("vic").get(status["statusPath"]).good() == status
    assert world.content() == {world.base: False, world.apps: False}
    assert world.serial(host) == before, "lazily: only when the host asks"
    assert world.paths(host) == ("/acme/dev/custom/tools/apps", "/acme/dev/custom/tools/base")
    assert before in revocation_lists.revoked_serials(world.ctx)
    demoted = world.town.user("alice").delete(f"{world.dev}/content", content=[world.base]).good()
    assert demoted["state"] == "FINISHED"
    assert (world.content(), world.paths(host)) == ({world.apps: False}, ("/acme/dev/custom/tools/apps",))
    assert [each.actor.name for each in list_promotions(world.ctx, "acme")][:2] == ["alice", "pat"]


def test_eager_regeneration_is_a_job(world: World) -> None:
    hosts = [world.host(f"h{each}", "dev") for each in range(3)]
    before = {world.ask(host) for host in hosts}
    status = world.town.user("alice").post(f"{world.dev}/content", ask(world.base), lazy_regen="false").good()
    assert (status["key"], status["state"]) == ("regenerate", "QUEUED")
    wait_for(world.ctx, int(status["id"]), look=0.05)
    done = world.town.user("alice").get(status["statusPath"]).good()
    assert (done["state"], done["done"], done["total"], done["resultData"]["done"]) == ("FINISHED", 3, 3, 3)
    assert not before & {world.serial(host) for host in hosts}
    refused = world.town.user("pat").post(f"{world.dev}/content", ask(world.apps), lazy_regen="false")
    assert "manage certificates" in refused.bad(403)
    assert world.content() == {world.base: None}, "refused before anything was done"


def test_all_organizations_are_regenerated_by_those_who_manage_them(world: World) -> None:
    host = world.host("h", "dev")
    before = world.ask(host)
    world.town.user("pat").post(f"{world.dev}/content", ask(world.base)).good()
    (status,) = world.town.user("alice").put("/certificates").good()
    assert (status["key"], status["group"]) == ("regenerate", "acme")
    wait_for(world.ctx, int(status["id"]), look=0.05)
    assert world.serial(host) != before
    assert world.town.user("alice").put("/certificates").good() == []
    assert world.town.user("pat").put("/certificates", unchanged="true").bad(403)


def test_all_or_nothing(world: World) -> None:
    user = world.town.user("pat")
    user.post(f"{world.dev}/content", ask(world.base)).good()
    assert user.post(f"{world.dev}/content", ask(world.apps, world.base)).bad(409)
    assert user.post(f"{world.dev}/content", ask(world.apps, "none")).bad(404)
    assert user.post(f"{world.dev}/content", []).bad(400)
    assert user.post(f"{world.dev}/content", [{"enabled": True}]).bad(400)
    assert user.post(f"{world.dev}/content", {"contentId": world.apps}).bad(400)
    assert user.post(f"{world.dev}/content", ask(*map(str, range(10_001)))).bad(400)
    assert user.delete(f"{world.dev}/content", content=[world.base, world.apps]).bad(404)
    assert user.delete(f"{world.dev}/content").bad(400)
    assert user.post("/environments/nowhere/content", ask(world.apps)).bad(404)
    assert "comes before prod" in user.post(f"{world.prod}/content", ask(world.apps)).bad(409)
    assert user.post(f"{world.prod}/content", ask(world.apps), force="true").bad(409)
    assert world.content() == {world.base: None}
    user.post(f"{world.prod}/content", ask(world.apps), force="true", reason="urgent").good()
    assert world.content(world.prod) == {world.apps: None}


def test_the_last_of_several_entries_for_a_content_counts(world: World) -> None:
    body = [*ask(world.base, enabled=True), *ask(world.base, enabled=False)]
    world.town.user("pat").post(f"{world.dev}/content", body).good()
    assert world.content() == {world.base: False}


def test_katello_task_4_exactly_these_contents(world: World) -> None:
    user = world.town.user("pat")

    def put(*body: dict[str, Any], **query: Any) -> Any:
        return user.put(f"{world.dev}/content", [*body], **query).good()["resultData"]["promotion"]

    assert put(*ask(world.base)) is not None
    assert put(*ask(world.base)) is None, "asking twice is asking once"
    assert put(*ask(world.apps, enabled=True)) is not None
    assert world.content() == {world.apps: True}
    assert put() is not None
    assert world.content() == {}
    assert user.put(f"{world.dev}/content", ask("none")).bad(404)


def together(*calls: Any) -> list[Reply]:
    found: list[Reply] = []
    threads = [threading.Thread(target=lambda call=call: found.append(call())) for call in calls]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return found


def test_two_requests_at_once(world: World) -> None:
    pat, alice = world.town.user("pat"), world.town.user("alice")
    both = together(
        lambda: pat.post(f"{world.dev}/content", ask(world.base)),
        lambda: alice.post(f"{world.dev}/content", ask(world.apps)),
    )
    assert [each.status for each in both] == [200, 200]
    assert world.content() == {world.base: None, world.apps: None}
    same = together(*[lambda: pat.delete(f"{world.dev}/content", content=[world.base])] * 3)
    assert sorted(each.status for each in same) == [200, 404, 404]
    same = together(*[lambda: pat.post(f"{world.dev}/content", ask(world.base))] * 3)
    assert sorted(each.status for each in same) == [200, 409, 409]
    assert world.content() == {world.base: None, world.apps: None}


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("root-user", (200, 200, 200, 200, 200, 200)),
        ("alice", (200, 200, 200, 200, 200, 200)),
        ("pat", (200, 200, 200, 200, 200, 403)),
        ("vic", (403, 403, 403, 403, 200, 403)),
        ("bob", (404, 404, 404, 404, 404, 404)),
        ("nora", (404, 404, 404, 404, 404, 404)),
        ("", (401, 401, 401, 401, 401, 401)),
    ],
)
def test_task_4_1_who_may_what(world: World, name: str, statuses: tuple[int, ...]) -> None:
    client = world.town.user(name) if name else world.town.nobody()
    found = (
        client.post(f"{world.dev}/content", ask(world.base)),
        client.put(f"{world.dev}/content", ask(world.base)),
        client.delete(f"{world.dev}/content", content=[world.base]),
        client.put(f"{world.dev}/content_overrides", [{"contentLabel": "x", "name": "priority", "value": "1"}]),
        client.get(f"{world.dev}/content_overrides"),
        client.put(f"{world.dev}/certificates"),
    )
    assert tuple(each.status for each in found) == statuses


def test_hosts_reach_no_environment(world: World) -> None:
    host = world.host("dev1", "dev")
    client = world.town.host(world.town.user("alice").get(f"/consumers/{host.uuid}").good())
    for method, path, body in (
        ("GET", world.dev, None),
        ("POST", f"{world.dev}/content", ask(world.base)),
        ("PUT", f"{world.dev}/content_overrides", []),
        ("GET", "/jobs", None),
        ("GET", "/activation_keys", None),
    ):
        assert client.call(method, path, body).bad(401)


def test_overrides_reach_the_hosts_of_an_environment(world: World) -> None:
    host, user, path = world.host("dev1", "dev"), world.town.user("pat"), f"{world.dev}/content_overrides"
    serial = world.ask(host)
    wanted = [
        {"contentLabel": "a", "name": "Enabled", "value": "1"},
        {"contentLabel": "a", "name": "priority", "value": "5"},
        {"contentLabel": "b", "name": "priority", "value": "7"},
    ]
    listed = [{**each, "name": each["name"].lower()} for each in wanted]
    assert user.put(path, wanted).good() == user.get(path).good() == listed
    theirs = world.town.user("alice").get(f"/consumers/{host.uuid}/content_overrides").good()
    assert theirs == listed
    for bad in (
        {"name": "x", "value": "1"},
        {"contentLabel": "a", "name": "x"},
        {"contentLabel": "a", "name": "label", "value": "1"},
    ):
        assert user.put(path, [{"contentLabel": "c", "name": "n", "value": "v"}, bad]).bad(400)
    assert user.get(path).good() == listed, "nothing is set when one of them is wrong"
    assert user.delete(path, [{"contentLabel": "a", "name": "ENABLED"}]).good() == listed[1:]
    assert user.delete(path, [{"contentLabel": "none"}]).good() == listed[1:]
    assert user.delete(path, [{"contentLabel": "a"}]).good() == listed[2:]
    assert user.delete(path).good() == []
    assert world.serial(host) == serial, "no certificate changes by it"


def test_certificates_are_issued_anew_for_an_owner_an_environment_and_a_product(world: World) -> None:
    hosts = [world.host("dev1", "dev"), world.host("prod1", "prod")]
    alice = world.town.user("alice")
    number = alice.get("/owners/acme/products").good()[0]["id"]

    def run(path: str, **query: Any) -> tuple[int, set[str]]:
        before = {host.name: world.serial(host) for host in hosts}
        status = alice.put(path, **query).good()
        done = wait_for(world.ctx, int(status["id"]), look=0.05)
        return int(str(done.result["done"])), {host.name for host in hosts if world.serial(host) != before[host.name]}

    for host in hosts:
        world.ask(host)
    promote(world.ctx, plan_repository_promotion(world.ctx, KEY, 1, "dev"))
    assert run("/owners/acme/certificates") == (1, {"dev1"})
    assert run("/owners/acme/certificates") == (0, set())
    assert run(f"{world.prod}/certificates", unchanged="true") == (1, {"prod1"})
    assert run(f"/entitlements/product/{number}") == (2, {"dev1", "prod1"})
    assert run("/entitlements/product/tools", owner="acme") == (2, {"dev1", "prod1"})
    assert alice.put("/entitlements/product/none").bad(404)
    for name, status in (("vic", 404), ("pat", 404), ("bob", 404), ("nora", 404)):
        assert world.town.user(name).put(f"/entitlements/product/{number}").bad(status)
    for name, status in (("vic", 403), ("pat", 403), ("bob", 404), ("nora", 404)):
        assert world.town.user(name).put("/owners/acme/certificates").bad(status)
    catalog.create_product(world.ctx, organization="other", label="tools", name="Tools")
    assert len(read_offers(world.ctx, "other").products) == 1
    assert "name the organization" in world.town.user("root-user").put("/entitlements/product/tools").bad(400)


def test_jobs_are_seen_and_stopped_by_who_may(world: World) -> None:
    pat = world.town.user("pat")
    done = pat.post(f"{world.dev}/content", ask(world.base)).good()
    pat.post(f"{world.dev}/content", ask(world.apps)).good()
    listed = pat.get("/jobs").good()
    assert [each["id"] for each in listed] == ["2", "1"]
    assert pat.get("/jobs", limit=1).good() == listed[:1]
    assert pat.get("/jobs", key="promote-content", owner="acme", state="finished").good() == listed
    assert pat.get("/jobs", state=["FAILED", "RUNNING"]).good() == pat.get("/jobs", owner="other").good() == []
    assert world.town.user("bob").get("/jobs").good() == []
    for name in ("bob", "nora"):
        assert world.town.user(name).get(done["statusPath"]).bad(404)
    for path in ("/jobs/99", "/jobs/x", "/jobs/-1", "/jobs/99999999999"):
        assert pat.get(path).bad(404)
    assert world.town.user("vic").delete(done["statusPath"]).bad(403)
    assert pat.delete(done["statusPath"]).bad(409), "it is over already"
    assert world.town.nobody().get("/jobs").bad(401)


def test_red_hat_products_have_their_numbers_as_in_certificates(world: World) -> None:
    trust = ManifestTrust((manifest_authority().root_pem,))
    import_manifest(world.ctx, "acme", manifest_bytes(products=[rhel()]), "manifest.zip", trust=trust)
    alice = world.town.user("alice")
    (product,) = [each for each in alice.get("/owners/acme/products").good() if each["id"] == "479"]
    assert alice.get("/owners/acme/products/479").good() == product
    assert alice.get(f"/owners/acme/products/{product['label']}").good() == product
    assert alice.put("/entitlements/product/479").good()["key"]
