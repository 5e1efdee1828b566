"""Other boxes that read content from this one: which may, and what they took."""

from typing import Any, Final

from issbox.console.lines import details, listed
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
    Text,
    View,
    Wanted,
)
from issbox.model import Downstream
from issbox.names import format_size
from issbox.workflows.context import Permission


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows.cdn.downstream import list_downstream

    del subject
    lines = (_line(at, each) for at, each in enumerate(list_downstream(session.ctx, session.organization)))
    return View(
        f"Boxes that read content of {session.organization} from here",
        (
            Column("Box", 24, 2),
            Column("Environment", 12, 1),
            Column("Last", 16),
            Column("Files", 8),
            Column("Size", 10),
        ),
        listed(lines, wanted),
        empty="None may yet: c in Hosts (H) registers another box as a host.",
        head=("What they take is written down every half a minute.",),
    )


def _line(at: int, each: Downstream) -> Line:
    taken = each.taking
    if taken is None:
        cells = (each.name, "nothing yet", "never", "", "")
    else:
        cells = (each.name, taken.environment, when(taken.last_at), str(taken.requests), format_size(taken.size))
    return Line(f"{at} {each.name}", cells, each, Mood.QUIET if taken is None else Mood.PLAIN)


def _open(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show who a box is, which certificate it showed, and what it took."""
    del session, answers
    each: Downstream = target.thing
    taken, host = each.taking, each.consumer
    who = [("name", each.name)]
    if host is not None:
        places = ", ".join(host.environments) or "none: the present content of its products"
        who += [("UUID", host.uuid), ("may read", places)]
    else:
        who.append(("may read", "what the certificate of its manifest says"))
    took: list[tuple[str, object]] = [("took", "nothing yet")]
    if taken is not None:
        took = [
            ("took from", taken.environment),
            ("files", taken.requests),
            ("size", format_size(taken.size)),
            ("first", when(taken.first_at)),
            ("last", when(taken.last_at)),
            ("certificate", taken.subject),
            ("signed by", taken.issuer),
            ("serial", taken.serial),
        ]
    return Outcome(text=Text(each.name, details([*who, *took])))


def _host(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show the box with its entitlements and certificates, as every host."""
    del session, answers
    return Outcome(opening=Opening("host", target.thing.consumer.uuid))


def _no_host(session: Session, target: Target) -> str:
    del session
    return "" if target.thing.consumer is not None else "it came with the certificate of a manifest, not as a host"


def _from_cdn(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show which other boxes may read content from this one, and what they took."""
    del session, target, answers
    return Outcome(opening=Opening("downstream"))


PLACE: Final = Place(
    "downstream",
    "Boxes that read from here",
    "Other boxes that have this one as their CDN: hosts of type candlepin or satellite, and whoever shows the "
    "certificate of a manifest to an environment that stands in for the CDN.",
    _show,
)

ACTIONS: Final = (
    Action("cdn.downstream", "b", "Boxes", _from_cdn, permission=Permission.CONSUMER_MANAGE),
    Action("downstream.open", "enter", "Details", _open, Downstream),
    Action("downstream.host", "h", "Host", _host, Downstream, Permission.CONSUMER_MANAGE, why_not=_no_host),
)
