"""Revoking single certificates of hosts."""

from issbox.certs.decode import decode_certificate
from issbox.errors import WrongStateError
from issbox.model import IssuedCertificate, IssuedKind
from issbox.workflows.certificates.certificates import get_issued
from issbox.workflows.context import Context, Permission


def revoke_certificate(ctx: Context, serial: int) -> IssuedCertificate:
    """Revoke a certificate that was issued here, and give it as it is then.

    An entitlement stays: its host gets another certificate when it asks. A host whose identity certificate is revoked
    is nobody to this box until an administrator gives it another one. Raises NotFoundError, NotPermittedError, and
    WrongStateError for one that was revoked before.
    """
    found = get_issued(ctx, serial)
    ctx.require(Permission.CERTIFICATE_MANAGE, decode_certificate(found.pem).organization)
    with ctx.store.session(), ctx.store.transaction():
        if not ctx.store.certificates.revoke([serial], ctx.clock()):
            raise WrongStateError(f"the certificate {serial} was revoked already", shown="certificate list")
        consumer = ctx.store.consumers.several([found.consumer]).get(found.consumer)
        if found.kind is IssuedKind.ENTITLEMENT and consumer is not None:
            for each in ctx.store.entitlements.of(found.consumer):
                if each.serial == serial:
                    ctx.store.entitlements.certified({each.id: None})
        details: dict[str, object] = {"serial": str(serial), "kind": found.kind.value}
        organization = None if consumer is None else consumer.organization
        ctx.audit("certificate.revoke", found.consumer, organization=organization, details=details)
        return ctx.store.certificates.get(serial)
