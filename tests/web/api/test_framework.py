"""The framework of the API on a real server: routes, bodies, errors, and the headers of every answer."""

import re

import pytest
from makers.api import ApiClient, nobody
from makers.serving import Service

from issbox.web.api.routes import Call, NoQuery, Route, Routes, Table, Who


def test_status_is_answered_without_credentials_and_under_both_names(service: Service) -> None:
    for prefix in ("/candlepin", "/rhsm"):
        for path in ("/status", "/status/"):
            reply = ApiClient(service.client(), "Basic nonsense", prefix).get(path)
            found = reply.good()
            assert found["result"] is True
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000", found["timeUTC"])
            assert {"cert_v3", "multi_environment", "org_level_content_access"} <= set(found["managerCapabilities"])
            assert "Date" in reply.headers


def test_the_root_lists_resources(service: Service) -> None:
    for path in ("", "/"):
        links = {each["rel"]: each["href"] for each in nobody(service).get(path).good()}
        assert links["environments"] == "/environments"
        assert {"consumers", "owners", "content_overrides", "status"} <= set(links)


def test_the_description_is_served(service: Service) -> None:
    found = nobody(service).get("/openapi.json").good()
    assert found["openapi"] == "3.1.0"
    assert {"/", "/status", "/openapi.json"} <= set(found["paths"])


@pytest.mark.parametrize("path", ["/nothing", "/status/x", "/statuses", "//status", "/%2e%2e/status"])
def test_what_is_not_there_is_404_in_json(service: Service, path: str) -> None:
    assert nobody(service).get(path).bad(404)


def test_another_method_is_405_with_those_that_are_possible(service: Service) -> None:
    reply = nobody(service).post("/status", {})
    assert reply.bad(405)
    assert reply.headers["Allow"] == "GET, HEAD"


def test_head_is_answered_without_a_body(service: Service) -> None:
    reply = nobody(service).call("HEAD", "/status")
    assert (reply.status, reply.answer.body) == (200, b"")


def test_a_correlation_id_comes_back_only_when_it_is_harmless(service: Service) -> None:
    client = nobody(service)
    client.headers = {"X-Correlation-ID": "a1-b2"}
    assert client.get("/status").headers["X-Correlation-ID"] == "a1-b2"
    client.headers = {"X-Correlation-ID": "a b <c>"}
    assert "X-Correlation-ID" not in client.get("/status").headers


def route(method: str, path: str, who: Who = Who.ANYONE) -> Route:
    return Route(method=method, path=path, who=who, deed=lambda call: None)


def test_a_word_goes_before_a_parameter() -> None:
    table = Table(
        [route("GET", "/consumers/{consumer_uuid}"), route("GET", "/consumers/compliance"), route("GET", "/")]
    )
    assert table.find("/consumers/compliance").routes["GET"].path == "/consumers/compliance"
    found = table.find("/consumers/a%2Fb/")
    assert (found.routes["GET"].path, found.parameters) == ("/consumers/{consumer_uuid}", {"consumer_uuid": "a/b"})
    assert table.find("/").routes["GET"].path == "/"
    for path in ("/consumers/", "/consumers//", "/x", "/consumers/a/b", "consumers/a"):
        assert not table.find(path).routes or path == "/consumers/"


def test_a_route_for_hosts_says_which_host() -> None:
    with pytest.raises(ValueError, match="which one"):
        route("GET", "/consumers", Who.HOST)
    with pytest.raises(ValueError, match="twice"):
        Table([route("GET", "/a/{b}"), route("GET", "/a/{c}")])


def test_a_function_tells_its_description_and_answer() -> None:
    routes = Routes("things")

    @routes.add("PUT", "/things", who=Who.USER)
    def put_things(call: Call[None, NoQuery]) -> None:
        """Put things.

        More of it.
        """

    (made,) = routes.all
    assert (made.status, made.name, made.description) == (204, "put_things", "Put things. More of it.")
