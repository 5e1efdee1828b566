"""Activation keys over the API of a real server, and hosts that register with them."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from makers.api import Reply
from makers.towns import Town

PATH = "/owners/acme/activation_keys"
KEY = "/activation_keys/acme:web"


def test_made_shown_changed_and_deleted(town: Town) -> None:
    alice, dev, prod = town.user("alice"), town.environment("dev"), town.environment("prod")
    body = {
        "name": "new", "description": "One", "environments": [{"id": prod.id}, {"name": "Dev"}],
        "products": ["tools"], "maxHosts": 3,
    }  # fmt: skip
    made = alice.post(PATH, body).good()
    assert made["owner"]["key"] == "acme"
    assert made == made | {
        "id": "acme:new", "name": "new", "description": "One", "products": ["tools"], "maxHosts": 3,
        "contentOverrides": [], "autoAttach": False,
    }  # fmt: skip
    assert [each["id"] for each in made["environments"]] == [prod.id, dev.id]
    place = f"/activation_keys/{made['id']}"
    assert alice.get(place).good() == made
    changed = alice.put(place, {"environments": [], "maxHosts": 0, "name": "passed over"}).good()
    assert changed == made | {"environments": [], "maxHosts": None}
    assert [each["name"] for each in alice.get(PATH).good()] == ["both", "new", "web"]
    assert alice.get(PATH, name="new").good() == [changed]
    assert [each["id"] for each in alice.get("/activation_keys").good()] == ["acme:both", "acme:new", "acme:web"]
    assert alice.put(place, {"products": ["tools", "tools"]}).good()["products"] == ["tools"]
    assert alice.delete(place).status == 204
    assert alice.get(place).bad(404)
    with town.ctx.store.session():
        found = [each.action for each in town.ctx.store.audit.list() if each.actor.origin == "127.0.0.1"]
    assert found == [f"activation-key.{each}" for each in ("create", "update", "update", "delete")]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"name": ""}, 400),
        ({"name": "a b"}, 400),
        ({"name": "x" * 129}, 400),
        ({"name": "new", "maxHosts": -1}, 400),
        ({"name": "new", "environments": [{"id": "nowhere"}]}, 404),
        ({"name": "new", "environments": [{"name": "Dev"}, {"name": "Dev"}]}, 409),
        ({"name": "new", "products": ["nothing"]}, 404),
        ({"name": "web"}, 409),
        ({"name": "new", "description": "a\u001b[31m"}, 400),
        ({"name": "new", "environments": [{}]}, 400),
    ],
)
def test_what_cannot_be_made(town: Town, body: dict[str, Any], status: int) -> None:
    assert town.user("alice").post(PATH, body).bad(status)
    assert [each["name"] for each in town.user("alice").get(PATH).good()] == ["both", "web"]


def test_an_environment_of_another_organization_is_not_found(town: Town) -> None:
    theirs = {"environments": [{"id": town.environment("dev", "other").id}]}
    assert town.user("alice").post(PATH, {"name": "new", **theirs}).bad(404)
    assert town.user("alice").put(KEY, theirs).bad(404)


def test_hosts_get_the_overrides_of_their_keys(town: Town) -> None:
    alice = town.user("alice")

    def put(key: str, *wanted: tuple[str, str, str]) -> Any:
        body = [{"contentLabel": label, "name": name, "value": value} for label, name, value in wanted]
        return alice.put(f"/activation_keys/acme:{key}/content_overrides", body).good()

    put("web", ("a", "enabled", "1"), ("b", "enabled", "1"))
    listed = put("both", ("a", "enabled", "0"), ("c", "priority", "9"))
    assert alice.get("/activation_keys/acme:both").good()["contentOverrides"] == listed
    body = {"name": "h", "type": "system", "facts": {}}
    found = town.nobody().post("/consumers", body, owner="acme", activation_keys="both,web").good()
    host = town.host(found)
    theirs = host.get(f"/consumers/{found['uuid']}/content_overrides").good()
    assert {(each["contentLabel"], each["name"]): each["value"] for each in theirs} == {
        ("a", "enabled"): "0", ("b", "enabled"): "1", ("c", "priority"): "9",
    }  # fmt: skip
    path = f"{KEY}/content_overrides"
    assert alice.put(path, [{"contentLabel": "z", "name": "name", "value": "1"}]).bad(400)
    assert len(alice.get(path).good()) == 2
    assert len(alice.delete(path, [{"contentLabel": "a"}]).good()) == 1
    assert alice.delete(path).good() == []
    assert len(host.get(f"/consumers/{found['uuid']}/content_overrides").good()) == 3, "hosts keep what they have"
    assert alice.delete(KEY).status == 204


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("root-user", (200, 200, 200, 200, 200, 204)),
        ("alice", (200, 200, 200, 200, 200, 204)),
        ("pat", (403, 403, 403, 403, 403, 403)),
        ("vic", (403, 403, 403, 403, 403, 403)),
        ("bob", (404, 404, 404, 404, 404, 404)),
        ("nora", (404, 404, 404, 404, 404, 404)),
        ("", (401, 401, 401, 401, 401, 401)),
    ],
)
def test_who_may_what(town: Town, name: str, statuses: tuple[int, ...]) -> None:
    client = town.user(name) if name else town.nobody()
    found = (
        client.get(PATH),
        client.post(PATH, {"name": "new"}),
        client.get(KEY),
        client.put(KEY, {"description": "x"}),
        client.get(f"{KEY}/content_overrides"),
        client.delete(KEY),
    )
    assert tuple(each.status for each in found) == statuses
    for odd in ("web", "acme:", ":web", "acme:we b", "acme:web:x", "other:web", "x" * 2000):
        assert town.user("alice").get(f"/activation_keys/{odd.replace(' ', '%20')}").bad(404)


def test_as_many_hosts_come_with_a_key_as_it_lets_in_however_many_try_at_once(town: Town) -> None:
    alice = town.user("alice")
    alice.put(KEY, {"maxHosts": 2}).good()

    def come(number: int) -> Reply:
        return town.nobody().post("/consumers", {"name": f"h{number}"}, owner="acme", activation_keys="web")

    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(come, range(6)))
    assert sorted(each.status for each in replies) == [200, 200, 409, 409, 409, 409]
    assert all("has let in 2 hosts" in each.bad(409) for each in replies if each.status != 200)
    listed = alice.get("/owners/acme/consumers").good()
    assert len(listed) == 2
    keys = town.ctx.store.consumer_keys
    assert {each.stem for each in keys.iterdir()} == {each["uuid"] for each in listed}, "keys of the refused are gone"
    assert alice.delete(f"/consumers/{listed[0]['uuid']}").status == 204
    come(7).good()
    assert come(8).bad(409)


def test_a_host_is_put_into_environments_and_gets_what_keys_give(town: Town) -> None:
    alice, prod = town.user("alice"), town.environment("prod")
    alice.put(KEY, {"products": ["tools"], "maxHosts": 1}).good()
    override = [{"contentLabel": "base", "name": "priority", "value": "7"}]
    alice.put(f"{KEY}/content_overrides", override).good()
    path = f"/environments/{prod.id}/consumers"
    made = alice.post(path, {"name": "h", "facts": {}}, activation_keys="web,both").good()
    assert [each["name"] for each in made["environments"]] == ["Production"], "not those of the keys"
    assert made["activationKey"] == "web"
    given = alice.get(f"/consumers/{made['uuid']}/content_overrides").good()
    assert [(each["contentLabel"], each["value"]) for each in given] == [("base", "7")]
    assert "may let in 1" in alice.post(path, {"name": "h2", "facts": {}}, activation_keys="web").bad(409)
    assert alice.post(path, {"name": "h2", "facts": {}}, activation_keys="none").bad(404)
    assert "not the first" in alice.post(path, {"name": "h2", "facts": {}}, activation_keys="both,web").bad(400)
    assert town.user("vic").post(path, {"name": "h2", "facts": {}}, activation_keys="both").bad(403)


def test_hosts_of_a_deleted_key_do_not_count_for_its_namesake(town: Town) -> None:
    alice = town.user("alice")
    alice.put(KEY, {"maxHosts": 1}).good()
    first = register(town, "h1").good()
    assert register(town, "h2").bad(409)
    alice.delete(KEY)
    alice.post(PATH, {"name": "web", "maxHosts": 1}).good()
    register(town, "h2").good()
    assert register(town, "h3").bad(409)
    alice.delete(f"/consumers/{first['uuid']}")
    assert register(town, "h3").bad(409), "it is h2 that counts"


def register(town: Town, name: str) -> Reply:
    return town.nobody().post("/consumers", {"name": name, "facts": {}}, owner="acme", activation_keys="web")
