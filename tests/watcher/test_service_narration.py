"""The service's log and what it tells systemd."""

import logging
import socket
import threading
from pathlib import Path

import pytest

from issbox.errors import InterruptedByUserError
from issbox.watcher.facts import fields
from issbox.watcher.narration import ServiceProgress, Systemd, configure_log


def test_fields_are_one_line_whatever_a_name_holds() -> None:
    text = fields(path="/inbox/a b\nERROR forged=1", plain="x", none=None, empty="")
    assert text == 'path="/inbox/a b\\nERROR forged=1" plain=x empty=""'


def test_systemd_is_told(tmp_path: Path) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        Systemd({"NOTIFY_SOCKET": str(address)}).tell("READY=1", "STATUS=here")
        assert manager.recv(100) == b"READY=1\nSTATUS=here"


def test_systemd_in_the_abstract_namespace_is_told(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0issbox-test-{tmp_path.name}")
        Systemd({"NOTIFY_SOCKET": f"@issbox-test-{tmp_path.name}"}).tell("READY=1")
        assert manager.recv(100) == b"READY=1"


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": "/nowhere/at/all"}])
def test_without_systemd_nothing_happens(environ: dict[str, str]) -> None:
    Systemd(environ).tell("READY=1")


def test_progress_stops_the_work_when_the_service_ends() -> None:
    stop = threading.Event()
    progress = ServiceProgress(stop)
    progress.step("stage-files")
    progress.advance(files=1, size=10)
    stop.set()
    with pytest.raises(InterruptedByUserError):
        progress.advance(files=1, size=10)


def test_progress_writes_a_line_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    at = 0.0
    progress = ServiceProgress(threading.Event(), clock=lambda: at)
    with caplog.at_level(logging.INFO):
        progress.step("stage-files", "/inbox/bundle")
        progress.expect(files=4, size=4 << 20)
        for second in (1, 5, 16, 17):
            at = float(second)
            progress.advance(files=1, size=1 << 20)
    assert [record.getMessage() for record in caplog.records] == [
        "step step=stage-files what=/inbox/bundle",
        'working step=stage-files files=3/4 size="3.0 MiB" of="4.0 MiB" rate="192.0 KiB/s" seconds_left=5',
    ]


@pytest.mark.parametrize(("level", "trace"), [("info", False), ("debug", True)])
def test_an_exception_is_one_line_unless_debugging(capsys: pytest.CaptureFixture[str], level: str, trace: bool) -> None:
    root = logging.getLogger()
    handlers, before = root.handlers[:], root.level
    try:
        configure_log(level)
        try:
            raise ValueError("what went wrong")
        except ValueError:
            logging.getLogger("issbox.test").exception("it failed")
    finally:
        root.handlers[:] = handlers
        root.setLevel(before)
    written = capsys.readouterr().err
    assert "ERROR it failed" in written
    assert "what went wrong" in written
    assert ("Traceback" in written) is trace
    assert trace or written.count("\n") == 1
