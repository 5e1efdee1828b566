"""Which certificates end when: those of the box, and those of hosts, of which there may be many."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from issbox.console.lines import PagedLines, listed
from issbox.console.places.host_forms import certificate_text
from issbox.console.session import Session
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
    Target,
    View,
    Wanted,
)
from issbox.model import EndingCertificate, EndingFilter
from issbox.workflows.context import Permission

if TYPE_CHECKING:
    from issbox.workflows.appliance.health import Expiry
    from issbox.workflows.hosts.host_lists import Period


_ENDS: Final = 2
"""Number of the column that certificates are listed by, up or down."""


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows.appliance import health
    from issbox.workflows.hosts import host_lists

    del subject
    ctx = session.ctx
    days = ctx.settings.health.certificate_days
    now = ctx.clock()
    lines: list[Line] = []
    if ctx.reach(Permission.BOX_READ).everywhere:
        soon = now + timedelta(days=days)
        lines.extend(_box_line(each, now, soon) for each in health.box_certificates(ctx))
    if ctx.reach(Permission.CERTIFICATE_MANAGE).products(session.organization).cover(()):
        lines.extend(_period_line(each) for each in host_lists.periods(ctx, session.organization))
    return View(
        f"Expiry of certificates, {session.organization}",
        (Column("Whose", 24, 2), Column("Ends", 16, 1), Column("State", 12), Column("How many", 9)),
        listed(lines, wanted),
        head=(f"Hosts' certificates are renewed when hosts ask; those of the box warn {days} days before.",),
    )


def _box_line(each: "Expiry", now: datetime, soon: datetime) -> Line:
    state, mood = ("later", Mood.PLAIN) if each.not_after > soon else ("soon", Mood.BUSY)
    if each.not_after < now:
        state, mood = "ended", Mood.BAD
    return Line(f"box {each.what} {each.not_after}", (each.what, when(each.not_after), state, "1"), Opening("ca"), mood)


def _period_line(each: "Period") -> Line:
    ended = each.words == "ended"
    mood = Mood.BAD if ended and each.certificates else Mood.PLAIN if each.certificates else Mood.QUIET
    cells = ("hosts", each.words, "ended" if ended else "in use", str(each.certificates))
    return Line(f"hosts {each.words}", cells, Opening("ending", each.wanted), mood)


def _open(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show the certificates that end then, or the place where the box's own are renewed."""
    del session, answers
    return Outcome(opening=target.thing)


def _show_ending(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows.hosts import host_lists

    period: EndingFilter = subject
    shown = replace(period, search=wanted.search, descending=wanted.descending)
    pages = host_lists.browse_ending(session.ctx, shown)
    start = "" if period.after is None else f" from {when(period.after)}"
    end = "" if period.before is None else f" until {when(period.before)}"
    return View(
        f"Certificates of {period.organization} that end{start}{end}",
        (Column("Host", 18, 2), Column("Kind", 11), Column("Ends", 16), Column("Serial", 16), Column("UUID", 9, 1)),
        PagedLines(pages, _ending_line),
        empty="None does.",
        sorts=(_ENDS,),
    )


def _ending_line(each: EndingCertificate) -> Line:
    cells = (each.name, each.kind.value, when(each.ends), str(each.serial), each.consumer)
    return Line(str(each.serial), cells, each)


def _open_host(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show the host that has the certificate."""
    del session, answers
    return Outcome(opening=Opening("host", target.thing.consumer))


def _decoded(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show what a certificate says."""
    del answers
    return Outcome(text=certificate_text(session, target.thing.serial))


PLACE: Final = Place(
    "expiry",
    "Expiry of certificates",
    "Which certificates end when: the box's own one by one, those of hosts counted by the time that is left.",
    _show,
)
ENDING: Final = Place(
    "ending",
    "Certificates that end",
    "Certificates of hosts by their end; / looks for words in the name of the host.",
    _show_ending,
)

ACTIONS: Final = (
    Action("expiry.open", "enter", "Open", _open, Opening),
    Action("ending.open", "enter", "Host", _open_host, EndingCertificate),
    Action("ending.decoded", "t", "Decoded", _decoded, EndingCertificate, Permission.CERTIFICATE_MANAGE),
)
