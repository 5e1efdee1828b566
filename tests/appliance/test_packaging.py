"""What is shipped beside the code: units, manual pages, completion, the RPM spec, and the Debian package."""

import configparser
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from issbox.cli import manual
from issbox.cli.index import COMMANDS
from issbox.watcher.narration import Systemd

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "packaging/systemd").glob("*.service"))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with the units as the packages install them."""
    root = tmp_path_factory.mktemp("root")
    subprocess.run(["sh", ROOT / "packaging/install-units", root / "usr/lib/systemd/system"], check=True)
    return root


def unit(path: Path) -> configparser.RawConfigParser:
    """Read a unit with what systemd adds to it; of settings with several values only the last one is kept."""
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's keys have capitals
    stem, dash, _ = path.name.partition("-")
    added = path.parent / (f"{stem}-.service.d" if dash else f"{path.name}.d")
    parser.read([path, *sorted(added.glob("*.conf") if path.suffix == ".service" else ())])
    return parser


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("name", [path.name for path in UNITS])
def test_units_are_hardened(root: Path, name: str) -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", f"--root={root}", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    if "Unknown" in done.stderr or "unrecognized option" in done.stderr:
        pytest.skip("this systemd cannot rate units offline")
    found = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    assert float(found[1]) < 3.0


def test_the_service_may_give_its_socket_to_the_group_of_nginx(root: Path) -> None:
    text = (root / "usr/lib/systemd/system/issbox.service.d/10-common.conf").read_text()
    filters = [line for line in text.splitlines() if line.startswith("SystemCallFilter=")]
    assert filters.index("SystemCallFilter=@chown") > filters.index("SystemCallFilter=~@privileged @resources")


def test_units_call_commands_that_exist() -> None:
    from issbox.cli.remote import check_remote
    from issbox.errors import RemoteRefusedError

    assert {path.stem for path in UNITS} == {"issbox"} | {f"issbox-{each}" for each in TIMED}
    for path in UNITS:
        for line in path.read_text().splitlines():
            if line.startswith("ExecStart="):
                program, noun, *words = line.removeprefix("ExecStart=").replace("%%", "%").split()
                assert program == "/usr/bin/issbox"
                assert noun in COMMANDS
                if noun not in {"serve", "backup", "notify"}:
                    check_remote([noun, *words])  # parses it with the command's own parser
                else:
                    with pytest.raises(RemoteRefusedError):
                        check_remote([noun, *words])


TIMED = ("rescan", "prune", "check", "backup", "scrub", "audit-sign")


@pytest.mark.parametrize("name", TIMED)
def test_every_timed_unit_has_its_timer(root: Path, name: str) -> None:
    units = root / "usr/lib/systemd/system"
    timer = unit(units / f"issbox-{name}.timer")
    calendar = timer["Timer"]["OnCalendar"]
    assert timer["Install"]["WantedBy"] == "timers.target"
    service = unit(units / f"issbox-{name}.service")["Service"]
    assert (service["Type"], service["User"], service["ProtectSystem"]) == ("oneshot", "issbox", "strict")
    if shutil.which("systemd-analyze"):
        subprocess.run(["systemd-analyze", "calendar", calendar], check=True, capture_output=True)


def test_the_service_keeps_the_watchdog_quiet(root: Path, tmp_path: Path) -> None:
    service = unit(root / "usr/lib/systemd/system/issbox.service")["Service"]
    assert (service["User"], service["ProtectSystem"]) == ("issbox", "strict")
    assert (service["Type"], service["WatchdogSec"]) == ("notify", "2min")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5)
        environ = {
            "NOTIFY_SOCKET": str(tmp_path / "notify"),
            "WATCHDOG_USEC": "8000000",
            "WATCHDOG_PID": str(os.getpid()),
        }
        systemd = Systemd(environ)
        assert systemd.watchdog == 8.0
        for now in (10.0, 11.0, 11.9, 12.0, 20.0):
            systemd.alive(now)
        assert [listener.recv(100) for _ in range(3)] == [b"WATCHDOG=1"] * 3
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.recv(100)
    assert Systemd({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "8000000", "WATCHDOG_PID": "1"}).watchdog is None
    assert Systemd({}).watchdog is None


def test_there_is_a_manual_page_for_every_command_that_roff_understands(tmp_path: Path) -> None:
    manual.main(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"issbox.1"} | {f"issbox-{noun}.1" for noun in COMMANDS}
    assert r".SS issbox content\-import run" in (tmp_path / "issbox-content-import.1").read_text()
    if shutil.which("man") is None:
        return
    for path in tmp_path.iterdir():
        command = ["man", "--warnings", "-E", "UTF-8", "-l", str(path)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, env={**os.environ, "MANWIDTH": "100"}
        )
        assert [
            line for line in done.stderr.splitlines() if "can't break line" not in line and "adjust" not in line
        ] == []
        assert "NAME" in done.stdout


def test_completion_knows_the_commands(tmp_path: Path) -> None:
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    environ = {**os.environ, "_ISSBOX_COMPLETE": "bash_complete", "COMP_WORDS": "issbox con", "COMP_CWORD": "1"}
    done = subprocess.run([sys.executable, "-m", "issbox"], capture_output=True, text=True, check=False, env=environ)
    assert "plain,content-import" in done.stdout.splitlines()


def test_scripts_of_the_packages_are_shell() -> None:
    names = [
        "issbox-demo",
        "install-units",
        "issbox-launcher",
        "build-tree",
        "debian/build-package",
        "debian/postinst",
        "debian/prerm",
        "debian/postrm",
    ]
    for name in names:
        subprocess.run(["sh", "-n", str(ROOT / "packaging" / name)], check=True)


def test_the_spec_makes_a_source_package(tmp_path: Path) -> None:
    if shutil.which("rpmbuild") is None:
        pytest.skip("rpmbuild is not installed")
    version = "9.9"
    (tmp_path / f"issbox-{version}.tar.gz").write_bytes(b"")
    defines = {"_topdir": tmp_path, "_sourcedir": tmp_path, "_srcrpmdir": tmp_path, "issbox_version": version}
    words = [word for name, value in defines.items() for word in ("--define", f"{name} {value}")]
    spec = ROOT / "packaging/rpm/issbox.spec"
    done = subprocess.run(["rpmbuild", "-bs", "--nodeps", *words, spec], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.glob("*.src.rpm")] == [f"issbox-{version}-1.src.rpm"]
