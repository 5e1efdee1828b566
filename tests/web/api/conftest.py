"""A served box with users of every role, which the test may change."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from makers.towns import Town, serve_town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with serve_town(tmp_path) as town:
        yield town
