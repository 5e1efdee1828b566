"""Served boxes with users of every role: one that tests may change, and one for all that only read or are refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from makers.towns import Town, serve_town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with serve_town(tmp_path) as town:
        yield town


@pytest.fixture(scope="session")
def steady_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with serve_town(tmp_path_factory.mktemp("steady")) as town:
        yield town
