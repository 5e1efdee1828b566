"""Who asks: a user by password or token, a host by its identity certificate, or nobody."""

import base64
import binascii
from dataclasses import dataclass, replace
from typing import Final

from issbox.certs.clients import Presented
from issbox.errors import NotFoundError
from issbox.model import Actor
from issbox.web.api.failures import CHALLENGE, Refusal
from issbox.web.api.routes import Caller, Route, Who
from issbox.workflows.context import Context
from issbox.workflows.hosts.host_entry import enter_as_host
from issbox.workflows.people.passwords import enter_by_password
from issbox.workflows.people.tokens import enter_by_token

_NEEDED: Final = "this call needs a user (HTTP Basic or a bearer token)"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What came with a request."""

    address: str
    authorization: str
    """The header of this name; empty without it."""
    presented: Presented | None
    """The client certificate, whose chain to the authority of this box has been checked."""
    unusable: str = ""
    """Why the certificate that was shown is not one of this box."""


def enter(ctx: Context, route: Route, credentials: Credentials, consumer: str | None) -> Caller:
    """Give the caller of a route, whose path names this host; takes as long as a password hash.

    Raises Refusal with 401, AuthenticationFailedError, ConsumerDeletedError, and NotFoundError for a host that asks
    about another one.
    """
    address = credentials.address
    nobody = Caller(replace(ctx, actor=Actor("unknown", address), user=""))
    if route.who is Who.ANYONE:
        return nobody
    if credentials.authorization and route.who.users:
        return _user(ctx, credentials)
    if route.who is Who.ANYONE_OR_USER:
        return nobody
    if not route.who.hosts:
        raise Refusal(401, _NEEDED, CHALLENGE)
    if credentials.presented is None:
        needed = _NEEDED if route.who.users else "this call needs"
        why = f" ({credentials.unusable})" if credentials.unusable else ""
        joint = (
            " or the identity certificate of the host" if route.who.users else " the identity certificate of the host"
        )
        raise Refusal(401, f"{needed}{joint}{why}", CHALLENGE)
    entered, uuid = enter_as_host(ctx, credentials.presented.decoded, address)
    if uuid != consumer:
        raise NotFoundError(f"there is no host {consumer}", listed="consumer list")
    return Caller(entered, host=uuid)


def need_user(caller: Caller) -> str:
    """Give the user who asks; raises Refusal with 401 when it is none."""
    if caller.user is None:
        raise Refusal(401, _NEEDED, CHALLENGE)
    return caller.user


def _user(ctx: Context, credentials: Credentials) -> Caller:
    scheme, _, secret = credentials.authorization.partition(" ")
    if scheme.lower() == "bearer":
        entered = enter_by_token(ctx, secret.strip(), credentials.address)
    elif scheme.lower() == "basic":
        name, password = _name_and_password(secret.strip())
        entered = enter_by_password(ctx, name, password, credentials.address)
    else:
        raise Refusal(401, _NEEDED, CHALLENGE)
    return Caller(entered, user=entered.user)


def _name_and_password(text: str) -> tuple[str, str]:
    """Read the secret of HTTP Basic (RFC 7617); clients that know no UTF-8 send Latin-1."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(401, "the Authorization header cannot be read", CHALLENGE) from None
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        whole = data.decode("latin-1")
    name, colon, password = whole.partition(":")
    if not colon:
        raise Refusal(401, "the Authorization header has no password", CHALLENGE)
    return name, password
