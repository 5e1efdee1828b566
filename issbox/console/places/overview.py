"""The overview: how the box is, and what needs somebody; each line leads to its place."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from issbox.console.lines import listed
from issbox.console.places.jobs import how_far
from issbox.console.places.regenerations import how_far as how_far_issued
from issbox.console.session import Session, whole_box
from issbox.console.showing import when
from issbox.console.words import (
    Action,
    Answers,
    Column,
    Kind,
    Line,
    Mood,
    Opening,
    Outcome,
    Place,
    Question,
    Target,
    View,
    Wanted,
)
from issbox.model import ImportState
from issbox.names import format_size, make_label, plural
from issbox.rules.health import Problem, Trouble
from issbox.workflows.context import Permission

_SHOWN: Final = 3
_TROUBLES: Final = {
    Trouble.SPACE: ("Space", "low", "settings"),
    Trouble.CERTIFICATE: ("Certificate", "ends", "expiry"),
    Trouble.SKIPPED: ("Export", "lacks", "inbox"),
    Trouble.DAMAGED: ("Store", "damaged", "settings"),
}
"""What is shown of a problem, and where it leads; the inbox and the service have lines of their own."""


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    del subject
    ctx = session.ctx
    user = ctx.user or f"{ctx.actor.name}, who owns the box"
    return View(
        f"Overview of {session.organization or 'the box'}",
        (Column("About", 12), Column("State", 10), Column("What", 40, 1)),
        listed(_lines(session), wanted),
        head=(f"You are {user}. Enter on a line leads to its place.",),
    )


def _lines(session: Session) -> Iterator[Line]:
    yield from _box(session)
    if not session.organization:
        words = "you have no role in any organization: ask a super-admin of the box"
        yield _line("Role", "none", words, "settings", Mood.BAD)
        return
    yield from _inbox(session)
    yield from _jobs(session)
    yield from _hosts(session)
    yield from _exports(session)
    yield from _promotions(session)


def _line(name: str, state: str, words: str, place: str, mood: Mood = Mood.PLAIN) -> Line:
    return Line(f"{place} {name} {words[:30]}", (name, state, words), Opening(place), mood)


def _box(session: Session) -> Iterator[Line]:
    from issbox.workflows.appliance import box_status, health

    ctx = session.ctx
    if ctx.reach(Permission.BOX_READ).everywhere:
        status = box_status.status(ctx)
        bad = [each for each in status.problems if each.trouble in _TROUBLES]
        facts = f"{plural(status.organizations, 'organization')}, {plural(status.repositories, 'repository')}"
        state = "see below" if bad else "ok"
        yield _line("Box", state, f"{status.box.name}: {facts}", "settings", Mood.BUSY if bad else Mood.GOOD)
        yield from _problems(bad)
        if not any(each.trouble is Trouble.SPACE for each in bad):
            space = f"{format_size(status.free)} of {format_size(status.total)} are free"
            yield _line("Space", "ok", space, "settings", Mood.GOOD)
        if not status.trusted_keys:
            yield _line("Trust", "none", "no other box is trusted: no bundle is accepted", "keys", Mood.BUSY)
    runs = health.service_runs(ctx)
    words = "the service watches the inbox" if runs else "no service runs: i in the inbox imports what is there"
    yield _line("Service", "runs" if runs else "off", words, "settings", Mood.GOOD if runs else Mood.BUSY)


def _problems(found: Sequence[Problem]) -> Iterator[Line]:
    for trouble, (name, state, place) in _TROUBLES.items():
        of_kind = [each for each in found if each.trouble is trouble]
        for each in of_kind[:_SHOWN]:
            yield _line(name, state, each.what, place, Mood.BAD)
        if len(of_kind) > _SHOWN:
            yield _line(name, state, f"... and {len(of_kind) - _SHOWN} more", place, Mood.BAD)


def _inbox(session: Session) -> Iterator[Line]:
    from issbox.workflows import history

    nothing = True
    for state, words, mood in (
        (ImportState.REFUSED, "refused", Mood.BAD),
        (ImportState.WAITING, "waits", Mood.BUSY),
        (ImportState.IMPORTING, "imports", Mood.BUSY),
        (ImportState.SETTLED, "is next", Mood.PLAIN),
        (ImportState.ARRIVING, "arrives", Mood.PLAIN),
    ):
        for row in history.list_imports(session.ctx, [state], _SHOWN):
            nothing = False
            what = row.path.rpartition("/")[2] or f"import {row.id}"
            yield _line("Inbox", words, f"{what}{': ' if row.reason else ''}{row.reason}", "inbox", mood)
    for row in history.list_imports(session.ctx, [ImportState.IMPORTED], _SHOWN):
        nothing = False
        yield _line(
            "Inbox",
            "imported",
            f"{when(row.updated_at)} into {row.organization}{'' if row.sequence is None else f', #{row.sequence}'}",
            "inbox",
            Mood.GOOD,
        )
    if nothing:
        yield _line("Inbox", "empty", f"bundles arrive in {session.ctx.settings.inbox.path}", "inbox")


def _jobs(session: Session) -> Iterator[Line]:
    from issbox.workflows import jobs

    known = jobs.list_jobs(session.ctx, limit=20)
    for job in known:
        if not job.state.over:
            yield _line("Job", job.state.value, f"{job.kind} {job.subject}: {how_far(job)}", "jobs", Mood.BUSY)
    for job in [job for job in known if job.state.over and job.reason][:1]:
        yield _line("Job", job.state.value, f"{job.kind} {job.subject}: {job.reason}", "jobs", Mood.BAD)


def _hosts(session: Session) -> Iterator[Line]:
    if not session.ctx.reach(Permission.CONSUMER_MANAGE).products(session.organization).cover(()):
        return
    from issbox.workflows.hosts.host_summary import summarize_hosts

    found = summarize_hosts(session.ctx, session.organization)
    if found.total:
        words = plural(found.total, "host")
        if found.stale:
            words += f"; {plural(found.stale, 'certificate')} to issue: when hosts ask, or by r in Hosts"
        yield _line("Hosts", "stale" if found.stale else "ok", words, "hosts", Mood.BUSY if found.stale else Mood.PLAIN)
    yield from _regenerations(session)


def _regenerations(session: Session) -> Iterator[Line]:
    if not session.ctx.reach(Permission.CERTIFICATE_MANAGE).products(session.organization).cover(()):
        return
    from issbox.workflows.hosts.host_summary import resting_regenerations

    for each in resting_regenerations(session.ctx, session.organization):
        words = f"certificates of {each.scope}, {how_far_issued(each)}: r in Regenerations goes on"
        yield _line("Hosts", "paused", words, "regenerations", Mood.BUSY)


def _exports(session: Session) -> Iterator[Line]:
    from issbox.workflows import history

    for each in history.list_exports(session.ctx, session.organization, _SHOWN):
        for_whom = f" for {each.destination}" if each.destination else ""
        words = f"{when(each.created_at)} #{each.sequence}{for_whom}, {format_size(each.size)}"
        yield _line("Export", each.state.value, words, "exports")


def _promotions(session: Session) -> Iterator[Line]:
    from issbox.workflows.environments import promoting

    for each in promoting.list_promotions(session.ctx, session.organization, limit=_SHOWN):
        words = f"{when(each.at)} {each.subject} in {each.environment} by {each.actor.name}"
        yield _line("Promotion", each.action.value, words, "promotions")


def _open(session: Session, target: Target, answers: Answers) -> Outcome:
    """Go to the place that the line is about."""
    del session, answers
    return Outcome(opening=target.thing)


def _organization_questions(session: Session, target: Target) -> list[Question]:
    from issbox.workflows.content import catalog

    del target
    names = tuple((each.label, f"{each.name} ({each.label})") for each in catalog.list_organizations(session.ctx))
    return [Question("organization", "Organization", Kind.CHOICE, session.organization, names, required=True)]


def _organization(session: Session, target: Target, answers: Answers) -> Outcome:
    """Work on another organization."""
    del target
    session.organization = answers["organization"]
    return Outcome(f"You work on {session.organization}.")


def _create_questions(session: Session, target: Target) -> list[Question]:
    del session, target
    return [
        Question("name", "Name", required=True),
        Question("label", "Label", help="Never changes. Made from the name when left out."),
    ]


def _create(session: Session, target: Target, answers: Answers) -> Outcome:
    """Make an organization, which sees nothing of the others."""
    from issbox.workflows.content import catalog

    del target
    made = catalog.create_organization(
        session.ctx, label=answers["label"] or make_label(answers["name"]), name=answers["name"]
    )
    session.organization = made.label
    return Outcome(f"{made.name} is there, and you work on it.")


PLACE: Final = Place(
    "overview",
    "Overview",
    "How the box is and what needs somebody: inbox, jobs, exports, promotions, free space.",
    _show,
    "1",
    "Over",
)

ACTIONS: Final = (
    Action("overview.open", "enter", "Go there", _open, Opening),
    Action("overview.organization", "c", "Change organization", _organization, ask=_organization_questions),
    Action(
        "overview.create",
        "n",
        "New organization",
        _create,
        permission=Permission.ORGANIZATION_MANAGE,
        where=whole_box,
        ask=_create_questions,
    ),
)
