"""The server held to its own description: calls made from it, and calls that it forbids, to a real server over TLS."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from makers.towns import Town, serve_town, working

from issbox.web.api.openapi import openapi_document
from issbox.web.api.routes import Route
from issbox.web.api.table import TABLE

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed: packaging/make-environment")
requests = pytest.importorskip("requests")
checks = pytest.importorskip("schemathesis.checks")
openapi = pytest.importorskip("schemathesis.specs.openapi.checks")

SCHEMA = schemathesis.openapi.from_dict(openapi_document(TABLE.routes))
OPERATIONS = [each.ok() for each in SCHEMA.get_all_operations()]
MODES = {mode.name.lower(): mode for mode in schemathesis.GenerationMode}
CHECKS = [
    checks.not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_schema_conformance,
    openapi.response_headers_conformance,
]
EXAMPLES = 5
"""Calls of each kind to each operation."""


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Town, Any, dict[str, str]]]:
    """Give a served box, a session of a super-admin, and parameters that name something there."""
    with serve_town(tmp_path_factory.mktemp("fuzz")) as town, working(town.ctx):
        host = town.user("alice").post("/consumers", {"name": "web1", "facts": {}}, owner="acme").good()
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {town.tokens['root-user']}"
        known = {
            "consumer_uuid": host["uuid"],
            "owner_key": "acme",
            "environment_ids": town.environment("dev").id,
            "environment_id": town.environment("prod").id,
            "activation_key_id": "acme:web",
            "product_id": "tools",
            "job_id": "1",
        }
        yield town, session, known


def _calls() -> list[Any]:
    """Give each operation with what its description allows and, where it forbids something, with that too."""
    nothing = {
        route.path for route in TABLE.routes if not route.parameters and route.body is None and _asks(route) == 0
    }
    return [
        pytest.param(operation, mode, id=f"{operation.label}-{mode}")
        for operation in OPERATIONS
        for mode in MODES
        if mode == "positive" or operation.path not in nothing
    ]


def _asks(route: Route) -> int:
    return len(msgspec.structs.fields(route.query))


@pytest.mark.parametrize(("operation", "mode"), _calls())
def test_answers_are_as_described(fuzzed: tuple[Town, Any, dict[str, str]], operation: Any, mode: str) -> None:
    town, session, known = fuzzed
    base = f"https://localhost:{town.service.running.ports[0]}/candlepin"
    root = str(town.service.directory / "root.pem")

    @given(case=operation.as_strategy(generation_mode=MODES[mode]))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def call(case: Any) -> None:
        if mode == "positive" and operation.method.upper() != "DELETE":
            case.path_parameters = {**(case.path_parameters or {}), **_named(case, known)}
        response = case.call(base_url=base, session=session, verify=root)
        case.validate_response(response, checks=CHECKS)
        assert response.headers["x-candlepin-request-uuid"]
        if response.status_code >= 400:
            assert response.json()["displayMessage"]

    call()


def _named(case: Any, known: dict[str, str]) -> dict[str, str]:
    return {name: known[name] for name in case.path_parameters or {} if name in known}
