"""A PostgreSQL that hangs: stopped as a whole, so that connections stay open and nobody answers."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


@contextmanager
def stopped(url: str) -> Iterator[None]:
    """Stop the server of a URL and everything that it started, for the with-block."""
    (root,) = parse_qs(urlsplit(url).query)["host"]
    server = int((Path(root) / "data/postmaster.pid").read_text().split("\n", 1)[0])
    processes = [server]
    _send(processes, signal.SIGSTOP)  # it first, so that it starts no other
    try:
        processes += _children(server)
        _send(processes, signal.SIGSTOP)
        yield
    finally:
        _send(processes, signal.SIGCONT)


def _children(parent: int) -> Iterator[int]:
    """Give what a process started; the kernel's own list of it leaves some out while they run (proc(5))."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            after_the_name = path.read_text().rpartition(")")[2].split()
            if int(after_the_name[1]) == parent:
                yield int(path.parent.name)


def _send(processes: list[int], number: signal.Signals) -> None:
    for each in processes:
        with suppress(ProcessLookupError):
            os.kill(each, number)
