"""One served box for all tests that only read, and one for each test that changes something."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from makers.serving import Service, make_box, serve

from issbox.workflows.context import Context


@pytest.fixture(scope="session")
def served_box(tmp_path_factory: pytest.TempPathFactory) -> Context:
    return make_box(tmp_path_factory.mktemp("serving") / "near")


@pytest.fixture
def service(served_box: Context, tmp_path: Path) -> Iterator[Service]:
    """A server of the common box, which the test must leave as it was."""
    with serve(served_box, tmp_path) as service:
        yield service


@pytest.fixture
def own_box(tmp_path: Path) -> Context:
    """A box that the test may change."""
    return make_box(tmp_path / "own")
