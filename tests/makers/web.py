"""A real web server on loopback that keeps count of what it was asked."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class WebServer:
    """A running server."""

    url: str
    requests: list[str] = field(default_factory=list)
    """Method and path of every request, in the order of arrival."""


@contextmanager
def serve_directory(root: Path) -> Iterator[WebServer]:
    """Serve the files below a directory until the block ends."""

    class Handler(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections are kept, as real servers do
        disable_nagle_algorithm = True

        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(root))  # type: ignore[arg-type] # what socketserver hands over

        def send_head(self) -> object:  # type: ignore[override] # a file or None, handed through
            found.requests.append(f"{self.command} {self.path}")
            return super().send_head()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name is the base class's
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        found = WebServer(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
