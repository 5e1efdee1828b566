"""Regenerations: certificates issued anew for many hosts, let rest, gone on with, and ended."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from issbox.console.lines import details, listed
from issbox.console.places import hosts
from issbox.console.places.host_forms import environment_choices, product_choices
from issbox.console.places.jobs import job_text
from issbox.console.session import Session
from issbox.console.showing import percent, when
from issbox.console.words import (
    Action,
    Answers,
    Column,
    Consequences,
    Kind,
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
from issbox.model import HostState, Job, Regeneration, RegenerationScope, RegenerationState
from issbox.names import plural
from issbox.workflows.context import Permission

if TYPE_CHECKING:
    from issbox.workflows.context import Context

_EVERYWHERE: Final = "everywhere"
_MOODS: Final = {
    RegenerationState.RUNNING: Mood.BUSY,
    RegenerationState.PAUSED: Mood.BUSY,
    RegenerationState.DONE: Mood.GOOD,
    RegenerationState.CANCELLED: Mood.QUIET,
}


@dataclass(frozen=True, slots=True)
class _Issuing:
    """What a line is about."""

    regeneration: Regeneration
    job: Job | None
    """The last job that did some of it; a command in a terminal has none."""

    @property
    def at_work(self) -> bool:
        """Whether a job is at it, or waits to be."""
        return self.job is not None and not self.job.state.over


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows.certificates import regenerating

    del subject
    ctx, organization = session.ctx, session.organization
    jobs = _jobs(ctx)
    lines = (_line(_Issuing(each, jobs.get(each.id))) for each in regenerating.list_regenerations(ctx, organization))
    return View(
        f"Regenerations of {organization}",
        (
            Column("ID", 4),
            Column("When", 16),
            Column("State", 9),
            Column("How far", 14, 1),
            Column("Failed", 6),
            Column("Certificates of", 16, 2),
        ),
        listed(lines, wanted),
        empty="Certificates were never issued for many hosts at once: r in Hosts does it.",
    )


def _jobs(ctx: "Context") -> dict[int, Job]:
    """Give the newest job of each regeneration."""
    from issbox.workflows.job_kinds.regeneration import RegenerateJob
    from issbox.workflows.jobs import list_jobs

    found: dict[int, Job] = {}
    for job in list_jobs(ctx, wanted=lambda each: each.kind == RegenerateJob.kind):
        number = job.parameters.get("regeneration")
        if isinstance(number, int):
            found.setdefault(number, job)
    return found


def _line(thing: _Issuing) -> Line:
    each = thing.regeneration
    cells = (
        str(each.id),
        when(each.created_at),
        each.state.value,
        how_far(each),
        str(each.failed),
        str(each.scope),
    )
    return Line(str(each.id), cells, thing, _MOODS.get(each.state, Mood.PLAIN))


def how_far(each: Regeneration) -> str:
    """Give how many certificates of a regeneration have been looked at."""
    share = percent(each.done, each.total)
    return f"{each.done} of {each.total}{f', {share}' if share else ''}"


def _open(session: Session, target: Target, answers: Answers) -> Outcome:
    """Watch how far it is, or see what came of it."""
    del answers
    thing: _Issuing = target.thing
    if thing.job is not None and thing.at_work:
        return Outcome(job=thing.job.id)
    each = thing.regeneration
    facts = details(
        [
            ("certificates of", each.scope),
            ("state", each.state),
            ("asked for", when(each.created_at)),
            ("looked at", how_far(each)),
            ("as they were", each.kept),
            ("failed", each.failed),
            ("last failure", each.last_error),
            ("also unchanged", "yes" if each.scope.unchanged else "no"),
        ]
    )
    last = () if thing.job is None else ("", f"Job {thing.job.id}:", *job_text(session, thing.job.id).lines)
    return Outcome(text=Text(f"Regeneration {each.id}", (*facts, *last)))


def _pause(session: Session, target: Target, answers: Answers) -> Outcome:
    """Let it rest after the few certificates that it is at; what was issued stays."""
    from issbox.workflows.certificates import regenerating

    del answers
    each = regenerating.pause_regeneration(session.ctx, target.thing.regeneration.id)
    return Outcome(f"Regeneration {each.id} rests: r goes on with it.")


def _not_to_pause(session: Session, target: Target) -> str:
    del session
    state = target.thing.regeneration.state
    return "" if state in (RegenerationState.WAITING, RegenerationState.RUNNING) else f"it is {state} already"


def _resume(session: Session, target: Target, answers: Answers) -> Outcome:
    """Go on where it was, as a job: after a pause, or when the process that was at it died."""
    from issbox.workflows.certificates import regenerating

    del answers
    return _begin(session, regenerating.resume_regeneration(session.ctx, target.thing.regeneration.id))


def _not_to_resume(session: Session, target: Target) -> str:
    del session
    thing: _Issuing = target.thing
    if thing.regeneration.ended:
        return f"it is {thing.regeneration.state} already"
    if not thing.at_work:
        return ""
    resting = thing.regeneration.state is RegenerationState.PAUSED
    return "it issues the last few before it rests: a moment" if resting else "it goes on already"


def _cancel_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    del session, answers
    each: Regeneration = target.thing.regeneration
    lines = (
        f"{how_far(each)} of {each.scope}: what was issued stays.",
        "The others are issued when hosts ask, or by another regeneration.",
    )
    return Consequences(f"End regeneration {each.id}?", lines, "End it", final=True)


def _cancel(session: Session, target: Target, answers: Answers) -> Outcome:
    """End it for good; what was issued stays."""
    from issbox.workflows.certificates import regenerating

    del answers
    each = regenerating.cancel_regeneration(session.ctx, target.thing.regeneration.id)
    return Outcome(f"Regeneration {each.id} is ended; what was issued stays.")


def _not_to_cancel(session: Session, target: Target) -> str:
    del session
    each: Regeneration = target.thing.regeneration
    return f"it is {each.state} already" if each.ended else ""


def _regenerate_questions(session: Session, target: Target) -> list[Question]:
    chosen: list[tuple[str, str]] = []
    if isinstance(target.thing, HostState):
        chosen.append((f"consumer:{target.thing.consumer.uuid}", f"this host, {target.thing.consumer.name}"))
    shown = hosts.shown_hosts(session, target.subject).environment
    whose = (
        *chosen,
        ("all", "all hosts"),
        *(((_EVERYWHERE, "all hosts of all organizations"),) if len(session.organizations()) > 1 else ()),
        *((f"environment:{label}", f"hosts in {name}") for label, name in environment_choices(session)),
        *((f"product:{label}", f"those of {name}") for label, name in product_choices(session)),
    )
    default = f"environment:{shown}" if shown else whose[0][0]
    words = "Also those that would say the same, with new serial numbers"
    return [
        Question("whose", "Certificates of", Kind.CHOICE, default, whose),
        Question("unchanged", words, Kind.YES_NO, "no"),
    ]


def _scope(session: Session, answers: Answers) -> RegenerationScope:
    kind, _, value = answers["whose"].partition(":")
    named = {} if kind == "all" else {kind: value}
    return RegenerationScope(session.organization, **named, unchanged=answers["unchanged"] == "yes")


def _regenerate_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    from issbox.workflows.certificates import regenerating
    from issbox.workflows.hosts import host_lists

    del target
    unchanged = answers["unchanged"] == "yes"
    if answers["whose"] == _EVERYWHERE:
        counts = regenerating.count_everywhere(session.ctx, unchanged=unchanged)
    else:
        scope = _scope(session, answers)
        counts = {scope: host_lists.count_to_issue(session.ctx, scope)}
    number = sum(counts.values())
    what = "all of them" if unchanged else "those that are stale or missing"
    lines = (
        *(f"{plural(each, 'certificate')} of {scope}: {what}" for scope, each in counts.items()),
        "One that would say the same stays." if not unchanged else "Every one gets a new serial number.",
        "What a new one replaces is revoked. Hosts fetch theirs when they check in.",
    )
    return Consequences("Issue certificates now?", lines, "Issue", () if number else ("None has to be issued.",))


def _regenerate(session: Session, target: Target, answers: Answers) -> Outcome:
    """Issue certificates now: of one host, of an environment, of a product or of all, as a job."""
    from issbox.workflows.certificates import regenerating

    del target
    if answers["whose"] != _EVERYWHERE:
        return _begin(session, regenerating.start_regeneration(session.ctx, _scope(session, answers)))
    begun = regenerating.start_everywhere(session.ctx, unchanged=answers["unchanged"] == "yes")
    for each in begun:
        _begin(session, each)
    return Outcome(f"{plural(len(begun), 'job')}, one for each organization.", opening=Opening("jobs"))


def _begin(session: Session, wanted: Regeneration) -> Outcome:
    from issbox.workflows.job_kinds.regeneration import RegenerateJob

    job = session.begin(RegenerateJob(wanted.id))
    return Outcome(f"Job {job.id}: {job.subject}.", job=job.id)


def _from_hosts(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show how far certificates are that are issued for many hosts: pause, go on, end."""
    del session, target, answers
    return Outcome(opening=Opening("regenerations"))


