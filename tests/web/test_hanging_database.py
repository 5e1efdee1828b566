"""A database that hangs while hosts are served: content goes on, calls of the API are told, afterwards all is well."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from makers.boxes import Side
from makers.hanging import stopped
from makers.serving import GRANTED, REPOMD
from makers.towns import Town, serve_town

from issbox.web import current
from issbox.web.api import dispatch


@pytest.fixture
def url(new_postgresql_database: Callable[[None], str]) -> str:
    return new_postgresql_database(None)


@pytest.fixture
def town(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """A served box on PostgreSQL that has less patience than usual."""
    for module, name, seconds in (
        (dispatch, "DATABASE_SECONDS", 0.7),
        (current, "_PATIENCE", 0.7),
        (current, "_HELD_UP", 0.3),
    ):
        monkeypatch.setattr(module, name, seconds)
    Side(tmp_path / "own").use_database(url)
    with serve_town(tmp_path) as town:
        yield town


def test_content_is_served_and_the_api_says_why_it_cannot_answer(town: Town, url: str) -> None:
    host = town.service.client(GRANTED)
    alice = town.user("alice")
    assert host.get(REPOMD).status == 200
    assert len(alice.get("/owners/acme/environments").good()) > 1
    with stopped(url):
        for _ in range(5):
            assert host.get(REPOMD).status == 200, "by what was known"
        with ThreadPoolExecutor(30) as many:  # more than the API has threads
            replies = list(many.map(lambda _: alice.get("/owners/acme/environments"), range(30)))
        for reply in replies:
            assert "database of this box does not answer" in reply.bad(503)
            assert (reply.json["code"], reply.headers["Retry-After"]) == ("database-busy", "10")
        assert host.get(REPOMD).status == 200
    assert len(alice.get("/owners/acme/environments").good()) > 1
    made = alice.post("/consumers", {"name": "web1", "facts": {}}, owner="acme").good()
    assert town.host(made).get(f"/consumers/{made['uuid']}").good()["name"] == "web1"
