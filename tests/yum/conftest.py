"""What the tests of mirroring share: real packages, servers, a sink, and a request with short pauses."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from makers.recorder import Recorder
from makers.repodata import DirectorySink
from makers.upstream import Upstream, serve

from issbox.yum.mirror import MirrorRequest, MirrorResult, mirror

PACKAGES = sorted((Path(__file__).parents[2] / "demo/packages").glob("*.rpm"))


@pytest.fixture
def packages() -> list[Path]:
    """Real packages."""
    assert PACKAGES
    return PACKAGES


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[Upstream]:
    """A web server of an empty directory."""
    root = tmp_path / "upstream"
    root.mkdir()
    with serve(root) as running:
        yield running


@pytest.fixture
def sink(tmp_path: Path) -> DirectorySink:
    return DirectorySink(tmp_path / "sink")


@pytest.fixture
def progress() -> Recorder:
    return Recorder()


@pytest.fixture
def fetch(upstream: Upstream, sink: DirectorySink, progress: Recorder) -> Callable[..., MirrorResult]:
    """Mirror the server into the sink; keywords change the request."""

    def run(**changes: Any) -> MirrorResult:
        settings: dict[str, Any] = {"url": upstream.url, "retry_delay_seconds": 0.01, "timeout_seconds": 5.0}
        return mirror(MirrorRequest(**(settings | changes)), sink, progress)

    return run
