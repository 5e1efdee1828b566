"""kill -9 of the server in the middle of a call: what was asked for is done or not done, and can be asked for again."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import RemoteDisconnected
from pathlib import Path

import pytest
from makers.api import ApiClient
from makers.boxes import Side
from makers.serving import KEY, Client
from makers.towns import make_town

from issbox.job_running import work_through
from issbox.model import JobState
from issbox.workflows.certificates.authority import open_authority
from issbox.workflows.content import repositories
from issbox.workflows.context import Context
from issbox.workflows.environments import environments, promoting
from issbox.workflows.jobs import list_jobs
from issbox.workflows.people import tokens

SERVER = Path(__file__).with_name("api_server.py")


@contextmanager
def server(ctx: Context, root: Path, kill: str = "-") -> Iterator[tuple[ApiClient, "subprocess.Popen[str]"]]:
    """Serve in a process of its own, and give a client of it who may promote."""
    (root / "root.pem").write_text(open_authority(ctx).root_pem)
    secret = tokens.create_token(ctx, "alice", f"of-{kill}-{len(list_jobs(ctx))}").secret
    process = subprocess.Popen(
        [sys.executable, str(SERVER), kill],
        env=Side(ctx.store.state_dir).environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        yield ApiClient(Client(root, port), f"Bearer {secret}"), process
        assert process.stdin is not None
        process.stdin.close()


def held(ctx: Context) -> int:
    return len(environments.get_environment(ctx, "acme", "prod").content)


@pytest.mark.parametrize("step", promoting.STEPS)
def test_promote(tmp_path: Path, step: str) -> None:
    ctx = make_town(tmp_path)
    side = Side(ctx.store.state_dir)
    place = f"/environments/{environments.get_environment(ctx, 'acme', 'prod').environment.id}/content"
    body = [{"contentId": repositories.get_repository(ctx, KEY).content.id}]
    link = side.state / "content/acme/prod/custom/tools/base"
    with server(ctx, tmp_path, step) as (client, process):
        with pytest.raises((RemoteDisconnected, ConnectionError)):
            client.post(place, body)
        assert process.wait(20) == -9
    side.restart()
    side.check()
    done = step == "switch-links"
    assert (held(ctx), link.is_symlink()) == (int(done), done)
    (again,) = work_through(ctx)  # what the service does when it starts
    assert again.state is (JobState.FAILED if done else JobState.FINISHED)
    assert again.error_code == ("already-exists" if done else None)
    assert (held(ctx), link.is_symlink()) == (1, True)
    assert len(promoting.list_promotions(ctx, "acme", "prod")) == 1
    with server(ctx, tmp_path) as (client, _):
        assert client.post(place, body).bad(409)
        assert client.get(f"/jobs/{again.id}").good()["attempts"] == 2
    side.check()
