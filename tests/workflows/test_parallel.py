"""Many small jobs in a few threads."""

import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from issbox.workflows.parallel import WORKERS, run_all


def test_every_job_runs_once_and_all_have_ended_afterwards() -> None:
    done: list[int] = []
    run_all([partial(done.append, number) for number in range(1000)])
    assert sorted(done) == list(range(1000))


def test_jobs_are_taken_as_they_are_needed_and_in_the_calling_thread() -> None:
    gate, taken, threads = threading.Event(), 0, set()

    def jobs() -> Iterator[Callable[[], object]]:
        nonlocal taken
        for number in range(1000):
            taken += 1
            threads.add(threading.get_ident())
            if number == 10 * WORKERS:  # some are running and the others wait: nothing can have ended
                gate.set()
            yield gate.wait

    run_all(jobs())  # type: ignore[arg-type]  # what a job gives back is not looked at
    assert taken == 1000
    assert threads == {threading.get_ident()}


def test_the_first_failure_is_raised_and_what_has_not_begun_is_left() -> None:
    begun: list[int] = []

    def job(number: int) -> None:
        begun.append(number)
        if number == 100:
            raise ValueError("number 100")

    taken: list[int] = []

    def jobs() -> Iterator[Callable[[], None]]:
        for number in range(100_000):
            taken.append(number)
            yield partial(job, number)

    with pytest.raises(ValueError, match="number 100"):
        run_all(jobs())
    assert len(taken) < 1000
    assert len(begun) < 1000


def test_a_failure_of_where_the_jobs_come_from_ends_it_too() -> None:
    begun: list[int] = []

    def jobs() -> Iterator[Callable[[], None]]:
        yield lambda: begun.append(1)
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        run_all(jobs())
    assert len(begun) <= 1


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_an_interruption_inside_of_a_job_is_not_lost(kind: type[BaseException]) -> None:
    def job() -> None:
        raise kind

    with pytest.raises(kind):
        run_all([job] * 1000)