PLACE: Final = Place(
    "regenerations",
    "Regenerations",
    "Certificates that are, or were, issued anew for many hosts, newest first. One goes on when the console ends, and "
    "is found again here.",
    _show,
)

ACTIONS: Final = (
    Action(
        "hosts.regenerate",
        "r",
        "Regenerate",
        _regenerate,
        permission=Permission.CERTIFICATE_MANAGE,
        ask=_regenerate_questions,
        confirm=_regenerate_confirm,
    ),
    Action("hosts.regenerations", "t", "Regenerations", _from_hosts, permission=Permission.CERTIFICATE_MANAGE),
    Action("regenerations.open", "enter", "Watch", _open, _Issuing),
    Action(
        "regenerations.pause",
        "p",
        "Pause",
        _pause,
        _Issuing,
        Permission.CERTIFICATE_MANAGE,
        why_not=_not_to_pause,
    ),
    Action(
        "regenerations.resume",
        "r",
        "Resume",
        _resume,
        _Issuing,
        Permission.CERTIFICATE_MANAGE,
        why_not=_not_to_resume,
    ),
    Action(
        "regenerations.cancel",
        "c",
        "Cancel",
        _cancel,
        _Issuing,
        Permission.CERTIFICATE_MANAGE,
        confirm=_cancel_confirm,
        why_not=_not_to_cancel,
    ),
)
