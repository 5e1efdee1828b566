"""The log as entries of systemd's journal: at a socket of the test's own, and in a real journald."""

import json
import logging
import os
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issbox.watcher.facts import fields
from issbox.watcher.journal import JournalHandler, _field, journal_listens
from issbox.watcher.narration import configure_log

JOURNALD = Path("/lib/systemd/systemd-journald")


def read_entry(data: bytes) -> dict[str, str]:
    """Read an entry of the native protocol, as its description says."""
    found = {}
    while data:
        line, _, rest = data.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if equals:
            data = rest
        else:
            (length,) = struct.unpack("<Q", rest[:8])
            value, data = rest[8 : 8 + length], rest[8 + length + 1 :]
            assert rest[8 + length : 8 + length + 1] == b"\n"
        found[name.decode()] = value.decode()
    return found


class Lines(logging.Handler):
    """Keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append(record.getMessage())


class Journal:
    """A socket that stands for the journal's."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(10)

    def entry(self) -> dict[str, str]:
        data, descriptors, _, _ = socket.recv_fds(self._socket, 1 << 20, 1)
        if descriptors:
            assert data == b""
            with os.fdopen(descriptors[0], "rb") as file:
                file.seek(0)
                data = file.read()
                with pytest.raises(PermissionError):
                    os.write(file.fileno(), b"x")
        return read_entry(data)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "socket")
    yield journal
    journal.close()


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    log = logging.getLogger("issbox.test-of-the-journal")
    log.propagate = False
    log.setLevel(logging.DEBUG)
    yield log
    log.handlers.clear()


def test_facts_beside_a_line_of_another_form_are_fields_too(journal: Journal, log: logging.Logger) -> None:
    log.addHandler(JournalHandler(Lines(), str(journal.path)))
    log.warning("GET %s %d", "/x", 403, extra={"facts": {"path": "/x\ny", "status": "403"}})
    entry = journal.entry()
    assert (entry["MESSAGE"], entry["ISSBOX_PATH"], entry["ISSBOX_STATUS"]) == ("GET /x 403", "/x\ny", "403")
    log.warning("nonsense", extra={"facts": 7})
    assert "ISSBOX_STATUS" not in journal.entry()


def test_an_entry_has_the_words_and_each_fact_by_name(journal: Journal, log: logging.Logger) -> None:
    log.addHandler(JournalHandler(Lines(), str(journal.path)))
    log.warning("refused %s", fields(id=7, path="/inbox/a b\nforged=1", none=None, **{"naïve name": "ü"}))
    entry = journal.entry()
    assert entry["MESSAGE"].startswith('refused id=7 path="/inbox/a b\\nforged=1"')
    assert (entry["PRIORITY"], entry["SYSLOG_IDENTIFIER"]) == ("4", "issbox")
    assert (entry["ISSBOX_ID"], entry["ISSBOX_PATH"]) == ("7", "/inbox/a b\nforged=1")
    assert entry["ISSBOX_NA_VE_NAME"] == "ü"
    assert entry["ISSBOX_LOGGER"] == "issbox.test-of-the-journal"
    assert entry["CODE_FILE"].endswith("test_journal.py")
    assert "forged" not in entry


@pytest.mark.parametrize(
    ("level", "priority"), [("debug", "7"), ("info", "6"), ("warning", "4"), ("error", "3"), ("critical", "2")]
)
def test_levels_are_priorities(journal: Journal, log: logging.Logger, level: str, priority: str) -> None:
    log.addHandler(JournalHandler(Lines(), str(journal.path)))
    log.log(getattr(logging, level.upper()), "x")
    assert journal.entry()["PRIORITY"] == priority


def test_an_entry_of_any_length_arrives(journal: Journal, log: logging.Logger) -> None:
    log.addHandler(JournalHandler(Lines(), str(journal.path)))
    log.error("%s", "x" * 3_000_000)
    assert journal.entry()["MESSAGE"] == "x" * 3_000_000


def test_one_connection_is_kept_until_the_journal_is_another_one(tmp_path: Path, log: logging.Logger) -> None:
    lines, first = Lines(), Journal(tmp_path / "socket")
    handler = JournalHandler(lines, str(first.path))
    log.addHandler(handler)
    log.info("one")
    kept = handler._channel
    log.info("%s", "x" * 3_000_000)
    log.info("two")
    assert handler._channel is kept is not None
    assert [first.entry()["MESSAGE"][:3] for _ in range(3)] == ["one", "xxx", "two"]

    first.close()
    first.path.unlink()
    log.info("nobody is there")
    assert lines.kept == ["nobody is there"]
    second = Journal(tmp_path / "socket")
    log.info("three")
    assert second.entry()["MESSAGE"] == "three"
    second.close()
    second.path.unlink()
    third = Journal(tmp_path / "socket")
    log.info("four")
    assert third.entry()["MESSAGE"] == "four", "not lost with the connection to the one before"
    assert lines.kept == ["nobody is there"]
    handler.close()
    assert kept.fileno() == -1
    third.close()


