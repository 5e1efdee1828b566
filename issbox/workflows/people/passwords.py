"""Passwords of users: setting them, and letting in who knows one.

Only Argon2id hashes are kept (RFC 9106). What is wrong with a failed attempt is not told, it costs as much time for
a name that nobody has as for one that somebody has, and it counts before the password is looked at, so that many
attempts at once are no way around the limit.
"""

import hashlib
import threading
from dataclasses import replace
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from issbox.errors import AuthenticationFailedError
from issbox.model import Actor, Attempts, User
from issbox.names import is_user_name
from issbox.rules.people.passwords import LONGEST, check_password, normalize_password
from issbox.workflows.context import Context
from issbox.workflows.people.attempts import count_attempt, count_attempt_from
from issbox.workflows.people.users import require_self_or_manager

_HASHER: Final = PasswordHasher(time_cost=3, memory_cost=64 << 10, parallelism=4)
"""Second recommendation of RFC 9106 section 4: 64 MiB, three passes, four lanes."""
_AT_ONCE: Final = threading.BoundedSemaphore(2)
"""Hashes computed at once in a process, so that many attempts cannot take its memory."""
_LANES: Final = tuple(threading.Lock() for _ in range(64))
"""Attempts for one user go one after the other: many hosts that come at once with one right password are no guesses."""


def set_password(ctx: Context, name: str, password: str) -> None:
    """Give a user a new password; everybody may change the own one. Raises InvalidValueError for a weak one."""
    require_self_or_manager(ctx, name)
    digest = _hash(check_password(password, name))
    with ctx.store.session(), ctx.store.transaction():
        ctx.store.passwords.set(name, digest, ctx.clock())
        ctx.audit("user.password-set", name)


def remove_password(ctx: Context, name: str) -> None:
    """Let a user in no longer by password; raises NotFoundError when there is none."""
    require_self_or_manager(ctx, name)
    with ctx.store.session(), ctx.store.transaction():
        ctx.store.passwords.remove(name)
        ctx.audit("user.password-remove", name)


def enter_by_password(ctx: Context, name: str, password: str, origin: str) -> Context:
    """Give the surroundings for the user who knows this password; `origin` is the address the user comes from.

    Raises AuthenticationFailedError, or TooManyAttemptsError, which names the time to wait for, also for the right
    password. Takes a tenth of a second or more and 64 MiB: keep it out of an event loop.
    """
    with _LANES[hash(name) % len(_LANES)]:
        _prove(ctx, name, password, origin)
    return ctx.acting_as(name, origin)


def _prove(ctx: Context, name: str, password: str, origin: str) -> None:
    with ctx.store.session():
        user = ctx.store.users.find(name) if is_user_name(name) else None
        subject = _subject(user, name)
        before = count_attempt(ctx, subject)
        there = count_attempt_from(ctx, origin)
        digest = ctx.store.passwords.get(name) if user is not None else None
        right = _verify(digest or _nobody(), password) and digest is not None
        if user is None or user.disabled or not right:
            _note_failure(ctx, user, origin, before.failures + 1)
            raise AuthenticationFailedError("name or password is wrong, or the account is disabled")
        with ctx.store.transaction():
            ctx.store.passwords.set_attempts(subject, Attempts())
            there.forgive()
            if _HASHER.check_needs_rehash(digest or ""):
                ctx.store.passwords.set(name, _hash(normalize_password(password)), ctx.clock())


def _subject(user: User | None, name: str) -> str:
    """Say by what attempts are counted: the user, or for names of nobody one of 256 groups, which no user is called.

    So guesses at names are slowed down like guesses at passwords, and fill no table.
    """
    return user.name if user is not None else f"?{hashlib.sha256(name.encode(errors='replace')).hexdigest()[:2]}"


def _note_failure(ctx: Context, user: User | None, origin: str, failures: int) -> None:
    # The name of nobody is not written down: people type their password there.
    name = user.name if user is not None else "unknown"
    with ctx.store.transaction():
        details: dict[str, object] = {"failures": failures}
        replace(ctx, actor=Actor(name, origin)).audit("user.password-refuse", name, details=details)


def _hash(password: str) -> str:
    with _AT_ONCE:
        return str(_HASHER.hash(password))


def _verify(digest: str, password: str) -> bool:
    if len(password) > LONGEST:  # no password is so long, and hashing it would take as long as somebody likes
        password = ""
    try:
        with _AT_ONCE:
            return bool(_HASHER.verify(digest, normalize_password(password)))
    except (VerifyMismatchError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    """Give a hash that stands for the password of somebody who has none."""
    return _hash("nobody has this password")
