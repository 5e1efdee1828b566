"""What /metrics tells, in the text format of Prometheus: the counts of all processes that serve, whichever is asked."""

import mmap
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from issbox.rules.health import Trouble
from issbox.workflows.appliance.measuring import Measures

_METHODS: Final = ("GET", "HEAD", "other")
_REASONS: Final = ("cut", "left", "no-handshake", "slow", "too-many", "unread", "waiting")
"""Why connections are ended."""
_STATUSES: Final = 600
_CONNECTIONS, _SENT, _DROPPED = range(3)
_REQUESTS: Final = _DROPPED + len(_REASONS)
_ROW: Final = _REQUESTS + len(_METHODS) * _STATUSES
_CELL: Final = 8
"""Bytes of one number."""


def share_memory(rows: int) -> int:
    """Make memory for the counts of so many processes, and give its file descriptor."""
    descriptor = os.memfd_create("issbox-web-counts", os.MFD_CLOEXEC)
    os.ftruncate(descriptor, rows * _ROW * _CELL)
    return descriptor


class Counters:
    """Counts since the start of the first process: a row of numbers for each, in memory that all of them share.

    Each counts in its own row, in its event loop, and adds up all rows when it is asked.
    """

    def __init__(self, descriptor: int | None = None, row: int = 0) -> None:
        """Count in this row of what `share_memory` made; without it, alone."""
        memory = mmap.mmap(-1, _ROW * _CELL) if descriptor is None else mmap.mmap(descriptor, 0)
        self._all = memoryview(memory).cast("Q")
        self._own = self._row(row)

    def _row(self, number: int) -> memoryview:
        return self._all[number * _ROW : (number + 1) * _ROW]

    def forget_connections(self, number: int) -> None:
        """Say that the process of this row, which has ended, has no connections any more."""
        self._row(number)[_CONNECTIONS] = 0

    def connect(self, change: int) -> None:
        """Count a connection, or with -1 that one has ended."""
        self._own[_CONNECTIONS] += change

    def count(self, method: str, status: int, sent: int) -> None:
        """Count a request that was answered."""
        known = _METHODS.index(method) if method in _METHODS else len(_METHODS) - 1
        self._own[_REQUESTS + known * _STATUSES + status] += 1
        self._own[_SENT] += sent

    def drop(self, reason: str) -> None:
        """Count a connection that was ended."""
        self._own[_DROPPED + _REASONS.index(reason)] += 1

    def connections(self) -> int:
        """Give how many connections are open."""
        return self._sum(_CONNECTIONS)

    def text(self, found: Measures) -> str:
        """Write everything, with how the box is doing."""
        lines: list[str] = []
        for name, kind, meaning, values in self._families(found):
            lines += [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
            lines += [f"{name}{labels} {value}" for labels, value in values.items()]
        return "\n".join(lines)

    def _sum(self, cell: int) -> int:
        return sum(self._all[cell::_ROW])

    def _families(self, found: Measures) -> Iterator[tuple[str, str, str, Mapping[str, int]]]:
        status = found.status
        requests = {
            f'{{method="{method}",code="{code}"}}': self._sum(_REQUESTS + number * _STATUSES + code)
            for number, method in enumerate(_METHODS)
            for code in range(_STATUSES)
        }
        requests = {labels: value for labels, value in requests.items() if value}
        yield "issbox_http_requests_total", "counter", "Requests answered.", requests
        yield "issbox_http_sent_bytes_total", "counter", "Bytes of content sent.", {"": self._sum(_SENT)}
        dropped = {f'{{reason="{each}"}}': self._sum(_DROPPED + number) for number, each in enumerate(_REASONS)}
        yield "issbox_http_dropped_connections_total", "counter", "Connections ended by the server.", dropped
        yield "issbox_http_connections", "gauge", "Connections open.", {"": self.connections()}
        states = {f'{{state="{state}"}}': n for state, n in sorted(status.imports.items())}
        yield "issbox_bundles", "gauge", "Bundles by state.", states
        jobs = {f'{{state="{state}"}}': n for state, n in found.jobs.items()}
        yield "issbox_jobs", "gauge", "Jobs by state.", jobs
        ends = {f'{{organization="{owner}",ends="{words}"}}': n for (owner, words), n in found.certificates.items()}
        yield "issbox_host_certificates", "gauge", "Certificates of hosts by the time that is left.", ends
        kinds = Counter(each.trouble for each in status.problems)
        troubles = {f'{{kind="{(each.name or "").lower()}"}}': kinds[each] for each in Trouble}
        yield "issbox_problems", "gauge", "What needs a person, by kind.", troubles
        yield "issbox_repositories", "gauge", "Repositories.", {"": status.repositories}
        yield "issbox_store_free_bytes", "gauge", "Bytes free for the store.", {"": status.free}
        yield "issbox_store_size_bytes", "gauge", "Bytes of the store's file system.", {"": status.total}