def test_what_no_journal_takes_is_written_as_a_line(tmp_path: Path, log: logging.Logger) -> None:
    lines = Lines()
    log.addHandler(JournalHandler(lines, str(tmp_path / "nobody")))
    log.info("step %s", fields(step="copy"))
    assert lines.kept == ["step step=copy"]


@given(value=st.text(), name=st.sampled_from(["A", "ISSBOX_X"]))
def test_no_value_forges_a_field(value: str, name: str) -> None:
    written = _field(name, value) + _field("LAST", "1")
    expected = value.encode(errors="backslashreplace").decode()
    assert read_entry(written) == {name: expected, "LAST": "1"}


def test_only_a_stream_that_goes_to_the_journal_is_left_for_it(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream:
        status = os.fstat(stream.fileno())
        assert journal_listens({"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}, stream)
        assert not journal_listens({"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino + 1}"}, stream)
        assert not journal_listens({"JOURNAL_STREAM": "nonsense"}, stream)
        assert not journal_listens({}, stream)
    assert not journal_listens({"JOURNAL_STREAM": ""}, stream)


def test_the_log_goes_to_the_journal_only_when_standard_error_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    try:
        with (tmp_path / "log").open("w") as stream:
            status = os.fstat(stream.fileno())
            monkeypatch.setattr("sys.stderr", stream)
            configure_log("info", {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
            assert [type(each).__name__ for each in root.handlers] == ["JournalHandler"]
            configure_log("info", {})
            assert [type(each).__name__ for each in root.handlers] == ["StreamHandler"]
    finally:
        root.handlers[:], root.level = before
        logging.captureWarnings(capture=False)


@pytest.fixture
def journald() -> Iterator[str]:
    """The namespace of a journald of this test's own."""
    if os.geteuid() != 0 or not JOURNALD.exists() or shutil.which("journalctl") is None:
        pytest.skip("systemd-journald is not installed, or this is not root")
    name = f"issboxtest{os.getpid()}"
    process = subprocess.Popen([JOURNALD, name], stderr=subprocess.PIPE, env={"SYSTEMD_LOG_TARGET": "console"})
    until = time.monotonic() + 10
    while not Path(f"/run/systemd/journal.{name}/socket").exists():
        if process.poll() is not None or time.monotonic() > until:
            process.kill()
            pytest.skip(f"systemd-journald does not run here: {process.communicate()[1]!r}")
        time.sleep(0.05)
    yield name
    process.terminate()
    process.communicate(timeout=20)
    shutil.rmtree(f"/run/systemd/journal.{name}", ignore_errors=True)
    for place in ("/var/log/journal", "/run/log/journal"):
        for left in Path(place).glob(f"*.{name}"):
            shutil.rmtree(left)


def test_journalctl_finds_entries_by_our_fields(journald: str, log: logging.Logger) -> None:
    log.addHandler(JournalHandler(Lines(), f"/run/systemd/journal.{journald}/socket"))
    log.info("step %s", fields(step="copy-files"))
    log.warning("refused %s", fields(id=7, reason="two\nlines"))
    log.error("%s %s", fields(state="long"), "x" * 1_000_000)
    subprocess.run(["journalctl", f"--namespace={journald}", "--sync"], check=False, capture_output=True)

    def found(*match: str) -> list[dict[str, object]]:
        command = ["journalctl", f"--namespace={journald}", "-o", "json", "--all", "--no-pager", *match]
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        return [json.loads(line) for line in said.splitlines()]

    until = time.monotonic() + 20
    while not found("ISSBOX_STATE=long"):
        assert time.monotonic() < until
        time.sleep(0.2)
    (entry,) = found("ISSBOX_ID=7")
    assert (entry["ISSBOX_REASON"], entry["PRIORITY"]) == ("two\nlines", "4")
    assert [each["MESSAGE"] for each in found("ISSBOX_STEP=copy-files")] == ["step step=copy-files"]
    (entry,) = found("ISSBOX_STATE=long")
    assert len(str(entry["MESSAGE"])) > 1_000_000
