"""The HTTPS server in a thread of its own, beside whatever else the service does."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import uvloop

from issbox.model import Actor
from issbox.web.crew import Post, take_post
from issbox.web.current import LOOK_EVERY
from issbox.web.listening import is_anything_served
from issbox.web.server import WebServer
from issbox.workflows.context import Context

__all__ = ["RunningServer", "serving", "take_post"]

_LOG: Final = logging.getLogger("issbox.web")


class RunningServer:
    """A server whose event loop runs in a thread."""

    def __init__(self, server: WebServer) -> None:
        """Take a server that is not started yet."""
        self._server = server
        self._ready = threading.Event()
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)

    def start(self) -> None:
        """Start and wait until it listens; raises what `WebServer.start` raises."""
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure

    def stop(self) -> None:
        """Let answers end, and wait until the thread has."""
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def ports(self) -> list[int]:
        """Where it listens, as `WebServer.ports`."""
        return self._server.ports

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            await self._server.start()
        except BaseException as error:  # raised again by the thread that waits
            self._failure = error
            await self._server.stop()
            return
        finally:
            self._ready.set()
        await self._stop.wait()
        await self._server.stop()
        _LOG.info("serving ended")


@contextmanager
def serving(
    ctx: Context, *, post: Post | None = None, look_every: float = LOOK_EVERY
) -> Iterator[RunningServer | None]:
    """Serve hosts for a with-block; gives None when neither an address nor a socket is configured.

    `post` is what `take_post` gives to a process that serves beside another one. Raises what `WebServer.start` raises.
    """
    if post is None and not is_anything_served(ctx.settings.web):
        yield None
        return
    server = WebServer(replace(ctx, actor=Actor("web", "serve")), post=post, look_every=look_every)
    running = RunningServer(server)
    running.start()
    try:
        yield running
    finally:
        running.stop()
