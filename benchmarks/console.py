"""How quick and how large the console is, beside `python -c "import textual"`. Run by `make bench`.

First paint is measured in a pseudo-terminal of its own from the start of the process; a key to its paint and the
memory, on a table of 100,000 packages of a real store. The limit is what importing textual alone costs on this machine.
"""

import argparse
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from fcntl import ioctl
from pathlib import Path
from statistics import median
from termios import TIOCSWINSZ

from makers.boxes import KEY, make_gap
from makers.stores import NOW, metadata, package, sha256

from issbox.model import VersionOrigin

PACKAGES = 100_000
FIRST_PAINT = 1.0
"""Seconds; the aim over ssh, of which ssh itself takes about half."""
KEY_TO_PAINT = 0.1
MEMORY = 150
"""MiB."""
_QUIET = 0.15
_PATIENCE = 60.0
_KEYS = (b"\x1b[B", b"\x1b[6~", b"\x1b[F", b"\x1b[H", b"\x1b[6~", b"\x1b[A") * 5


class Terminal:
    """A program in a pseudo-terminal of 80x24."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.started = time.perf_counter()
        self._master, slave = pty.openpty()
        ioctl(slave, TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)

    def until(self, words: bytes) -> float:
        """Give the time at which the words were written."""
        seen = b""
        while words not in seen:
            if not select.select([self._master], [], [], _PATIENCE)[0]:
                raise TimeoutError(f"{words!r} never came:\n{seen!r}")
            seen += os.read(self._master, 65_536)
        return time.perf_counter()

    def settle(self) -> float:
        """Wait until nothing more is written, and give when the last of it was."""
        last = time.perf_counter()
        while select.select([self._master], [], [], _QUIET)[0]:
            os.read(self._master, 65_536)
            last = time.perf_counter()
        return last

    def press(self, key: bytes) -> float:
        """Press a key and give the seconds until its paint began."""
        began = time.perf_counter()
        os.write(self._master, key)
        select.select([self._master], [], [], 5)
        took = time.perf_counter() - began
        self.settle()
        return took

    def memory(self) -> int:
        """Give the most memory that the process had, in MiB."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) >> 10 for line in lines if line.startswith("VmHWM"))

    def close(self) -> None:
        """End the program."""
        self.process.terminate()
        self.process.wait(30)
        os.close(self._master)


def fill(root: Path, packages: int) -> Mapping[str, str]:
    """Make a box with a repository of so many packages, and give the environment of its processes."""
    gap = make_gap(root)
    ctx = gap.outside.context()
    with ctx.store.session(), ctx.store.versions.draft(KEY) as draft:
        draft.add([metadata("repomd"), *(package(number) for number in range(packages))])
        origin = VersionOrigin.IMPORT
        ctx.store.versions.commit(
            [draft], created_at=NOW, origin=origin, source="bench", repomd={KEY: sha256("repomd")}
        )
    return gap.outside.environment()


def bare_import() -> tuple[float, int]:
    """Give seconds and MiB of a process that only imports textual."""
    script = "import textual.app, textual.widgets; print(open('/proc/self/status').read())"
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    took = time.perf_counter() - began
    kilobytes = next(int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("VmHWM"))
    return took, kilobytes >> 10


def main() -> int:
    """Measure and say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packages", type=int, default=PACKAGES)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        environment = {**fill(Path(root), chosen.packages), "TERM": "xterm", "LANG": "C.UTF-8"}
        command = [sys.executable, "-m", "issbox", "tui"]
        bare, paints = [], []
        for _ in range(chosen.rounds):
            bare.append(bare_import())
            terminal = Terminal(command, environment)
            paints.append(terminal.until(b"Overview of") - terminal.started)
            terminal.close()
        terminal = Terminal(command, environment)
        terminal.until(b"Overview of")
        for key in (b"5", b"\r", b"\r", b"\r"):
            terminal.settle()
            terminal.press(key)
        terminal.settle()
        keys = [terminal.press(key) for key in _KEYS]
        memory = terminal.memory()
        terminal.close()
    first, imported = median(paints), median(seconds for seconds, _ in bare)
    print(f"first paint: {first:.2f} s (best {min(paints):.2f}), importing textual alone: {imported:.2f} s")
    paint = f"median {median(keys) * 1e3:.0f} ms, most {max(keys) * 1e3:.0f} ms"
    print(f"key to paint over {chosen.packages} packages: {paint}")
    print(f"memory: {memory} MiB, importing textual alone: {bare[0][1]} MiB")
    good = first < FIRST_PAINT and median(keys) < KEY_TO_PAINT and memory < MEMORY
    print(f"aims of {FIRST_PAINT:.0f} s, {KEY_TO_PAINT * 1e3:.0f} ms, {MEMORY} MiB: {'met' if good else 'NOT met'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
