"""What /metrics tells, in the text format of Prometheus."""

from collections import Counter
from collections.abc import Iterator, Mapping

from issbox.workflows.box_status import Status


class Counters:
    """Counts of this server since its start."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self._requests: Counter[tuple[str, int]] = Counter()
        self._sent = 0
        self._dropped: Counter[str] = Counter()

    def count(self, method: str, status: int, sent: int) -> None:
        """Count a request that was answered."""
        self._requests[method if method in ("GET", "HEAD") else "other", status] += 1
        self._sent += sent

    def drop(self, reason: str) -> None:
        """Count a connection that was ended."""
        self._dropped[reason] += 1

    def text(self, status: Status, connections: int) -> str:
        """Write everything, with how the box is doing."""
        lines: list[str] = []
        for name, kind, meaning, values in self._families(status, connections):
            lines += [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
            lines += [f"{name}{labels} {value}" for labels, value in values.items()]
        return "\n".join(lines)

    def _families(self, status: Status, connections: int) -> Iterator[tuple[str, str, str, Mapping[str, int]]]:
        requests = {f'{{method="{m}",code="{code}"}}': n for (m, code), n in sorted(self._requests.items())}
        yield "issbox_http_requests_total", "counter", "Requests answered.", requests
        yield "issbox_http_sent_bytes_total", "counter", "Bytes of content sent.", {"": self._sent}
        dropped = {f'{{reason="{reason}"}}': n for reason, n in sorted(self._dropped.items())}
        yield "issbox_http_dropped_connections_total", "counter", "Connections ended by the server.", dropped
        yield "issbox_http_connections", "gauge", "Connections open.", {"": connections}
        states = {f'{{state="{state}"}}': n for state, n in sorted(status.imports.items())}
        yield "issbox_bundles", "gauge", "Bundles by state.", states
        yield "issbox_repositories", "gauge", "Repositories.", {"": status.repositories}
        yield "issbox_store_free_bytes", "gauge", "Bytes free for the store.", {"": status.free}
        yield "issbox_store_size_bytes", "gauge", "Bytes of the store's file system.", {"": status.total}
