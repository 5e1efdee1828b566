"""What a command costs: time, memory and bytes, as the kernel counts them for its process."""

import mmap
import os
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import median


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one process and the children it waited for."""

    wall: float
    cpu: float
    peak: int
    """Highest resident memory (VmHWM): the ru_maxrss of a child starts with its parent's and is no use."""
    read: int
    """Bytes asked of the kernel by read calls, cached or not."""
    written: int
    """Bytes handed to the kernel by write calls."""
    stored: int
    """Bytes that had to go to a disk."""


def measure(command: Sequence[str | Path], environment: Mapping[str, str] | None = None, *, warm: int = 0) -> Cost:
    """Run a command to its end and give its cost; RuntimeError with what it said when it fails.

    As much memory as `warm` says is touched before: on a virtual machine the first touch of memory that the host has
    taken back costs more than copying into it, and it would be chance who pays for that. Python may keep its byte
    code, as it does for an installed program: under PYTHONDONTWRITEBYTECODE every start compiles all of issbox again.
    """
    os.sync()  # nobody pays for what was written before
    _warm(warm)
    started = time.perf_counter()
    kept = {**(os.environ if environment is None else environment)}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    process = subprocess.Popen(
        [str(word) for word in command],
        env=kept,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    peak = _PeakMemory(process.pid)
    peak.start()
    assert process.stdout is not None
    said = process.stdout.read()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and its counters are still there
    wall = time.perf_counter() - started
    peak.stop()
    counters = _counters(Path(f"/proc/{process.pid}/io").read_text())
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command} ended with {process.returncode}:\n{said.decode(errors='replace')}")
    return Cost(
        wall,
        usage.ru_utime + usage.ru_stime,
        peak.value,
        counters["rchar"],
        counters["wchar"],
        counters["write_bytes"],
    )


def memory_to_touch(carried: int) -> int:
    """Give what a copy of so many bytes may fill, or half of the memory that is free when that is less."""
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(2 * carried, free // 2)


def _warm(size: int) -> None:
    if size:
        mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE).close()


class _PeakMemory(threading.Thread):
    """Looks at the high-water mark of a process until it has ended, when the mark is gone."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._status = Path(f"/proc/{pid}/status")
        self._ended = threading.Event()
        self.value = 0

    def run(self) -> None:
        while not self._ended.wait(0.02):
            try:
                marks = [line for line in self._status.read_text().splitlines() if line.startswith("VmHWM:")]
            except OSError:
                return
            if marks:
                self.value = max(self.value, int(marks[0].split()[1]) * 1024)

    def stop(self) -> None:
        """End looking."""
        self._ended.set()
        self.join()


def _counters(text: str) -> dict[str, int]:
    pairs = (line.split(": ") for line in text.splitlines())
    return {name: int(value) for name, value in pairs}


def middle(costs: Iterable[Cost]) -> Cost:
    """Give the median of every number."""
    every = list(costs)
    numbers = {field.name: median(getattr(cost, field.name) for cost in every) for field in fields(Cost)}
    whole = {name: int(value) for name, value in numbers.items() if name not in {"wall", "cpu"}}
    return Cost(wall=numbers["wall"], cpu=numbers["cpu"], **whole)
