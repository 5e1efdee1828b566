"""The authority of the box, its server certificate, and which other authorities' hosts are let in."""

from collections.abc import Iterator
from enum import Enum
from typing import Any, Final

from issbox.console.files import new_path, write_text
from issbox.console.lines import details, listed
from issbox.console.session import Session, whole_box
from issbox.console.showing import when
from issbox.console.words import (
    Action,
    Answers,
    Column,
    Line,
    Mood,
    Opening,
    Outcome,
    Place,
    Question,
    Target,
    Text,
    View,
    Wanted,
)
from issbox.errors import NotFoundError
from issbox.model import Organization
from issbox.names import plural
from issbox.rules.entitlements.renewal import RenewalState
from issbox.workflows.context import Permission

_MOODS: Final = {RenewalState.CURRENT: Mood.GOOD, RenewalState.DUE: Mood.BUSY}


class _Part(Enum):
    """What a line is about."""

    AUTHORITY = "authority"
    SERVER = "server"
    REDHAT = "redhat"
    REVOKED = "revoked"


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    del subject
    return View(
        "Authorities and the server certificate",
        (Column("What", 21), Column("State", 9), Column("Until", 16), Column("More", 20, 1)),
        listed(_lines(session), wanted),
        head=("Hosts have to trust the end of the authority's chain, which Enter shows.",),
    )


def _lines(session: Session) -> Iterator[Line]:
    from issbox.workflows.certificates import revocation_lists

    yield _authority_line(session)
    yield _server_line(session)
    yield _redhat_line(session)
    yield from _organization_lines(session)
    number = plural(len(revocation_lists.revoked_serials(session.ctx)), "serial number")
    yield Line("revoked", ("Revoked certificates", "in force", "", f"{number}; l writes the list"), _Part.REVOKED)


def _authority_line(session: Session) -> Line:
    from issbox.workflows.certificates import authority

    try:
        found = authority.show_authority(session.ctx)
    except NotFoundError:
        words = "made with the first certificate, or by c; w asks the site's authority"
        return Line("authority", ("Authority of this box", "none yet", "", words), _Part.AUTHORITY, Mood.BUSY)
    kind = "a root of its own" if found.is_root else "below the site's authority"
    more = "; ".join(
        (kind, *found.outlook.findings, *(("a request waits: i installs",) if found.request_pending else ()))
    )
    cells = ("Authority of this box", found.outlook.state.value, when(found.valid.not_after), more)
    return Line("authority", cells, _Part.AUTHORITY, _MOODS.get(found.outlook.state, Mood.BAD))


def _server_line(session: Session) -> Line:
    from issbox.workflows.certificates import server_certificate

    ctx = session.ctx
    try:
        found = server_certificate.show_server_certificate(ctx)
    except NotFoundError:
        words = "issued when the service starts, or by v"
        return Line("server", ("Server certificate", "none yet", "", words), _Part.SERVER, Mood.BUSY)
    holds = found.valid.holds(ctx.clock())
    by = "of this box" if found.place.by_box else "of the site"
    cells = (
        "Server certificate",
        "current" if holds else "ended",
        when(found.valid.not_after),
        f"{by}: {', '.join(found.names)}",
    )
    return Line("server", cells, _Part.SERVER, Mood.GOOD if holds else Mood.BAD)


def _redhat_line(session: Session) -> Line:
    from issbox.workflows.certificates import redhat_trust

    found = redhat_trust.show_redhat_trust(session.ctx)
    if not found.trusted:
        words = "its certificates open nothing; t trusts it"
        return Line("redhat", ("Red Hat's authority", "off", "", words), _Part.REDHAT, Mood.QUIET)
    return Line("redhat", ("Red Hat's authority", "on", when(found.expires), "; ".join(found.subjects)), _Part.REDHAT)


def _organization_lines(session: Session) -> Iterator[Line]:
    from issbox.workflows.content import catalog

    for each in catalog.list_organizations(session.ctx):
        cas = ", ".join(each.client_cas) or "only the authority of this box"
        cells = (f"Hosts of {each.label}", "let in" if each.client_cas else "", "", cas)
        yield Line(f"organization {each.label}", cells, each)


