"""One host: what it is entitled to, and the certificates that it has."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from issbox.console.lines import listed
from issbox.console.places.host_forms import (
    certificate_text,
    environment_questions,
    move,
    move_consequences,
    product_choices,
)
from issbox.console.session import Session
from issbox.console.showing import when
from issbox.console.words import (
    Action,
    Answers,
    Column,
    Consequences,
    Kind,
    Line,
    Mood,
    Outcome,
    Place,
    Question,
    Target,
    View,
    Wanted,
)
from issbox.model import Entitlement, IssuedCertificate
from issbox.names import plural
from issbox.workflows.context import Permission

if TYPE_CHECKING:
    from datetime import datetime

    from issbox.workflows.hosts.host_lists import HostView


@dataclass(frozen=True, slots=True)
class _Held:
    """What a line is about: the identity, or an entitlement, each with its certificate if there is one."""

    entitlement: Entitlement | None
    certificate: IssuedCertificate | None


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows.hosts import host_lists

    found = host_lists.view_host(session.ctx, str(subject))
    now = session.ctx.clock()
    lines = [
        _line("identity", _Held(None, found.identity), "", now),
        *(
            _line(entitlement.id, _Held(entitlement, certificate), entitlement.product or "all products", now)
            for entitlement, certificate in found.entitlements
        ),
    ]
    return View(
        f"Host {found.consumer.name}",
        (
            Column("Certificate", 11),
            Column("For", 12, 2),
            Column("State", 12, 1),
            Column("Until", 16),
            Column("Serial", 16),
        ),
        listed(lines, wanted),
        head=_head(found),
    )


def _head(found: "HostView") -> tuple[str, ...]:
    host = found.consumer
    places = ", ".join(host.environments) or "no environment"
    key = f", by the activation key {host.activation_key}" if host.activation_key else ""
    return (
        f"{host.uuid}, {host.type}, {' '.join(host.profile.arches) or 'any processor'}",
        f"In {places}. Registered {when(host.created_at)}{key}, seen {when(host.seen_at) or 'never'}.",
    )


def _line(key: str, held: _Held, what: str, now: "datetime") -> Line:
    kind = "identity" if held.entitlement is None else "entitlement"
    certificate = held.certificate
    state, mood = _state(held, now)
    until = "" if certificate is None else when(certificate.valid.not_after)
    return Line(key, (kind, what, state, until, "" if certificate is None else str(certificate.serial)), held, mood)


def _state(held: _Held, now: "datetime") -> tuple[str, Mood]:
    certificate, entitlement = held.certificate, held.entitlement
    if certificate is None:
        return "to be issued" if entitlement is not None else "none", Mood.BUSY
    if not certificate.valid.holds(now):
        return "ended" if now > certificate.valid.not_after else "not valid yet", Mood.BAD
    if entitlement is not None and entitlement.stale:
        return "stale", Mood.BUSY
    return "current", Mood.GOOD


def _decoded(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show what a certificate says: content, paths, validity and serial number."""
    del answers
    return Outcome(text=certificate_text(session, target.thing.certificate.serial))


def _no_certificate(session: Session, target: Target) -> str:
    del session
    return "" if target.thing.certificate is not None else "it has no certificate yet: i issues it"


def _issue(session: Session, target: Target, answers: Answers) -> Outcome:
    """Issue what is missing or stale of this host now, as when it asks."""
    from issbox.workflows.certificates import certificates

    del answers
    before = {each.certificate.serial for each in certificates.current_certificates(session.ctx, target.subject)}
    now = {each.certificate.serial for each in certificates.certificates_of(session.ctx, target.subject)}
    new = len(now - before)
    return Outcome(f"{plural(new, 'certificate')} issued." if new else "All certificates say what they should already.")


def _identity_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    del session, target, answers
    lines = ("The one before is revoked: the host is nobody until it has the new one.", "w writes its files again.")
    return Consequences("Issue another identity certificate?", lines, "Issue")


def _identity(session: Session, target: Target, answers: Answers) -> Outcome:
    """Give the host another identity certificate for its key, and revoke the one before."""
    from issbox.workflows.hosts import consumers

    del answers
    consumers.identity_of(session.ctx, target.subject, renew=True)
    return Outcome("It has another identity certificate.")


def _revoke_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    del session, answers
    held: _Held = target.thing
    if held.entitlement is None:
        after = "The host is nobody to this box then, until n gives it another identity certificate."
    else:
        after = "The entitlement stays: the host gets another certificate when it asks."
    serial = "" if held.certificate is None else str(held.certificate.serial)
    return Consequences(f"Revoke the certificate {serial}?", (after,), "Revoke", final=True)


def _revoke(session: Session, target: Target, answers: Answers) -> Outcome:
    """Revoke a certificate: nothing is opened by it any more."""
    from issbox.workflows.certificates import revoking

    del answers
    gone = revoking.revoke_certificate(session.ctx, target.thing.certificate.serial)
    return Outcome(f"The certificate {gone.serial} is revoked.")


