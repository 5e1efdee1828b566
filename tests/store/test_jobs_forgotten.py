"""Rows of jobs are forgotten by their end, on both databases."""

from datetime import timedelta

from makers.stores import NOW

from issbox.model import Actor, JobState
from issbox.store import Store

DAY = timedelta(days=1)


def add(store: Store) -> int:
    return store.jobs.add(
        kind="audit",
        subject="the audit log",
        organization=None,
        products=(),
        parameters={},
        actor=Actor("ann", "local"),
        user=None,
        at=NOW,
    ).id


def end(store: Store, number: int, state: JobState, days_ago: int) -> None:
    store.jobs.update(number, updated_at=NOW, state=state, ended_at=NOW - days_ago * DAY)


def test_only_jobs_that_ended_before_the_time_are_forgotten(store: Store) -> None:
    queued, running, *over = (add(store) for _ in range(7))
    store.jobs.update(running, updated_at=NOW, state=JobState.RUNNING, started_at=NOW - 99 * DAY)
    states = (JobState.FINISHED, JobState.FAILED, JobState.CANCELLED, JobState.FINISHED, JobState.FINISHED)
    for number, state, days in zip(over, states, (31, 40, 50, 30, 99), strict=True):
        end(store, number, state, days)
    assert store.jobs.count() == {
        **dict.fromkeys((JobState.QUEUED, JobState.RUNNING, JobState.FAILED, JobState.CANCELLED), 1),
        JobState.FINISHED: 3,
    }
    assert store.jobs.forget_ended(NOW - 30 * DAY) == 3
    assert [job.id for job in store.jobs.list()] == [over[4], over[3], running, queued]
    assert store.jobs.forget_ended(NOW - 30 * DAY) == 0


def test_the_newest_job_stays_so_that_no_number_is_given_twice(store: Store) -> None:
    assert store.jobs.forget_ended(NOW) == 0
    first = add(store)
    end(store, first, JobState.FINISHED, 99)
    assert store.jobs.forget_ended(NOW) == 0
    second = add(store)
    assert second > first
    assert store.jobs.forget_ended(NOW) == 1
    assert add(store) > second
