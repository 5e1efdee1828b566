"""Progress without a terminal: a line a step, and one every ten seconds."""

import io
import os
import pty
import subprocess
import sys
import threading

from issbox.cli.narration import Meter, Narrator, format_duration


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_lines() -> None:
    stream, clock = io.StringIO(), Clock()
    narrator = Narrator(stream, clock)
    narrator.step("copy-files", "to /media")
    narrator.expect(files=4, size=4 << 20)
    narrator.advance(files=1, size=1 << 20)
    clock.now += 9.9
    narrator.advance()
    assert stream.getvalue() == "Copy files: to /media\n"
    clock.now += 0.1
    narrator.advance(files=1, size=1 << 20)
    assert stream.getvalue().splitlines()[1:] == ["  50%, 2.0 MiB of 4.0 MiB, 2 of 4 files, 204.8 KiB/s, 0:10 left"]
    clock.now += 5
    narrator.advance()
    narrator.step("finish-bundle")
    narrator.note("weak checksum \x1b[2J")
    assert stream.getvalue().splitlines()[2:] == ["Finish bundle", r"note: weak checksum \x1b[2J"]


def test_a_meter_tells_what_is_known() -> None:
    meter = Meter(0)
    assert meter.line(65) == "1:05 so far"
    meter.files = 3
    assert meter.line(1) == "3 files"
    meter.size = 1024
    assert meter.line(1) == "1.0 KiB, 3 files, 1.0 KiB/s"
    meter.expected_size = 512
    assert meter.line(1).startswith("100%, 1.0 KiB of 512 B")


def test_durations() -> None:
    assert [format_duration(seconds) for seconds in (0, 59.6, 3600, 36061)] == ["0:00", "1:00", "1:00:00", "10:01:01"]


def test_counting_from_many_threads() -> None:
    narrator = Narrator(io.StringIO())

    def work() -> None:
        for _ in range(2000):
            narrator.advance(files=1, size=3)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (narrator._meter.files, narrator._meter.size) == (8000, 24000)


def test_a_closed_standard_error_does_not_stop_the_work() -> None:
    stream = io.StringIO()
    stream.close()
    Narrator(stream).step("copy-files")


PROGRAM = """
import time
from issbox.cli.narration import make_narrator
narrator = make_narrator()
narrator.step("copy-files", "[bold]to[/bold] \\x1b[2J")
narrator.expect(files=2, size=2 << 20)
narrator.advance(files=1, size=1 << 20)
time.sleep(0.4)
narrator.say("said")
narrator.close()
"""


def in_terminal(program: str, **environ: str) -> str:
    """Run a program whose standard error is a terminal and give what the terminal got."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", **environ}
    process = subprocess.Popen([sys.executable, "-c", program], stderr=theirs, env=environment)
    os.close(theirs)
    parts = []
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says EIO when the other end is closed
            break
        if not part:
            break
        parts.append(part)
    os.close(ours)
    assert process.wait() == 0
    return b"".join(parts).decode()


def test_a_terminal_gets_a_live_line() -> None:
    seen = in_terminal(PROGRAM)
    assert r"Copy files: [bold]to[/bold] \x1b[2J" in seen
    assert "50%, 1.0 MiB of 2.0 MiB, 1 of 2 files" in seen
    assert "said" in seen
    assert "\x1b[2J" not in seen
    assert seen.count("\x1b[?25h") >= seen.count("\x1b[?25l")  # the cursor is given back


def test_a_dumb_terminal_gets_plain_lines() -> None:
    assert in_terminal(PROGRAM, TERM="dumb") == "Copy files: [bold]to[/bold] \\x1b[2J\r\nsaid\r\n"