def _entitle_questions(session: Session, target: Target) -> list[Question]:
    del target
    products = (("", "all products, also those to come"), *product_choices(session))
    return [Question("product", "Product", Kind.CHOICE, "", products)]


def _entitle(session: Session, target: Target, answers: Answers) -> Outcome:
    """Entitle the host to a product, or to all; it gets what its environments hold of it."""
    from issbox.workflows.hosts import entitling

    made = entitling.entitle(session.ctx, target.subject, answers["product"] or None)
    return Outcome(f"It is entitled to {made.product or 'all products'}; i issues the certificate now.")


def _disentitle_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    del session, answers
    what = target.thing.entitlement.product or "all products"
    return Consequences(f"Take the entitlement to {what} away?", ("Its certificate is revoked.",), "Take away")


def _disentitle(session: Session, target: Target, answers: Answers) -> Outcome:
    """Take an entitlement away and revoke its certificate."""
    from issbox.workflows.hosts import entitling

    del answers
    gone = entitling.disentitle(session.ctx, target.thing.entitlement.id)
    return Outcome(f"It is not entitled to {gone.product or 'all products'} any more.")


def _no_entitlement(session: Session, target: Target) -> str:
    del session
    return "" if target.thing.entitlement is not None else "the identity is no entitlement"


def _move_questions(session: Session, target: Target) -> list[Question]:
    from issbox.workflows.hosts import consumers

    return environment_questions(session, consumers.get_consumer(session.ctx, target.subject).environments)


def _move_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    return move_consequences(session, [target.subject], answers)


def _move(session: Session, target: Target, answers: Answers) -> Outcome:
    """Put the host into other environments, after showing what changes for it."""
    return move(session, [target.subject], answers)


def _rename_questions(session: Session, target: Target) -> list[Question]:
    from issbox.workflows.hosts import consumers

    name = consumers.get_consumer(session.ctx, target.subject).name
    return [Question("name", "Name", default=name, required=True)]


def _rename(session: Session, target: Target, answers: Answers) -> Outcome:
    """Give the host another name; its UUID stays."""
    from issbox.workflows.hosts import consumers

    changed = consumers.update_consumer(session.ctx, target.subject, name=answers["name"])
    return Outcome(f"It is called {changed.name} now.")


def _files_questions(session: Session, target: Target) -> list[Question]:
    del target
    return [
        Question("output", "Into the directory", required=True, help="Of this box; made when it is not there."),
        Question("url", "Content URL", default=session.ctx.settings.certificates.content_url, required=True),
    ]


def _files(session: Session, target: Target, answers: Answers) -> Outcome:
    """Write key, certificates and .repo file for a host without subscription-manager, to be copied to it."""
    from issbox.workflows.hosts import host_files

    made = host_files.write_host_files(
        session.ctx, target.subject, Path(answers["output"].strip()), content_url=answers["url"]
    )
    files = plural(len(made), "file")
    return Outcome(f"{files} in {answers['output'].strip()}: copy them to the host, and keep key.pem secret.")


PLACE: Final = Place(
    "host",
    "One host",
    "What a host is entitled to, and its certificates: until when they are valid, and whether they say what ones "
    "issued now would.",
    _show,
)

ACTIONS: Final = (
    Action("host.open", "enter", "Decoded", _decoded, _Held, Permission.CERTIFICATE_MANAGE, why_not=_no_certificate),
    Action("host.issue", "i", "Issue now", _issue, permission=Permission.CONSUMER_MANAGE),
    Action(
        "host.identity",
        "n",
        "New identity",
        _identity,
        permission=Permission.CONSUMER_MANAGE,
        confirm=_identity_confirm,
    ),
    Action(
        "host.revoke",
        "v",
        "Revoke",
        _revoke,
        _Held,
        Permission.CERTIFICATE_MANAGE,
        confirm=_revoke_confirm,
        why_not=_no_certificate,
    ),
    Action("host.entitle", "a", "Entitle", _entitle, permission=Permission.CONSUMER_MANAGE, ask=_entitle_questions),
    Action(
        "host.disentitle",
        "d",
        "Take away",
        _disentitle,
        _Held,
        Permission.CONSUMER_MANAGE,
        confirm=_disentitle_confirm,
        why_not=_no_entitlement,
    ),
    Action(
        "host.move",
        "m",
        "Move",
        _move,
        permission=Permission.CONSUMER_MANAGE,
        ask=_move_questions,
        confirm=_move_confirm,
    ),
    Action("host.rename", "e", "Rename", _rename, permission=Permission.CONSUMER_MANAGE, ask=_rename_questions),
    Action("host.files", "w", "Write files", _files, permission=Permission.CONSUMER_MANAGE, ask=_files_questions),
)
