"""Hosts coming in with their identity certificates."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from issbox.certs.decode import DecodedCertificate, decode_certificate
from issbox.errors import AuthenticationFailedError, ConsumerDeletedError, NotFoundError
from issbox.model import Actor, IssuedCertificate, IssuedKind
from issbox.workflows.context import Context

_SEEN_EVERY: Final = timedelta(minutes=5)
"""Noting every request would write to the database each time."""
_LARGEST_SERIAL: Final = 2**63 - 1
"""Of certificates of hosts; that of a server may be larger than the database takes."""


def enter_as_host(ctx: Context, shown: DecodedCertificate, origin: str) -> tuple[Context, str]:
    """Give the surroundings that act for the host whose identity certificate this is, and its UUID.

    They are limited by nothing: whoever calls this lets a host do only what is about itself. The holder of the key and
    the chain to the authority must have been checked. Raises ConsumerDeletedError, and AuthenticationFailedError for
    what is no identity certificate of this box, was revoked, is outside its validity, or whose host is not known.
    """
    now = ctx.clock()
    with ctx.store.session():
        issued = _issued(ctx, shown)
        try:
            consumer = ctx.store.consumers.get(issued.consumer)
        except ConsumerDeletedError:
            raise
        except NotFoundError:
            raise AuthenticationFailedError("the host of this identity certificate is not known") from None
        if issued.revoked_at is not None:
            raise AuthenticationFailedError(
                f"the identity certificate {issued.serial} was revoked", hint="The host has to register again."
            )
        if not issued.valid.holds(now):
            raise AuthenticationFailedError(
                f"the identity certificate {issued.serial} is not valid now", hint="The host has to register again."
            )
        if consumer.seen_at is None or now - consumer.seen_at >= _SEEN_EVERY:
            with ctx.store.transaction():
                ctx.store.consumers.seen(consumer.uuid, now)
    return acting_for_host(ctx, consumer.uuid, origin), consumer.uuid


def acting_for_host(ctx: Context, uuid: str, origin: str) -> Context:
    """Give the surroundings that act for a host which proved to be it, limited by nothing."""
    return replace(ctx, actor=Actor(f"host {uuid}", origin), user=None)


def _issued(ctx: Context, shown: DecodedCertificate) -> IssuedCertificate:
    """Give the row of a certificate that was issued here to identify a host."""
    why = "the certificate shown is no identity certificate of this box"
    try:
        issued = ctx.store.certificates.get(min(shown.serial, _LARGEST_SERIAL))
    except NotFoundError:
        raise AuthenticationFailedError(why, hint="Show /etc/pki/consumer/cert.pem, or register the host.") from None
    same = decode_certificate(issued.pem).fingerprint == shown.fingerprint
    if issued.kind is not IssuedKind.IDENTITY or not same:
        raise AuthenticationFailedError(why, hint="Show /etc/pki/consumer/cert.pem, or register the host.")
    return issued
