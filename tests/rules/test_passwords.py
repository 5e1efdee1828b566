"""Which passwords are accepted, and how long somebody waits who gets them wrong."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issbox.errors import InvalidValueError
from issbox.model import Attempts
from issbox.rules.people.passwords import (
    FREE_FAILURES,
    LONGEST_WAIT,
    after_failure,
    blocked_until,
    check_password,
    normalize_password,
)

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "password", ["correct horse battery", "zwölf Bärenhöhlen", "abcde" * 3, "123456789012", "日本語のながいパスワード"]
)
def test_length_is_what_counts(password: str) -> None:
    assert check_password(password, "ann") == normalize_password(password)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "12 to 256"),
        ("elevenchars", "12 to 256"),
        ("abcde" * 60, "12 to 256"),
        ("abababababababab", "different"),
        ("line one\nline two", "control"),
        ("surrogate \udc80 in it", "control"),
        ("Ann.Example-12345", "name"),
    ],
)
def test_what_is_refused_is_never_repeated(password: str, reason: str) -> None:
    with pytest.raises(InvalidValueError, match=reason) as caught:
        check_password(password, "ann.example")
    assert not password or password not in str(caught.value) + caught.value.hint


def test_one_password_has_one_form() -> None:
    composed, decomposed = "zw\u00f6lf B\u00e4ren am See", "zwo\u0308lf Ba\u0308ren am See"
    assert check_password(composed, "ann") == check_password(decomposed, "ann")


def test_the_first_failures_are_free_and_then_the_wait_doubles() -> None:
    attempts, waits = Attempts(), []
    for _ in range(20):
        attempts = after_failure(attempts, NOW)
        waits.append(int((attempts.blocked_until - NOW).total_seconds()) if attempts.blocked_until else 0)
    assert waits[: FREE_FAILURES - 1] == [0] * (FREE_FAILURES - 1)
    assert waits[FREE_FAILURES - 1 : FREE_FAILURES + 9] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
    assert set(waits[FREE_FAILURES + 9 :]) == {900}


@given(failures=st.integers(0, 10**9), seconds=st.integers(-(10**8), 10**8))
def test_nobody_is_blocked_longer_than_the_longest_wait(failures: int, seconds: int) -> None:
    attempts = after_failure(Attempts(failures), NOW)
    at = NOW + timedelta(seconds=seconds)
    until = blocked_until(attempts, at)
    assert until is None or at < until <= at + LONGEST_WAIT
    assert blocked_until(attempts, NOW + LONGEST_WAIT) is None
    if failures >= FREE_FAILURES:
        assert blocked_until(attempts, NOW) == attempts.blocked_until is not None
