"""What an organization-wide certificate does not say itself: the contents that a host finds behind it.

The certificate stays as long as it is valid, and hosts ask for the contents apart from it, with the time that they were
told last. That time grows by a whole second with every change, since clients compare whole seconds only.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from issbox.certs import pem
from issbox.errors import InvalidValueError
from issbox.model import CertificateType, Consumer, Entitlement
from issbox.rules.entitlements.entitlements import is_organization_wide
from issbox.store.certificates import CertificateBody
from issbox.workflows.certificates.certificates import HostCertificate, certificates_of
from issbox.workflows.certificates.preparing import Preparer
from issbox.workflows.context import Context, Permission
from issbox.workflows.hosts.consumers import get_consumer


@dataclass(frozen=True, slots=True)
class AccessibleContent:
    """The contents behind an organization-wide certificate."""

    serial: int
    certificate: str
    """In PEM, without what follows it."""
    contents: str
    """What follows it: contents and their signature."""
    changed_at: datetime
    """In whole seconds."""


def accessible_content(ctx: Context, uuid: str) -> AccessibleContent:
    """Give the contents behind the organization-wide certificate of a host as they are now.

    Raises InvalidValueError for a host whose certificates name their contents, NotFoundError, ConsumerDeletedError.
    """
    consumer = get_consumer(ctx, uuid)
    ctx.require(Permission.CONSUMER_MANAGE, consumer.organization)
    for each in certificates_of(ctx, uuid):
        found = _behind(ctx, consumer, each)
        if found is not None:
            return found
    raise InvalidValueError(
        f"the certificates of the host {uuid} name their contents: there are none apart from them",
        hint=f"`issbox organization update --access {CertificateType.ORG_LEVEL}` changes that for new certificates.",
    )


def whole_certificates(ctx: Context, uuid: str) -> list[HostCertificate]:
    """Give what `certificates_of` gives, with the contents of an organization-wide certificate as they are now."""
    consumer = get_consumer(ctx, uuid)
    whole = []
    for each in certificates_of(ctx, uuid):
        found = _behind(ctx, consumer, each)
        text = each.certificate.pem if found is None else found.certificate + found.contents
        whole.append(replace(each, certificate=replace(each.certificate, pem=text)))
    return whole


def _behind(ctx: Context, consumer: Consumer, held: HostCertificate) -> AccessibleContent | None:
    with ctx.store.session():
        catalogue = ctx.store.catalogues.get(consumer.organization)
        if not is_organization_wide(catalogue, consumer.profile, held.entitlement.product):
            return None  # for most hosts nothing is written, so they wait for nobody who writes
        with ctx.store.transaction():
            body = Preparer(ctx).prepare(consumer.organization, consumer.profile, held.entitlement.product).body
            changed_at = _changed_at(ctx, held.entitlement, body)
    certificate = pem.first_certificate(held.certificate.pem)
    return AccessibleContent(held.certificate.serial, certificate, body.appendix, changed_at)


def _changed_at(ctx: Context, entitlement: Entitlement, body: CertificateBody) -> datetime:
    """Give since when the contents are what they are, noting it when they changed."""
    listed = ctx.store.entitlements.listed(entitlement.id)
    if listed is not None and listed[0] == body.digest:
        return listed[1]
    at = ctx.clock().replace(microsecond=0)
    if listed is not None:
        at = max(at, listed[1] + timedelta(seconds=1))
    ctx.store.entitlements.list_contents(entitlement.id, body.digest, at)
    return at
