"""Fixtures of the tests of the console, which `tests/conftest.py` loads: boxes with something in every place."""

from pathlib import Path

import pytest

from makers.boxes import Gap
from makers.consoles import copy_gap, make_outside


@pytest.fixture(scope="session")
def filled_gap(tmp_path_factory: pytest.TempPathFactory) -> Gap:
    """A gap that nobody changes."""
    return make_outside(tmp_path_factory.mktemp("console"))


@pytest.fixture
def gap(filled_gap: Gap, tmp_path: Path) -> Gap:
    """A gap of the test's own."""
    return copy_gap(filled_gap, tmp_path)


@pytest.fixture
def _without_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs wait until the test does them."""
    monkeypatch.setattr("issbox.job_running.see_to_it", lambda *_: False)
