"""The API through a real nginx with the generated configuration: certificates arrive, and claims of clients do not."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from makers.api import ApiClient
from makers.nginx import needs_nginx, nginx_in_front
from makers.serving import Client
from makers.towns import MEMBERS, Town, make_town

from issbox.workflows.people import tokens

pytestmark = needs_nginx


@pytest.fixture
def town(tmp_path: Path) -> Iterator[tuple[Town, int]]:
    ctx = make_town(tmp_path)
    with nginx_in_front(ctx, tmp_path) as front:
        yield Town(front.service, {name: tokens.create_token(ctx, name, "t").secret for name in MEMBERS}), front.port


def test_the_api_through_nginx(town: tuple[Town, int]) -> None:
    box, port = town
    anybody = Client(box.service.directory, port)
    assert ApiClient(anybody).get("/status").good()["result"] is True
    user = ApiClient(anybody, f"Bearer {box.tokens['alice']}")
    found = user.post("/consumers", {"name": "a" * 200, "facts": {"x": "y" * 8000}}, owner="acme").good()
    path = f"/consumers/{found['uuid']}"
    host = box.host(found)
    host.client.port = port
    assert host.get(path).good()["uuid"] == found["uuid"]
    assert host.get(f"{path}/certificates/serials").good()
    assert ApiClient(anybody).get(path).bad(401)
    names = ("X-Issbox-Client-Certificate", "X_Issbox_Client_Certificate", "x-issbox-client-certificate")
    for name in names:
        liar = ApiClient(anybody, headers={name: quote(found["idCert"]["cert"]), "X-Issbox-Site": "acme/dev"})
        assert liar.get(path).bad(401)
    host.post(path).good()
    assert "revoked" in host.get(path).bad(401)


def test_attempts_are_counted_by_the_address_that_nginx_saw(town: tuple[Town, int]) -> None:
    from issbox.workflows.people.audit_log import list_audit

    box, port = town
    headers = {"X-Issbox-Client-Address": "192.0.2.1", "X-Forwarded-For": "192.0.2.1"}
    client = ApiClient(Client(box.service.directory, port), "Basic YWxpY2U6eA==", headers=headers)
    assert client.get("/owners").bad(401)
    assert list_audit(box.ctx, limit=1)[0].actor.origin == "127.0.0.1"
