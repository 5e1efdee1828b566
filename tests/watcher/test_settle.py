"""The tracker is told the time, so nothing here sleeps."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from issbox.watcher.settle import SettleTracker

BUNDLE = Path("/inbox/bundle")
OTHER = Path("/inbox/other")


def make_tracker() -> SettleTracker:
    return SettleTracker(quiet_for=2.0, incomplete_after=60.0)


def test_a_complete_bundle_settles_when_it_was_quiet_long_enough() -> None:
    tracker = make_tracker()
    assert not tracker.saw(BUNDLE, "a", complete=True, at=0.0)
    assert not tracker.saw(BUNDLE, "a", complete=True, at=1.9)
    assert tracker.saw(BUNDLE, "a", complete=True, at=2.0)
    assert tracker.saw(BUNDLE, "a", complete=True, at=99.0)


def test_every_change_starts_the_wait_over() -> None:
    tracker = make_tracker()
    for second in range(10):
        assert not tracker.saw(BUNDLE, f"size {second}", complete=True, at=float(second))
    assert not tracker.saw(BUNDLE, "size 9", complete=True, at=10.9)
    assert tracker.saw(BUNDLE, "size 9", complete=True, at=11.0)
    assert not tracker.saw(BUNDLE, "changed after settling", complete=True, at=12.0)


def test_an_incomplete_one_is_handed_on_only_after_the_long_wait() -> None:
    tracker = make_tracker()
    assert not tracker.saw(BUNDLE, "a", complete=False, at=0.0)
    assert not tracker.saw(BUNDLE, "a", complete=False, at=59.9)
    assert tracker.saw(BUNDLE, "a", complete=False, at=60.0)


def test_a_fingerprint_from_the_future_is_just_another_fingerprint() -> None:
    tracker = make_tracker()
    assert not tracker.saw(BUNDLE, "2099", complete=True, at=0.0)
    assert not tracker.saw(BUNDLE, "1980", complete=True, at=1.0)
    assert tracker.saw(BUNDLE, "1980", complete=True, at=3.0)


def test_the_next_look_is_when_the_first_one_settles() -> None:
    tracker = make_tracker()
    assert tracker.next_look(0.0) is None
    tracker.saw(BUNDLE, "a", complete=False, at=0.0)
    assert tracker.next_look(0.0) == 60.0
    tracker.saw(OTHER, "b", complete=True, at=1.0)
    assert tracker.next_look(1.5) == 1.5
    assert tracker.next_look(10.0) == 50.0
    assert tracker.next_look(60.0) is None


def test_what_is_gone_is_forgotten() -> None:
    tracker = make_tracker()
    tracker.saw(BUNDLE, "a", complete=True, at=0.0)
    tracker.keep_only({OTHER})
    assert tracker.next_look(0.0) is None
    assert not tracker.saw(BUNDLE, "a", complete=True, at=5.0)


def test_what_an_earlier_process_saw_counts() -> None:
    tracker = make_tracker()
    tracker.prime(BUNDLE, "a", since=-100.0)
    assert tracker.saw(BUNDLE, "a", complete=True, at=0.0)
    tracker.prime(OTHER, "old", since=-100.0)
    assert not tracker.saw(OTHER, "new", complete=True, at=0.0)


def test_priming_does_not_overrule_what_was_seen() -> None:
    tracker = make_tracker()
    tracker.saw(BUNDLE, "a", complete=True, at=0.0)
    tracker.prime(BUNDLE, "a", since=-100.0)
    assert not tracker.saw(BUNDLE, "a", complete=True, at=1.0)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.01, 3.0)), min_size=1, max_size=30))
def test_settled_means_the_same_for_at_least_the_quiet_time(looks: list[tuple[str, float]]) -> None:
    tracker = make_tracker()
    at, since, before = 0.0, 0.0, ""
    for fingerprint, pause in looks:
        at += pause
        if fingerprint != before:
            since, before = at, fingerprint
        assert tracker.saw(BUNDLE, fingerprint, complete=True, at=at) == (since + 2.0 <= at)


@given(
    at=st.floats(min_value=0.0, max_value=1e9),
    quiet_for=st.floats(min_value=0.01, max_value=60.0),
)
def test_the_wait_for_something_new_is_the_quiet_time_on_every_clock(at: float, quiet_for: float) -> None:
    tracker = SettleTracker(quiet_for=quiet_for, incomplete_after=600.0)
    tracker.saw(BUNDLE, "a", complete=True, at=at)
    wait = tracker.next_look(at)
    assert wait is None or wait <= quiet_for
    # A clock that was slept on has moved on by more than its rounding.
    assert tracker.saw(BUNDLE, "a", complete=True, at=at + quiet_for + 1e-3)
