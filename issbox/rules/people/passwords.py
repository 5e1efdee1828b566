"""Rules for passwords: which ones are accepted, and how long somebody waits who gets them wrong."""

import unicodedata
from datetime import datetime, timedelta
from typing import Final

from issbox.errors import InvalidValueError
from issbox.model import Attempts

SHORTEST: Final = 12
LONGEST: Final = 256
FREE_FAILURES: Final = 5
"""Failures in a row that cost nothing but a new try."""
FREE_FAILURES_OF_ADDRESS: Final = 20
"""The same for an address, from which many may come."""
LONGEST_WAIT: Final = timedelta(minutes=15)


def normalize_password(text: str) -> str:
    """Give the one form in which a password is hashed, however a keyboard composed its letters (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", text)


def check_password(text: str, user: str) -> str:
    """Give a new password in the form in which it is hashed; raises InvalidValueError, which never repeats it.

    Length is what counts (NIST SP 800-63B); there are no rules about kinds of characters.
    """
    password = normalize_password(text)
    reason = None
    if not SHORTEST <= len(password) <= LONGEST:
        reason = f"it must have {SHORTEST} to {LONGEST} characters"
    elif any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in password):
        reason = "it has a control character"
    elif len(set(password)) < 5:
        reason = "it has fewer than 5 different characters"
    elif user in password.lower() and len(password) - len(user) < SHORTEST:
        reason = "it is hardly more than the name of the user"
    if reason is not None:
        raise InvalidValueError(f"this password is not accepted: {reason}", hint="Choose another one.")
    return password


def after_failure(attempts: Attempts, at: datetime, *, free: int = FREE_FAILURES) -> Attempts:
    """Count a failure at this time: beyond the free ones the wait doubles from one second on, up to the longest."""
    failures = attempts.failures + 1
    beyond = failures - free
    if beyond < 0:
        return Attempts(failures)
    wait = min(LONGEST_WAIT, timedelta(seconds=2 ** min(beyond, 32)))
    return Attempts(failures, at + wait)


def blocked_until(attempts: Attempts, at: datetime) -> datetime | None:
    """Give the time before which no attempt counts, or None when one may be made now.

    A time too far away comes from a clock that has been set back since, and blocks nobody.
    """
    until = attempts.blocked_until
    return until if until is not None and at < until <= at + LONGEST_WAIT else None


def after_success(attempts: Attempts) -> Attempts:
    """Forgive an address half of its failures when somebody from there proves to be right."""
    return Attempts(attempts.failures // 2)
