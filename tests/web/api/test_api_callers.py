"""Who may call what: users of every role, hosts, and nobody; limits of attempts; and bodies that are refused."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from makers.api import ApiClient, basic
from makers.serving import logged_requests
from makers.towns import MEMBERS, Town

from issbox.model import Attempts
from issbox.web.api.bodies import LARGEST, LARGEST_OF_ANYONE
from issbox.web.api.routes import CONSUMER, Route, Who
from issbox.web.api.table import TABLE
from issbox.workflows.people import users

FACTS = {"system.certificate_version": "3.2"}
PLACES = {"owner_key": "acme", "product_id": "tools", "content_id": "x"}


def register(town: Town) -> tuple[dict[str, Any], ApiClient]:
    found = town.user("alice").post("/consumers", {"name": "web1", "facts": FACTS}, owner="acme").good()
    return found, town.host(found)


def path_of(route: Route, town: Town, uuid: str) -> str:
    values = PLACES | {CONSUMER: uuid, "username": "alice"}
    values |= {"environment_ids": town.environment("dev").id, "environment_id": town.environment("dev").id}
    return route.path.format_map({name: values.get(name, "x") for name in route.parameters})


def test_every_route_asks_who_it_is(town: Town) -> None:
    """Without credentials, only what is open to everybody answers; a host is refused all but what is about itself."""
    found, host = register(town)
    for route in TABLE.routes:
        path = path_of(route, town, found["uuid"])
        reply = town.nobody().call(route.method, path, {} if route.body else None)
        if route.who is Who.ANYONE:
            assert reply.status == 200
        else:
            assert reply.bad(401), route.path
            assert "Basic" in reply.headers["WWW-Authenticate"]
        if route.who is Who.USER:
            assert host.call(route.method, path, {} if route.body else None).bad(401), route.path


def test_a_host_reaches_only_itself(town: Town) -> None:
    found, _ = register(town)
    other, stranger = register(town)
    for route in TABLE.routes:
        if route.who.hosts:
            path = path_of(route, town, found["uuid"])
            body: object = [] if "list" in str(route.body) else {}
            assert stranger.call(route.method, path, body if route.body else None).bad(404), route.path
    assert town.user("alice").get(f"/consumers/{found['uuid']}").good()["uuid"] == found["uuid"]
    assert stranger.get(f"/consumers/{other['uuid']}").good()["uuid"] == other["uuid"]


@pytest.mark.parametrize("name", [*MEMBERS, "nora"])
def test_each_role_gets_what_it_may(town: Town, name: str) -> None:
    found, _ = register(town)
    client, uuid = town.user(name), found["uuid"]
    manages = name in {"alice", "root-user"}
    inside = name not in {"bob", "nora"}
    expected = {
        ("GET", "/owners/acme"): 200 if inside else 404,
        ("GET", "/owners/acme/environments"): 200 if inside else 404,
        ("GET", "/owners/acme/products"): 200 if inside else 404,
        ("GET", "/owners/acme/products/tools"): 200 if inside else 404,
        ("GET", "/owners/acme/consumers"): 200 if manages else 403 if inside else 404,
        ("GET", f"/consumers/{uuid}"): 200 if manages else 404 if name == "bob" else 403,
        ("GET", f"/consumers/{uuid}/certificates"): 200 if manages else 404 if name == "bob" else 403,
        ("PUT", f"/consumers/{uuid}"): 204 if manages else 404 if name == "bob" else 403,
        ("POST", "/consumers?owner=acme"): 200 if manages else 403 if inside else 404,
        ("POST", "/consumers?owner=nothing"): 404,
        ("DELETE", f"/consumers/{uuid}"): 204 if manages else 404 if name == "bob" else 403,
    }
    for (method, path), status in expected.items():
        body = {"name": "web2"} if method in {"PUT", "POST"} else None
        reply = client.call(method, path, body)
        assert reply.status == status, (method, path, reply.answer.text)
        if status == 404 and "nothing" not in path:
            assert "Acme" not in reply.answer.text


def test_owners_are_those_of_the_user(steady_town: Town) -> None:
    keys = {name: {each["key"] for each in steady_town.user(name).get("/owners").good()} for name in (*MEMBERS, "nora")}
    assert keys == {
        "alice": {"acme"},
        "root-user": {"acme", "other"},
        "pat": {"acme"},
        "vic": {"acme"},
        "bob": {"other"},
        "nora": set(),
    }
    assert steady_town.user("pat").get("/users/pat/owners").good() == [], "promoters register no hosts"


def test_hosts_are_moved_together_and_only_within_their_organization(town: Town) -> None:
    hosts = [register(town)[0]["uuid"] for _ in range(2)]
    ids = [town.environment(each).id for each in ("prod", "dev")]
    alice, path = town.user("alice"), "/owners/acme/consumers/environments"
    alice.put(path, {"consumerUuids": hosts, "environmentIds": ids}).good()
    listed = alice.get("/consumers", owner="acme", per_page=1, page=2)
    assert (len(listed.good()), listed.headers["X-Total-Count"]) == (1, "2")
    assert [each["label"] for each in listed.good()[0]["environments"]] == ["prod", "dev"]
    assert listed.headers["Link"] == (
        '<?owner=acme&page=1&per_page=1>; rel="first", <?owner=acme&page=1&per_page=1>; rel="prev", '
        '<?owner=acme&page=2&per_page=1>; rel="last"'
    )
    first = alice.get("/owners/acme/consumers", per_page=1, name="web1", environment=ids[0])
    assert f'<?environment={ids[0]}&name=web1&page=2&per_page=1>; rel="next"' in first.headers["Link"]
    assert 'rel="prev"' not in first.headers["Link"]
    for query, number in (({"name": "web%"}, 0), ({"environment": town.environment("Library").id}, 0), ({}, 2)):
        found = alice.get("/owners/acme/consumers", **query)
        assert (len(found.good()), found.headers["X-Total-Count"], "Link" in found.headers) == (
            number, str(number), False,
        ), "what is counted is what is asked for"  # fmt: skip
    foreign = town.environment("dev", "other").id
    assert alice.put(path, {"consumerUuids": hosts, "environmentIds": [foreign]}).bad(404)
    assert alice.put(path, {"consumerUuids": [*hosts, "nobody"], "environmentIds": []}).bad(404)
    bob = town.user("bob")
    assert bob.put("/owners/other/consumers/environments", {"consumerUuids": hosts, "environmentIds": []}).bad(404)
    assert [len(each["environments"]) for each in alice.get("/consumers", owner="acme").good()] == [2, 2]


def until_limited(attempt: Callable[[int], int], free: int) -> list[int]:
    """Try until an attempt is limited, and give the statuses before; waits are short at first and double each time."""
    statuses: list[int] = []
    while len(statuses) < free + 12:
        status = attempt(len(statuses))
        if status == 429:
            break
        statuses.append(status)
    assert free <= len(statuses) < free + 12
    return statuses


def block(town: Town, subject: str) -> None:
    """Let attempts of a user or address wait for minutes."""
    until = town.ctx.clock() + timedelta(minutes=10)
    with town.ctx.store.session():
        town.ctx.store.passwords.set_attempts(subject, Attempts(12, until))


def test_wrong_passwords_are_limited_and_tokens_still_work(town: Town) -> None:
    wrong = town.by_password("alice", "wrong")
    assert set(until_limited(lambda _: wrong.get("/owners").status, 5)) == {401}
    block(town, "alice")
    reply = town.by_password("alice").get("/owners")
    assert "wait until" in reply.bad(429), "also the right one has to wait"
    assert int(reply.headers["Retry-After"]) > 60
    assert town.user("alice").get("/owners").good()


def test_one_password_tried_on_many_names_is_limited_by_address(town: Town) -> None:
    def attempt(number: int) -> int:
        return town.by_password(f"user{number}").get("/owners").status

    assert set(until_limited(attempt, 20)) == {401}


def test_many_hosts_may_register_at_once_with_one_password(town: Town) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(12) as pool:
        replies = list(pool.map(lambda _: town.by_password("alice").get("/owners").status, range(24)))
    assert replies == [200] * 24


def test_wrong_activation_keys_are_limited_by_address(town: Town) -> None:
    def attempt(number: int) -> int:
        keys = {"owner": "acme", "activation_keys": f"guess{number}"}
        return town.nobody().post("/consumers", {"name": "a"}, **keys).status

    assert set(until_limited(attempt, 20)) == {404}


def test_wrong_keys_tell_nothing_of_which_organizations_there_are(town: Town) -> None:
    def told(owner: str) -> str:
        reply = town.nobody().post("/consumers", {"name": "a"}, owner=owner, activation_keys="x")
        return reply.bad(404).replace(owner, "")

    assert told("acme") == told("nothing")


def test_who_asked_is_in_the_log(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "issbox.access")
    found, host = register(town)
    host.get(f"/consumers/{found['uuid']}").good()
    town.nobody().get("/status").good()
    lines = [each.getMessage() for each in logged_requests(caplog, 3)]
    assert lines[0].endswith(" alice")
    assert lines[1].endswith(f" host {found['uuid']}")
    assert lines[2].endswith(" -")
    assert all(int(line.split()[4]) > 0 for line in lines), "bytes that were sent"
    assert "activation_keys" not in "".join(lines)


def test_a_disabled_user_is_kept_out(town: Town) -> None:
    client = town.user("vic")
    client.get("/owners").good()
    users.update_user(town.ctx, "vic", disabled=True)
    assert client.get("/owners").bad(401)


@pytest.mark.parametrize("header", ["Basic", "Basic !!", basic("alice")[:-4], "Basic YWJj", "Digest x", "Bearer", "x"])
def test_credentials_that_cannot_be_read_are_401(steady_town: Town, header: str) -> None:
    assert ApiClient(steady_town.service.client(), header).get("/owners").bad(401)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no body"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "Expected `object`"),
        (b'{"name": 5}', "$.name"),
        (b'{"name": "a", "facts": {"a": []}}', "$.facts"),
        (b'{"name": "a\\u0000"}', "NUL"),
        (b'{"name": "\\ud800"}', "not JSON"),
        (b'{"name": "' + b"a" * 300 + b'"}', "$.name"),
        (b'{"name": "a", "type": "no type"}', "host type"),
        (b'{"name": "a", "releaseVer": "../.."}', "release"),
        (b'{"name": "a", "addOns": ["a\\nb"]}', "system purpose"),
        ('{"name": "a", "role": "\u009b2J"}'.encode(), "system purpose"),
        (b'{"name": "a", "environments": [{}]}', "by its id or its name"),
        (b'{"facts": {}}', "no name"),
        (b'{"x": ' + b"[" * 100_000, "not JSON"),
    ],
)
def test_a_body_that_is_not_as_it_has_to_be_is_told_where_and_why(steady_town: Town, body: bytes, words: str) -> None:
    assert words in steady_town.user("alice").post("/consumers", body, owner="acme").bad(400)


def test_bodies_are_limited_in_size_and_kind(steady_town: Town) -> None:
    alice = steady_town.user("alice")
    assert alice.post("/consumers", b" " * (LARGEST + 1), owner="acme").bad(413)
    assert steady_town.nobody().post("/consumers", b" " * (LARGEST_OF_ANYONE + 1), owner="acme").bad(413)
    alice.headers = {"Content-Type": "text/xml"}
    assert alice.post("/consumers", b"<a/>", owner="acme").bad(415)


def test_a_compressed_body_is_refused_before_it_swells(steady_town: Town) -> None:
    import gzip

    alice = steady_town.user("alice")
    alice.headers = {"Content-Encoding": "gzip"}
    assert alice.post("/consumers", gzip.compress(b" " * (64 << 20)), owner="acme").bad(415)


def test_a_client_that_waits_for_leave_to_send_its_body_gets_it(steady_town: Town) -> None:
    token, body = steady_town.tokens["alice"], b"[]"
    lines = (
        f"POST /candlepin/consumers?owner=acme HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    )
    with steady_town.service.client().connect() as connection:
        connection.sendall(f"{lines}Expect: 100-continue\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
        connection.sendall(body)
        assert connection.recv(100).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("query", ["page=0", "page=x", "per_page=100000", "name=%00", "page=" + "1&a=" * 1200])
def test_a_query_that_is_not_as_it_has_to_be_is_400(steady_town: Town, query: str) -> None:
    assert steady_town.user("alice").get(f"/consumers?owner=acme&{query}").bad(400)


def test_odd_names_in_paths_are_404(steady_town: Town) -> None:
    alice = steady_town.user("alice")
    for path in ("/owners/%00", "/owners/%0a", "/owners/a%2Fb", "/owners/%ff", "/consumers/" + "a" * 5000):
        assert alice.get(path).bad(404)


def test_the_log_of_the_box_is_not_the_answer(steady_town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError("a secret of the box")

    monkeypatch.setattr("issbox.web.api.resources.owners.catalog.list_organizations", broken)
    assert "secret" not in steady_town.user("alice").get("/owners").bad(500)
