"""Running many small jobs in a few threads without holding all of them in memory."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Semaphore
from typing import Final

WORKERS: Final = max(2, min(4, os.cpu_count() or 1))
"""Hashing and copying release Python's lock; more threads than processors only wait for each other."""

CORES: Final = len(os.sched_getaffinity(0))
"""Processors for what neither reads nor writes files, such as signatures."""

_AHEAD: Final = 16
"""Jobs waiting for each worker."""


def run_all(jobs: Iterable[Callable[[], None]]) -> None:
    """Run every job in a few threads and raise the first failure, after those running have ended.

    Jobs are taken from the iterable as they are needed, in the calling thread, so it may read from the database.
    """
    room = Semaphore(_AHEAD * WORKERS)
    failures: list[BaseException] = []

    def run(job: Callable[[], None]) -> None:
        try:
            if not failures:
                job()
        except BaseException as error:
            failures.append(error)
        finally:
            room.release()

    with ThreadPoolExecutor(WORKERS) as pool:
        try:
            for job in jobs:
                if failures:
                    break
                room.acquire()
                pool.submit(run, job)
            for _ in range(_AHEAD * WORKERS):  # all room is there again once the last job has ended
                room.acquire()
        except BaseException as error:
            failures.append(error)  # what waits is not begun
            raise
    if failures:
        raise failures[0]
