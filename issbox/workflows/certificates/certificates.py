"""Certificates of hosts: issued when they are asked for, shown, checked, and issued anew."""

from dataclasses import dataclass
from typing import Final

from issbox.certs.certificates import read_certificates
from issbox.certs.decode import DecodedCertificate, decode_certificate
from issbox.certs.guard import Verdict, decide
from issbox.errors import BadCertificateError, NotFoundError
from issbox.model import Claim, Entitlement, IssuedCertificate
from issbox.rules.entitlements.paths import request_path
from issbox.workflows.certificates.authority import own_chains
from issbox.workflows.certificates.issuing import Issuer, Outcome, is_due
from issbox.workflows.context import Context, Permission
from issbox.workflows.hosts.consumers import get_consumer

_MOST_CHECKED: Final = 1000
"""Contents of certificates looked at; many boxes have fewer than a hundred."""


@dataclass(frozen=True, slots=True)
class HostCertificate:
    """The certificate of an entitlement."""

    entitlement: Entitlement
    certificate: IssuedCertificate


def certificates_of(ctx: Context, uuid: str) -> list[HostCertificate]:
    """Give the entitlement certificates of a host as they should be now.

    What is missing, stale or due is issued, and its old serial revoked, in the same step; a stale one whose content
    turns out to be the same stays. Raises CertificateTooLargeError when one cannot be issued.
    """
    consumer = get_consumer(ctx, uuid)
    ctx.require(Permission.CONSUMER_MANAGE, consumer.organization)
    with ctx.store.session():
        if not any(_wants(ctx, each) for each in ctx.store.entitlements.of(uuid)):
            return current_certificates(ctx, uuid)  # as nearly always: nothing is written, and no key is opened
        issuer = Issuer(ctx)
        with ctx.store.transaction():
            issuer.look_again()
            consumer = ctx.store.consumers.get(uuid)
            held = [each for each in ctx.store.entitlements.of(uuid) if _wants(ctx, each)]
            outcomes = issuer.look_at([Claim.of(consumer, each) for each in held])
            _raise_first(outcomes)
            issued = [str(each.serial) for each in outcomes if not each.kept]
            if issued:
                details: dict[str, object] = {"serials": issued}
                ctx.audit("certificate.issue", uuid, organization=consumer.organization, details=details)
        return current_certificates(ctx, uuid)


def reissue(ctx: Context, uuid: str, entitlement: str | None = None) -> list[HostCertificate]:
    """Issue the entitlement certificates of a host anew, or that of one entitlement, also those that say the same.

    All get new serial numbers, and the old ones are revoked. Raises NotFoundError, CertificateTooLargeError.
    """
    organization = get_consumer(ctx, uuid).organization
    ctx.require(Permission.CONSUMER_MANAGE, organization)
    with ctx.store.session():
        with ctx.store.transaction():
            consumer = ctx.store.consumers.get(uuid)
            held = [each for each in ctx.store.entitlements.of(uuid) if entitlement in (None, each.id)]
            if entitlement is not None and not held:
                raise NotFoundError(f"the host {uuid} has no entitlement {entitlement}", listed="entitlement list")
            outcomes = Issuer(ctx).look_at([Claim.of(consumer, each) for each in held], unchanged=True)
            _raise_first(outcomes)
            details: dict[str, object] = {"serials": [str(each.serial) for each in outcomes]}
            ctx.audit("certificate.issue", uuid, organization=organization, details=details)
        return current_certificates(ctx, uuid)


def current_certificates(ctx: Context, uuid: str) -> list[HostCertificate]:
    """Give the entitlement certificates that a host has, stale or not, without issuing any."""
    consumer = get_consumer(ctx, uuid)
    ctx.require(Permission.CONSUMER_MANAGE, consumer.organization)
    with ctx.store.session():
        return [
            HostCertificate(each, ctx.store.certificates.get(each.serial))
            for each in ctx.store.entitlements.of(uuid)
            if each.serial is not None
        ]


def get_issued(ctx: Context, serial: int) -> IssuedCertificate:
    """Give a certificate that was issued here; raises NotFoundError."""
    ctx.require_anywhere(Permission.CERTIFICATE_MANAGE)
    with ctx.store.session():
        found = ctx.store.certificates.get(serial)
        organization = decode_certificate(found.pem).organization
    ctx.require(Permission.CERTIFICATE_MANAGE, organization)
    return found


def decode(ctx: Context, text: str | bytes) -> DecodedCertificate:
    """Read what a certificate in PEM says, also one of another server; raises BadCertificateError."""
    ctx.require_anywhere(Permission.CONTENT_READ)
    return decode_certificate(text)


def check_path(ctx: Context, text: str | bytes, path: str) -> Verdict:
    """Say whether a certificate in PEM, also one of another box, grants a path, and why or why not.

    Raises BadCertificateError, and InvalidValueError for what is no path of a request.
    """
    ctx.require_anywhere(Permission.CONTENT_READ)
    decoded = decode_certificate(text)
    with ctx.store.session():
        revoked = _issued_here(ctx, decoded) and ctx.store.certificates.is_revoked(decoded.serial)
    return decide(decoded, request_path(path), now=ctx.clock(), revoked=revoked)


def forged_certificates(ctx: Context) -> list[int]:
    """Give the serial numbers of certificates kept here whose contents no authority of this box has signed.

    One of each content is looked at. Raises BadCertificateError for authorities that cannot be read.
    """
    ctx.require(Permission.BOX_MAINTAIN)
    chains = [read_certificates(each, "the authority of this box") for each in own_chains(ctx)]
    authorities = [each for chain in chains for each in chain[:1]]

    def is_genuine(text: str) -> bool:
        try:
            decoded = decode_certificate(text)
        except BadCertificateError:
            return False
        return any(decoded.payload_is_genuine(each) for each in authorities)

    with ctx.store.session():
        kept = ctx.store.certificates.samples(_MOST_CHECKED)
    return [each.serial for each in kept if not is_genuine(each.pem)]


def _issued_here(ctx: Context, decoded: DecodedCertificate) -> bool:
    try:
        found = ctx.store.certificates.get(decoded.serial)
    except NotFoundError:
        return False
    return decode_certificate(found.pem).fingerprint == decoded.fingerprint


def _wants(ctx: Context, entitlement: Entitlement) -> bool:
    if entitlement.serial is None or entitlement.stale:
        return True
    return is_due(ctx, ctx.store.certificates.get(entitlement.serial).valid)


def _raise_first(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
