"""Tokens of users: secrets that programs show instead of name and password.

A token is 256 random bits, so its SHA-256 is enough to know it again, and it is shown only once.
"""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from issbox.errors import AuthenticationFailedError, InvalidValueError, NotFoundError
from issbox.model import ApiToken
from issbox.names import check_label, format_time
from issbox.workflows.context import Context
from issbox.workflows.people.users import require_self_or_manager

_BYTES: Final = 32
_SECRET: Final = re.compile(r"issbox_[A-Za-z0-9_-]{43}")
_USE_NOTED_EVERY: Final = timedelta(hours=1)
"""Noting every use would write to the database at every request."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token with its secret, which nobody can show again."""

    token: ApiToken
    secret: str


def create_token(ctx: Context, user: str, name: str, *, expires_at: datetime | None = None) -> NewToken:
    """Make a token that has the roles of the user, until it expires or is revoked; everybody may make own ones.

    Raises NotFoundError for the user, AlreadyExistsError for the name, InvalidValueError for a time that is over.
    """
    require_self_or_manager(ctx, user)
    check_label(name, "token name")
    now = ctx.clock().replace(microsecond=0)
    if expires_at is not None and expires_at <= now:
        raise InvalidValueError(f"{format_time(expires_at)} is over: the token would never be accepted")
    secret = f"issbox_{base64.urlsafe_b64encode(secrets.token_bytes(_BYTES)).decode().rstrip('=')}"
    with ctx.store.session(), ctx.store.transaction():
        token = ctx.store.tokens.add(ApiToken(user, name, now, expires_at), _digest(secret))
        expiry = None if expires_at is None else format_time(expires_at)
        ctx.audit("user.token-create", user, details={"token": name, "expires_at": expiry})
    return NewToken(token, secret)


def list_tokens(ctx: Context, user: str) -> list[ApiToken]:
    """Give the tokens of a user, without their secrets; everybody may see the own ones."""
    require_self_or_manager(ctx, user)
    with ctx.store.session():
        return list(ctx.store.tokens.list(user))


def revoke_token(ctx: Context, user: str, name: str) -> ApiToken:
    """Accept a token no longer and give what it was; raises NotFoundError."""
    require_self_or_manager(ctx, user)
    with ctx.store.session(), ctx.store.transaction():
        revoked = next((each for each in ctx.store.tokens.list(user) if each.name == name), None)
        if revoked is None:
            raise NotFoundError(f"the user {user} has no token {name!r}", listed="user token list")
        ctx.store.tokens.remove(user, name)
        ctx.audit("user.token-revoke", user, details={"token": name})
        return revoked


def enter_by_token(ctx: Context, secret: str, origin: str) -> Context:
    """Give the surroundings for the user whose token this is; raises AuthenticationFailedError."""
    now = ctx.clock()
    with ctx.store.session():
        token = ctx.store.tokens.find(_digest(secret)) if _SECRET.fullmatch(secret) else None
        user = ctx.store.users.find(token.user) if token is not None else None
        expired = token is None or (token.expires_at is not None and token.expires_at <= now)
        if token is None or user is None or user.disabled or expired:
            raise AuthenticationFailedError("the token is unknown, expired or revoked, or its user is disabled")
        if token.used_at is None or now - token.used_at >= _USE_NOTED_EVERY:
            ctx.store.tokens.mark_used(_digest(secret), now)
    return ctx.acting_as(user.name, origin)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
