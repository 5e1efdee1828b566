"""What the database says, kept as long as nothing changes: a request costs no query, and a change counts at once."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from issbox.errors import IssboxError
from issbox.model import ViewVersionName
from issbox.store.patience import patience
from issbox.workflows.appliance import serving
from issbox.workflows.appliance.serving import Overview, ServedTrees
from issbox.workflows.context import Context

T = TypeVar("T")

LOOK_EVERY: Final = 1.0
"""Seconds after which a request looks whether something changed."""
_LONGEST: Final = 60.0
"""Seconds after which everything is read again, whether something changed or not."""
_HELD_UP: Final = 2.0
"""Seconds that requests wait for a look at a database that does not answer."""
_PATIENCE: Final = 10.0
"""Seconds after which such a look is given up, and another one is made."""
_THREADS: Final = 4
"""Of its own: threads that wait for the database must not be those that read files."""
_MOST_KEPT: Final = 1024
"""Environments, content view versions and keys kept; each is read again when it is asked for."""
_LOG: Final = logging.getLogger("issbox.web")


class Current:
    """The present state of the box, for the event loop: reading happens in threads."""

    def __init__(self, ctx: Context, *, look_every: float = LOOK_EVERY) -> None:
        """Read nothing yet."""
        self._ctx = ctx
        self._look_every = look_every
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="current")
        self._looking: asyncio.Task[None] | None = None
        self._hangs = False
        self._looked = self._read = float("-inf")
        self._mark = -1
        self._overview: Overview | None = None
        self._kept: OrderedDict[object, asyncio.Task[object]] = OrderedDict()

    def close(self) -> None:
        """Let what is being read end."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def overview(self) -> Overview:
        """Give what there is and who may come in; raises DatabaseError and the like when it was never read.

        A database that hangs holds up nobody for longer than `_HELD_UP`: until it answers, what was known counts.
        """
        end = time.monotonic() + _HELD_UP
        while self._overview is None or time.monotonic() - self._looked >= self._look_every:
            own = self._looking is None
            if self._looking is None:
                self._looking = asyncio.create_task(self._look())
                self._looking.add_done_callback(self._look_ended)
            if self._overview is not None and self._hangs:
                break
            looking, known = self._looking, self._overview is not None
            await asyncio.wait({looking}, timeout=max(0.0, end - time.monotonic()) if known else None)
            if not looking.done():
                self._hangs = True
                _LOG.warning("the database does not answer; serving goes on with what was known")
            elif own:
                looking.result()
                break
        assert self._overview is not None
        return self._overview

    def _look_ended(self, looking: asyncio.Task[None]) -> None:
        self._looking = None
        if not looking.cancelled():
            looking.exception()  # whoever waited was told; asyncio complains of what nobody asks for

    async def _in_thread(self, read: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, _patiently, read)

    async def environment(self, organization: str, label: str) -> ServedTrees | None:
        """Give what an environment shows."""
        key = ("environment", organization, label)
        return await self._keep(key, lambda: serving.read_environment(self._ctx, organization, label))

    async def view_version(self, organization: str, name: ViewVersionName) -> ServedTrees | None:
        """Give what a content view version holds."""
        key = ("view", organization, name)
        return await self._keep(key, lambda: serving.read_view_version(self._ctx, organization, name))

    async def revoked_list(self) -> tuple[bytes, bytes] | None:
        """Give the list of revoked serial numbers in PEM and in DER; None when there is no authority."""
        await self.overview()  # to notice what changed
        return await self._keep("revoked", lambda: serving.read_revoked_list(self._ctx))

    async def gpg_key(self, organization: str, label: str) -> bytes | None:
        """Give a GPG key."""
        await self.overview()  # to notice what changed
        key = ("key", organization, label)
        return await self._keep(key, lambda: serving.read_gpg_key(self._ctx, organization, label))

    async def _look(self) -> None:
        try:
            mark = await self._in_thread(partial(serving.change_mark, self._ctx))
            now = time.monotonic()
            if self._overview is None or mark != self._mark or now - self._read >= _LONGEST:
                overview = await self._in_thread(partial(serving.read_overview, self._ctx))
                for problem in overview.problems:
                    _LOG.warning("hosts of an authority are not let in: %s", problem)
                self._overview, self._mark, self._read = overview, mark, now
                self._kept.clear()
            self._looked, self._hangs = now, False
        except IssboxError as error:
            if self._overview is None:
                raise
            self._looked = time.monotonic()
            _LOG.warning("what may have changed cannot be read; serving goes on with what was known: %s", error)

    async def _keep(self, key: object, read: Callable[[], T]) -> T:
        """Give what was read since the last change, or read it: once, however many ask meanwhile.

        A change lets go of readings that are under way, too, so that the next request reads what is there then.
        """
        task = self._kept.get(key)
        if task is None:
            while len(self._kept) >= _MOST_KEPT:
                self._kept.popitem(last=False)
            task = self._kept[key] = asyncio.create_task(self._in_thread(read))
            task.add_done_callback(partial(self._drop_failed, key))
        found: T = await asyncio.shield(task)  # type: ignore[arg-type]  # kept under the key of what reads it
        return found

    def _drop_failed(self, key: object, task: asyncio.Task[object]) -> None:
        """Let what could not be read be read again."""
        failed = task.cancelled() or task.exception() is not None
        if failed and self._kept.get(key) is task:
            del self._kept[key]


def _patiently(read: Callable[[], T]) -> T:
    with patience(_PATIENCE):
        return read()
