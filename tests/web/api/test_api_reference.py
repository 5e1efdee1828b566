"""The committed description of the API is that of the routes."""

import json
from pathlib import Path

from issbox.web.api.reference import main
from issbox.web.api.table import TABLE

DOCS = Path(__file__).parents[3] / "docs"


def test_the_committed_pages_of_the_api_are_up_to_date() -> None:
    assert main(DOCS, check=True) == [], "run: python -m issbox.web.api.reference docs"


def test_pages_are_written_and_compared(tmp_path: Path) -> None:
    pages = main(tmp_path, check=True)
    assert main(tmp_path, check=False) == []
    assert main(tmp_path, check=True) == []
    pages[0].write_text("something else")
    assert main(tmp_path, check=True) == [pages[0]]


def test_every_route_is_described_once() -> None:
    document = json.loads((DOCS / "openapi.json").read_text())
    described = {(method.upper(), path) for path, each in document["paths"].items() for method in each}
    assert described == {(route.method, route.path) for route in TABLE.routes}
    names = [one["operationId"] for each in document["paths"].values() for one in each.values()]
    assert len(names) == len(set(names))
    assert all(route.description.endswith(".") for route in TABLE.routes)
