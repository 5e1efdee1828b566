"""`make demo`: what a newcomer sees works, with dnf and without it, and leaves nothing running."""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from makers.hosts import CANNOT_INSTALL, DNF_IS_MISSING

DEMO = Path(__file__).resolve().parents[2] / "demo/crossing.py"


@dataclass(frozen=True)
class Played:
    """A demonstration that ran to its end."""

    directory: Path
    code: int
    shown: str


def start(directory: Path, path: str = os.environ["PATH"]) -> "subprocess.Popen[str]":
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ISSBOX_")} | {"PATH": path}
    return subprocess.Popen(
        [sys.executable, DEMO, "--directory", directory],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Played]:
    """Both ways at the same time, since most of a demonstration is waiting."""
    root = tmp_path_factory.mktemp("demo")
    tools = root / "tools"
    tools.mkdir()
    for name in ("cp", "cat"):
        (tools / name).symlink_to(str(shutil.which(name)))
    running = {"with dnf": start(root / "with"), "without dnf": start(root / "without", str(tools))}
    try:
        shown = {name: process.communicate(timeout=150)[0] for name, process in running.items()}
    finally:
        for process in running.values():
            process.send_signal(signal.SIGINT)  # an ended one does not hear it
    return {name: Played(root / name.split()[0], process.returncode, shown[name]) for name, process in running.items()}


@pytest.mark.parametrize("name", ["with dnf", "without dnf"])
def test_it_works(played: dict[str, Played], name: str) -> None:
    demo = played[name]
    assert demo.code == 0, demo.shown
    repomd = "content/Demo/Library/custom/Tools/base/repodata/repomd.xml"
    original = (demo.directory / "upstream/repodata/repomd.xml").read_bytes()
    assert (demo.directory / "disconnected" / repomd).read_bytes() == original
    assert "bundle-damaged" in demo.shown
    (reason,) = (demo.directory / "disconnected/quarantine").glob("*.reason.txt")
    assert "gap-greeting" in reason.read_text()
    assert still_running(demo.directory) == []


@pytest.mark.skipif(DNF_IS_MISSING, reason="dnf is not installed")
def test_dnf_reads_what_came_over(played: dict[str, Played]) -> None:
    assert "gap-traveller-0.9-2" in played["with dnf"].shown


@pytest.mark.skipif(CANNOT_INSTALL, reason="installing needs dnf and root")
def test_dnf_installs_what_came_over(played: dict[str, Played]) -> None:
    assert "Greetings from the connected side" in played["with dnf"].shown
    assert (played["with dnf"].directory / "host/usr/bin/gap-traveller").is_file()


def test_without_dnf_it_says_so_and_checks_the_packages_itself(played: dict[str, Played]) -> None:
    shown = played["without dnf"].shown
    assert "dnf is not installed" in shown
    assert shown.count("as the metadata says") == 3


def test_ctrl_c_stops_everything(tmp_path: Path) -> None:
    process = start(tmp_path / "demo")
    assert process.stdout is not None
    for line in process.stdout:
        if "cp -r" in line:  # the service on the far side runs, and a bundle has been dropped
            break
    before = still_running(tmp_path)
    process.send_signal(signal.SIGINT)
    shown = process.communicate(timeout=60)[0]
    assert before != []
    assert process.returncode == 130, shown
    assert "Stopped" in shown
    assert still_running(tmp_path) == []


def still_running(directory: Path) -> list[int]:
    """Give the processes that keep their state below a directory."""
    wanted = f"ISSBOX_STATE_DIR={directory}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (process / "environ").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found