def _open(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show a certificate with its chain, or who is let in."""
    del answers
    thing = target.thing
    if isinstance(thing, Organization):
        return Outcome(text=_organization_text(thing))
    try:
        return Outcome(text=_TEXTS[thing](session))
    except NotFoundError as error:  # what is not there yet is said, with what to do, as everything else
        return Outcome(text=Text("Not there yet", (f"{error}.", "", error.hint)))


def _authority_text(session: Session) -> Text:
    from issbox.workflows.certificates import authority

    found = authority.show_authority(session.ctx)
    facts = details(
        [
            ("name", found.name),
            ("serial", found.serial),
            ("kind", "a root of its own" if found.is_root else "signed by another authority"),
            ("valid", f"{when(found.valid.not_before)} to {when(found.valid.not_after)}"),
            ("state", f"{found.outlook.state.value}, {plural(found.outlook.days_left, 'day')} left"),
            ("request", "one waits for its answer" if found.request_pending else ""),
        ]
    )
    lines = (*facts, *(f"! {each}" for each in found.outlook.findings), "", "Chain:", *found.chain_pem.splitlines())
    values = (("what hosts have to trust", found.root_pem), ("chain", found.chain_pem))
    return Text(found.name, lines, values)


def _server_text(session: Session) -> Text:
    from issbox.workflows.certificates import server_certificate

    found = server_certificate.show_server_certificate(session.ctx)
    facts = details(
        [
            ("subject", found.subject),
            ("names", ", ".join(found.names)),
            ("issued by", "the authority of this box" if found.place.by_box else "the site"),
            ("valid", f"{when(found.valid.not_before)} to {when(found.valid.not_after)}"),
            ("certificate", found.place.certificate),
            ("key", found.place.key),
        ]
    )
    return Text("Server certificate", (*facts, "", *found.pem.splitlines()), (("certificate", found.pem),))


def _redhat_text(session: Session) -> Text:
    from issbox.workflows.certificates import redhat_trust

    found = redhat_trust.show_redhat_trust(session.ctx)
    if not found.trusted:
        words = "Its certificates open nothing here. t reads its authority from a file that the site provides."
        return Text("Red Hat's entitlement authority", (words,))
    lines = ("Entitlement certificates of these authorities open environments that stand in for the CDN:", "")
    return Text("Red Hat's entitlement authority", (*lines, *found.subjects))


def _revoked_text(session: Session) -> Text:
    from issbox.workflows.certificates import revocation_lists

    serials = [str(each) for each in revocation_lists.revoked_serials(session.ctx)]
    return Text("Revoked serial numbers", tuple(serials) or ("None is revoked that would be valid otherwise.",))


_TEXTS: Final = {
    _Part.AUTHORITY: _authority_text,
    _Part.SERVER: _server_text,
    _Part.REDHAT: _redhat_text,
    _Part.REVOKED: _revoked_text,
}


def _organization_text(each: Organization) -> Text:
    cas = each.client_cas or ("none besides the authority of this box",)
    lines = ("Hosts with certificates of these authorities read its content, as their certificates say:", "", *cas)
    return Text(f"Hosts of {each.name}", lines)


def _crl_questions(session: Session, target: Target) -> list[Question]:
    del target
    path = session.ctx.settings.export.path / f"revoked-{session.ctx.clock():%Y%m%dT%H%M%SZ}.pem"
    return [Question("path", "Into the file", default=str(path), required=True)]


def _crl(session: Session, target: Target, answers: Answers) -> Outcome:
    """Write the signed list of revoked serial numbers into a file."""
    from issbox.workflows.certificates import revocation_lists

    del target
    path = new_path(answers["path"])
    write_text(path, revocation_lists.revocation_list(session.ctx))
    return Outcome(f"The revocation list is in {path}.")


def _credentials(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show the CA certificates that the organization keeps, with its GPG keys and client certificates."""
    del session, target, answers
    return Outcome(opening=Opening("credentials"))


PLACE: Final = Place(
    "ca",
    "Authorities",
    "The authority of this box that signs the certificates of hosts, the certificate of its server, and which other "
    "authorities' hosts are let in.",
    _show,
    "C",
    "CA",
)


ACTIONS: Final = (
    Action("ca.open", "enter", "Details", _open, (_Part, Organization)),
    Action("ca.revoked", "l", "Revoked", _crl, None, Permission.BOX_READ, where=whole_box, ask=_crl_questions),
    Action("ca.credentials", "b", "Credentials", _credentials, permission=Permission.CONTENT_READ),
)
