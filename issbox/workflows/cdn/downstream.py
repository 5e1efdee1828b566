"""Other boxes that read content from this one: which may, and what they took."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from issbox.certs.decode import DecodedCertificate
from issbox.errors import NotFoundError
from issbox.model import Downstream, Taking
from issbox.workflows.context import Context, Permission


@dataclass(frozen=True, slots=True)
class Shown:
    """What was given to whoever showed a certificate, lately."""

    organization: str
    environment: str
    certificate: DecodedCertificate
    own: bool
    """Whether an authority of this box signed it."""
    first_at: datetime
    last_at: datetime
    requests: int
    size: int


def record_takings(ctx: Context, shown: Sequence[Shown]) -> int:
    """Write down what boxes took, and give how many there were: hosts are left out.

    A box is who shows a certificate of this box that was issued to one, or another one's certificate where an
    environment stands in for a CDN.
    """
    with ctx.store.session():
        own = ctx.store.takings.entitled(each.certificate.common_name for each in shown if each.own)
        takings = [taking for each in shown if (taking := _taking(ctx, each, own)) is not None]
        if takings:
            with ctx.store.transaction():
                for taking in takings:
                    ctx.store.takings.add(taking)
    return len(takings)


def _taking(ctx: Context, shown: Shown, own: dict[str, str]) -> Taking | None:
    certificate = shown.certificate
    consumer: str | None = None
    if shown.own:
        if certificate.common_name not in own:
            return None
        consumer = own[certificate.common_name]
    elif not _stands_in(ctx, shown.organization, shown.environment):
        return None
    return Taking(
        shown.organization,
        shown.environment,
        certificate.fingerprint,
        certificate.subject,
        certificate.issuer,
        str(certificate.serial),
        shown.first_at,
        shown.last_at,
        shown.requests,
        shown.size,
        consumer,
    )


def _stands_in(ctx: Context, organization: str, environment: str) -> bool:
    if any((each.organization, each.environment) == (organization, environment) for each in ctx.settings.web.sites):
        return True
    try:
        return ctx.store.environments.get(organization, environment).serves_as_cdn
    except NotFoundError:
        return False


def list_downstream(ctx: Context, organization: str) -> list[Downstream]:
    """Give the boxes that may read content of an organization from this one, and those that did; raises NotFoundError.

    Registered ones come first, by name; those that came with the certificate of a manifest follow, the latest first.
    """
    ctx.require(Permission.CONSUMER_MANAGE, organization)
    with ctx.store.session():
        takings = ctx.store.takings.list(organization)
        uuids = ctx.store.takings.boxes(organization)
        known = ctx.store.consumers.several(uuids)
    found = []
    for uuid in uuids:
        taken = [each for each in takings if each.consumer == uuid]
        found += [Downstream(known.get(uuid), each) for each in taken or (None,)]
    return found + [Downstream(None, each) for each in takings if each.consumer not in known]
