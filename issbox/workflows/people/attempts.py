"""Attempts to come in: counted before they are looked at, so that many at once are no way around the limit.

They are counted by user, and by address besides, so that neither one account nor all of them can be guessed at from one
place. What is counted lies in the database, and outlives a restart.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from issbox.errors import TooManyAttemptsError
from issbox.model import Attempts
from issbox.names import format_time
from issbox.rules.people.passwords import (
    FREE_FAILURES,
    FREE_FAILURES_OF_ADDRESS,
    after_failure,
    after_success,
    blocked_until,
)
from issbox.workflows.context import Context


@dataclass(frozen=True, slots=True)
class CountedAttempt:
    """An attempt from an address, which counts as failed until it is forgiven."""

    forgive: Callable[[], None]
    """Call it, in a transaction, when the attempt was right."""


def count_attempt(ctx: Context, subject: str, *, free: int = FREE_FAILURES) -> Attempts:
    """Count an attempt as failed until it proves right, and give what was counted before.

    Raises TooManyAttemptsError, which names the time to wait for.
    """
    at = ctx.clock()
    with ctx.store.session(), ctx.store.transaction():
        before = ctx.store.passwords.attempts(subject)
        until = blocked_until(before, at)
        if until is not None:
            raise TooManyAttemptsError(
                f"there were too many wrong attempts; wait until {format_time(until)}",
                wait_seconds=(until - at).total_seconds(),
            )
        ctx.store.passwords.set_attempts(subject, after_failure(before, at, free=free))
    return before


def count_attempt_from(ctx: Context, origin: str) -> CountedAttempt:
    """Count an attempt from an address as failed; what is no address is not counted. Raises TooManyAttemptsError."""
    subject = _group(origin)
    if subject is None:
        return CountedAttempt(lambda: None)
    before = count_attempt(ctx, subject, free=FREE_FAILURES_OF_ADDRESS)
    return CountedAttempt(lambda: ctx.store.passwords.set_attempts(subject, after_success(before)))


def _group(origin: str) -> str | None:
    """Say by what an address is counted: one of 4096 groups, so that addresses without end fill no table.

    The 2^64 addresses of an IPv6 network are one, since whoever has one of them has all. No user is called so.
    """
    try:
        address = ip_address(origin)
    except ValueError:
        return None
    known = str(ip_network((address, 64), strict=False) if isinstance(address, IPv6Address) else address)
    return f"@{hashlib.sha256(known.encode()).hexdigest()[:3]}"
