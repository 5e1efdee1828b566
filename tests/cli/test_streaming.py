"""Bundles on standard output: what a pipe gets, and what is left when its reader ends."""

import json
import subprocess
import tracemalloc
from pathlib import Path

import pytest
from makers.commands import ISSBOX
from makers.exports import check_directory, content_below, make_sender, plan, write

from issbox.errors import InvalidValueError
from issbox.model import BundleForm, ContentExport, ExportState
from issbox.workflows.context import Context
from issbox.workflows.exports import estimate, stream

LIBRARY = ["content-export", "complete", "library", "--output", "-"]


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return make_sender(tmp_path / "box", ballast=900_000)


def start(ctx: Context, *words: str, stdout: int | None = subprocess.PIPE) -> subprocess.Popen[bytes]:
    root = ctx.store.state_dir.parent
    environment = {
        "PATH": "/usr/bin:/bin",
        "ISSBOX_STATE_DIR": str(ctx.store.state_dir),
        "ISSBOX_CONFIG": str(root / "sender.toml"),
    }
    return subprocess.Popen(
        [ISSBOX, *words], env=environment, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE
    )


def exports(ctx: Context) -> list[ContentExport]:
    with ctx.store.session():
        return ctx.store.exports.list()


@pytest.mark.parametrize("form", ["tar", "tgz"])
def test_a_pipe_gets_a_bundle_that_stock_tar_unpacks(ctx: Context, tmp_path: Path, form: str) -> None:
    words = [] if form == "tar" else ["--format", "tgz"]
    process = start(ctx, *LIBRARY, *words, "--json")
    out, told = process.communicate()
    assert process.returncode == 0, told.decode()
    (tmp_path / "out").mkdir()
    unpack = ["tar", "-C", str(tmp_path / "out"), "-xzf" if form == "tgz" else "-xf", "-"]
    subprocess.run(unpack, input=out, check=True)
    said = json.loads(told.decode().splitlines()[-1])
    assert check_directory(ctx, tmp_path / "out").manifest.bundle.id == said["bundle_id"]
    (row,) = exports(ctx)
    assert (row.state, row.form, row.path, row.volumes) == (ExportState.STREAMED, BundleForm(form), "", (len(out),))
    assert (said["state"], said["volumes"], said["sequence"]) == ("streamed", [len(out)], 1)
    assert not ctx.settings.export.path.exists()
    assert list(ctx.store.heads.iterdir()) == []
    directory = write(ctx, tmp_path / "media")
    assert content_below(tmp_path / "out") == content_below(Path(directory.path))
    assert directory.sequence == 2


def test_without_json_people_read_the_same_on_standard_error(ctx: Context) -> None:
    process = start(ctx, *LIBRARY)
    out, told = process.communicate()
    assert out.startswith(b"issbox-bundle.json\0")
    assert "state:" in told.decode()
    assert "streamed" in told.decode()


def test_a_reader_that_ends_early_ends_the_export_with_a_code(ctx: Context) -> None:
    process = start(ctx, *LIBRARY, "--json")
    assert process.stdout is not None
    assert process.stderr is not None
    assert len(process.stdout.read(1000)) == 1000
    process.stdout.close()
    told = process.stderr.read().decode()
    assert process.wait() == 1
    error = json.loads(told.splitlines()[-1])["error"]
    assert (error["code"], error["exit_code"]) == ("stream-broken", 1)
    assert exports(ctx) == []
    assert "Traceback" not in told


def test_a_full_disk_behind_standard_output_is_said(ctx: Context) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        process = start(ctx, *LIBRARY, "--json", stdout=full.fileno())
    _, told = process.communicate()
    assert process.returncode == 8
    assert json.loads(told.decode().splitlines()[-1])["error"]["message"].startswith("standard output: No space left")
    assert exports(ctx) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--format", "iso"], "--format iso cannot be written to a pipe"),
        (["--format", "dir"], "--format dir cannot be written to a pipe"),
        (["--volume-size", "dvd"], "a pipe has no volumes"),
        (["--organization", "acme", "--organization", "acme"], "one organization"),
    ],
)
def test_what_cannot_go_down_a_pipe_is_refused(ctx: Context, words: list[str], said: str) -> None:
    process = start(ctx, *LIBRARY, *words, "--json")
    out, told = process.communicate()
    assert (process.returncode, out) == (2, b"")
    assert said in json.loads(told.decode().splitlines()[-1])["error"]["message"]
    assert exports(ctx) == []


def test_the_workflow_refuses_them_too(ctx: Context) -> None:
    for request in ({"form": BundleForm.ISO}, {"form": BundleForm.TAR, "volume_size": 1 << 20}):
        with pytest.raises(InvalidValueError):
            stream(ctx, plan(ctx, **request), Watching(ctx))
    assert exports(ctx) == []


class Watching:
    """A reader that looks at what lies on the disk meanwhile."""

    def __init__(self, ctx: Context) -> None:
        self.size = 0
        self.most_on_disk = 0
        self._places = [ctx.store.state_dir / "tmp", ctx.store.heads, ctx.settings.export.path]

    def write(self, data: memoryview, /) -> None:
        self.size += len(data)
        files = [path for place in self._places for path in place.rglob("*") if path.is_file()]
        self.most_on_disk = max(self.most_on_disk, sum(path.stat().st_size for path in files))


def test_a_stream_takes_neither_memory_nor_disk_for_its_content(tmp_path: Path) -> None:
    ctx = make_sender(tmp_path / "box", ballast=20_000_000)
    planned = plan(ctx, form=BundleForm.TGZ)
    assert estimate(ctx, planned, streamed=True).needed < 17 << 20
    out = Watching(ctx)
    tracemalloc.start()
    try:
        done = stream(ctx, planned, out)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert done.volumes == (out.size,)
    assert out.size > 20_000_000
    assert out.most_on_disk < 100_000
    assert most < 8_000_000
