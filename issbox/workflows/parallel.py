"""Running many small jobs in a few threads without holding all of them in memory."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Final

WORKERS: Final = min(4, (os.cpu_count() or 1) + 1)
"""Hashing and copying release Python's lock; more threads than this only cost memory."""

_AHEAD: Final = 16
"""Jobs waiting for each worker."""


def run_all(jobs: Iterable[Callable[[], None]]) -> None:
    """Run every job in a few threads and raise the first failure, after those running have ended.

    Jobs are taken from the iterable as they are needed, in the calling thread, so it may read from the database.
    """
    with ThreadPoolExecutor(WORKERS) as pool:
        running: set[Future[None]] = set()
        try:
            for job in jobs:
                running.add(pool.submit(job))
                if len(running) >= _AHEAD * WORKERS:
                    running = _reap(running)
            while running:
                running = _reap(running)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _reap(running: set[Future[None]]) -> set[Future[None]]:
    done, left = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        future.result()
    return left
