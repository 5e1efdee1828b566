"""What one lifecycle environment holds, beside what the one before it holds."""

from typing import TYPE_CHECKING, Any, Final

from issbox.console.lines import details, listed
from issbox.console.places import promotions
from issbox.console.places.environments import held_content, state_of
from issbox.console.session import Session
from issbox.console.words import (
    Action,
    Answers,
    Column,
    Consequences,
    Line,
    Mood,
    Outcome,
    Place,
    Target,
    Text,
    View,
    Wanted,
)
from issbox.model import LifecycleEnvironment, Promotion
from issbox.workflows.context import Permission

if TYPE_CHECKING:
    from issbox.workflows.job_kinds.promotions import PromoteJob


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    place: LifecycleEnvironment = subject
    mine = held_content(session.ctx, place.organization, place.label)
    prior = {} if place.prior is None else held_content(session.ctx, place.organization, place.prior)
    lines = [_content_line(name, each, prior.get(name)) for name, each in sorted(mine.items())]
    lines.extend(
        Line(name, (name, "-", "", f"not here; prior has {prior[name].number}"), None, Mood.BUSY)
        for name in sorted(prior.keys() - mine.keys())
    )
    return View(
        f"Content of {place.name} ({place.organization})",
        (Column("Content", 26, 2), Column("Version", 8), Column("From view", 16, 1), Column("State", 22, 1)),
        listed(lines, wanted),
        empty="Nothing has been promoted here.",
    )


def _content_line(name: str, each: Promotion, prior: Promotion | None) -> Line:
    behind = prior is not None and state_of(each) != state_of(prior)
    state = f"prior has {prior.number}" if prior is not None and behind else "as prior" if prior is not None else ""
    cells = (name, str(each.number), str(each.view_version or ""), state)
    return Line(name, cells, each, Mood.BUSY if behind else Mood.PLAIN)


def _remove_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    del answers
    plan = _demotion(target).plan(session.ctx)
    return promotions.plan_consequences(plan, f"Take {plan.subject} out of {plan.environment}?", "Take out")


def _remove(session: Session, target: Target, answers: Answers) -> Outcome:
    """Take a content out of the environment."""
    return promotions.begin(session, _demotion(target, answers["confirmed"]))


def _demotion(target: Target, confirmed: str = "") -> "PromoteJob":
    from issbox.workflows.job_kinds.promotions import PromoteJob

    place: LifecycleEnvironment = target.subject
    return PromoteJob(place.organization, place.label, confirmed, demote=(target.thing.repository.key,))


def _content_details(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show one content and what happened to it here."""
    from issbox.workflows.environments import promoting

    del answers
    each: Promotion = target.thing
    history = promoting.list_promotions(session.ctx, target.subject.organization, target.subject.label, limit=200)
    touched = [
        f"  {record.at:%Y-%m-%d %H:%M} {record.action} {record.subject} by {record.actor.name}"
        for record in history
        if any(held.key == each.repository.key for held in (*record.before, *record.after))
    ]
    facts = details(
        [
            ("repository", each.repository.key.short),
            ("name", each.repository.name),
            ("version", each.number),
            ("content view", each.view_version),
            ("content path", each.repository.content.path),
            ("enabled", {None: "as the content says", True: "yes", False: "no"}[each.enabled]),
        ]
    )
    lines = (*facts, "", "What happened to it here:", *touched)
    return Outcome(text=Text(each.repository.key.short, lines, (("content path", each.repository.content.path),)))


PLACE: Final = Place(
    "environment",
    "Content of an environment",
    "What one environment holds, beside what the one before it holds.",
    _show,
)

ACTIONS: Final = (
    Action("environment.open", "enter", "Details", _content_details, Promotion),
    Action(
        "environment.remove", "d", "Take out", _remove, Promotion, Permission.CONTENT_PROMOTE, confirm=_remove_confirm
    ),
)
