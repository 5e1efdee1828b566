"""A gap with a box on each side."""

from pathlib import Path

import pytest
from makers.boxes import Gap, make_gap


@pytest.fixture
def gap(tmp_path: Path) -> Gap:
    return make_gap(tmp_path)
