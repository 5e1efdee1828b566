"""Certificates of hosts: issued when the host asks and its present ones are missing, stale or about to expire."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from issbox.errors import InvalidValueError
from issbox.web.api import shapes
from issbox.web.api.answers import Document, NotModified, Stamp, stamp
from issbox.web.api.bodies import encode
from issbox.web.api.failures import Refusal
from issbox.web.api.routes import CONSUMER, Call, NoQuery, Query, Routes, Shape, Who
from issbox.workflows.certificates import certificate_archive, certificates
from issbox.workflows.certificates.revocation_lists import revoked_serials
from issbox.workflows.hosts import accessible, consumers

ROUTES: Final = Routes("certificates")
ZIP: Final = "application/zip"
_NUMBER: Final = re.compile(r"[0-9]{1,49}")  # RFC 5280 section 4.1.2.2: 20 octets at most


class SerialNumber(Shape):
    """A serial number, which may be larger than 2 to the power of 53."""

    serial: int


class SerialsQuery(Query):
    """Which certificates."""

    serials: list[str] | None = None
    """Serial numbers, several with commas between them; all without it."""


class RegenerateQuery(Query):
    """How certificates are issued anew."""

    lazy_regen: bool = True
    """Whether later would be soon enough. It is done at once anyway: a host has few certificates."""
    entitlement: str | None = None
    """Id of the only entitlement whose certificate is issued anew."""


class AccessibleContent(Shape):
    """What lies behind an organization-wide certificate."""

    last_update: Stamp
    content_listing: dict[str, list[str]]
    """The two parts of the certificate by serial number, to be joined."""


@ROUTES.add("GET", "/consumers/{consumer_uuid}/certificates/serials", who=Who.USER_OR_HOST, answer=list[SerialNumber])
def list_serials(call: Call[None, NoQuery]) -> list[SerialNumber]:
    """List the serial numbers of a host's entitlement certificates as they should be now."""
    found = certificates.certificates_of(call.ctx, call.path[CONSUMER])
    return [SerialNumber(serial=each.certificate.serial) for each in found]


@ROUTES.add(
    "GET",
    "/consumers/{consumer_uuid}/certificates",
    who=Who.USER_OR_HOST,
    query=SerialsQuery,
    answer=list[shapes.Certificate],
    other_answers=(ZIP,),
)
def list_certificates(call: Call[None, SerialsQuery]) -> Document:
    """Give the entitlement certificates of a host with its key, as JSON or, when ZIP is asked for, as an archive."""
    uuid = call.path[CONSUMER]
    wanted = _serials(call.query.serials)
    found = accessible.whole_certificates(call.ctx, uuid)
    chosen = [each.certificate for each in found if wanted is None or each.certificate.serial in wanted]
    if ZIP in call.headers.get("Accept", ""):
        data = certificate_archive.archive_certificates(call.ctx, uuid, chosen)
        return Document(data, ZIP, {"Content-Disposition": f'attachment; filename="{uuid}-certificates.zip"'})
    key = consumers.read_key(call.ctx, uuid)
    return Document(encode([shapes.certificate(each, key) for each in chosen]))


@ROUTES.add("PUT", "/consumers/{consumer_uuid}/certificates", who=Who.USER_OR_HOST, query=RegenerateQuery)
def regenerate_certificates(call: Call[None, RegenerateQuery]) -> None:
    """Issue the entitlement certificates of a host anew; all get new serial numbers, and the old ones are revoked."""
    certificates.reissue(call.ctx, call.path[CONSUMER], call.query.entitlement)


@ROUTES.add("GET", "/consumers/{consumer_uuid}/accessible_content", who=Who.USER_OR_HOST, answer=AccessibleContent)
def get_accessible_content(call: Call[None, NoQuery]) -> AccessibleContent | NotModified:
    """Give the contents behind the organization-wide certificate of a host; 304 when they are as old as it says."""
    found = accessible.accessible_content(call.ctx, call.path[CONSUMER])
    since = _since(call.headers.get("If-Modified-Since"))
    if since is not None and found.changed_at <= since:
        return NotModified()
    return AccessibleContent(
        last_update=stamp(found.changed_at),
        content_listing={str(found.serial): [found.certificate, found.contents]},
    )


@ROUTES.add("GET", "/crl", who=Who.USER, answer=list[int])
def list_revoked(call: Call[None, NoQuery]) -> list[int]:
    """List the serial numbers that were revoked and would be valid without it."""
    return revoked_serials(call.ctx)


def _serials(given: list[str] | None) -> set[int] | None:
    if given is None:
        return None
    found = {each for text in given for each in text.split(",") if each}
    if not all(_NUMBER.fullmatch(each) for each in found):
        raise InvalidValueError("serials have to be numbers with commas between them")
    return set(map(int, found))


def _since(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        raise Refusal(400, "If-Modified-Since is no time as HTTP writes it") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
