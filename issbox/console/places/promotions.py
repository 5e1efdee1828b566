"""Promotions: the history of what environments hold, promoting something, and taking a change back."""

from typing import TYPE_CHECKING, Any, Final

from issbox.console.lines import details, listed
from issbox.console.session import Session
from issbox.console.showing import plan_lines, refusal_lines, when
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
from issbox.model import Held, LifecycleEnvironment, PromotionRecord, RepositoryKey, ViewVersionName
from issbox.names import plural
from issbox.rules.environments.promoting import PromotionPlan
from issbox.workflows.context import Permission

if TYPE_CHECKING:
    from issbox.workflows.job_kinds.promotions import PromoteJob


_MOST: Final = 2000


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows.environments import promoting

    del subject
    records = promoting.list_promotions(session.ctx, session.organization, limit=_MOST)
    return View(
        f"Promotions of {session.organization}",
        (
            Column("ID", 4),
            Column("When", 16),
            Column("Into", 10, 1),
            Column("What", 22, 2),
            Column("Done", 8),
            Column("By", 8, 1),
        ),
        listed((_line(each) for each in records), wanted),
        empty="Nothing has been promoted yet.",
    )


def _line(record: PromotionRecord) -> Line:
    done = f"undone by {record.undone_by}" if record.undone_by is not None else record.action.value
    mood = Mood.QUIET if record.undone_by is not None else Mood.PLAIN
    cells = (str(record.id), when(record.at), record.environment, record.subject, done, record.actor.name)
    return Line(str(record.id), cells, record, mood)


def _details(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show what a promotion changed."""
    del session, answers
    record: PromotionRecord = target.thing
    facts = details(
        [
            ("what", record.subject),
            ("into", record.environment),
            ("done", record.action),
            ("when", when(record.at)),
            ("by", f"{record.actor.name} from {record.actor.origin}"),
            ("reason", record.reason),
            ("takes back", record.undoes),
            ("taken back by", record.undone_by),
        ]
    )
    before = {each.key.short: each for each in record.before}
    after = {each.key.short: each for each in record.after}
    changes = [f"  {name}: {_held(before.get(name))} -> {_held(after.get(name))}" for name in sorted(before | after)]
    return Outcome(text=Text(f"Promotion {record.id}", (*facts, "", *changes)))


def _held(held: Held | None) -> str:
    return "nothing" if held is None else f"version {held.number}"


def promotion_questions(session: Session, what: tuple[tuple[str, str], ...], place: str = "") -> list[Question]:
    """Give the questions of a promotion: what, into which environment (`place` or the first), and why out of order."""
    from issbox.workflows.environments import environments

    places = [each for each in environments.list_environments(session.ctx, session.organization) if each.prior]
    return [
        Question("what", "Promote", Kind.CHOICE, what[0][0] if what else "", what, required=True),
        Question(
            "environment",
            "Into",
            Kind.CHOICE,
            place or (places[0].label if places else ""),
            tuple((each.label, each.name) for each in places),
            required=True,
        ),
        *order_questions(),
    ]


def order_questions() -> tuple[Question, Question]:
    """Give the questions whether it may go out of order, and why."""
    return (
        Question("force", "Out of order", Kind.YES_NO, "no", help="Promote although the prior one lacks it."),
        Question("reason", "Why", help="Is recorded; needed when it goes out of order."),
    )


def order(answers: Answers) -> dict[str, Any]:
    """Give what the answers say of that, as a promotion takes it."""
    return {"force": answers.get("force") == "yes", "reason": answers.get("reason", "")}


def _questions(session: Session, target: Target) -> list[Question]:
    del target
    return promotion_questions(session, tuple(_choices(session)))


def _choices(session: Session) -> list[tuple[str, str]]:
    from issbox.workflows.content import repositories, views
    from issbox.workflows.environments import environments

    ctx, organization = session.ctx, session.organization
    found: list[tuple[str, str]] = []
    for view in views.list_views(ctx, organization):
        for version in views.list_view_versions(ctx, organization, view.label):
            where = f" ({', '.join(version.environments)})" if version.environments else ""
            found.append((f"view:{view.label}:{version.number}", f"{view.name} {version.number}{where}"))
    for each in repositories.list_repositories(ctx, organization):
        if each.latest is not None:
            words = f"{each.key.short} version {each.latest}, the newest"
            found.append((f"repository:{each.key.product}:{each.key.label}:{each.latest}", words))
    found.extend(everything_in(each) for each in environments.list_environments(ctx, organization))
    return found


def everything_in(place: LifecycleEnvironment) -> tuple[str, str]:
    """Give the choice of all that an environment holds."""
    return f"environment:{place.label}", f"everything in {place.name}"


def parameters(session: Session, answers: Answers) -> "PromoteJob":
    """Give the job that the answers ask for."""
    from issbox.workflows.job_kinds.promotions import PromoteJob

    kind, *words = answers["what"].split(":")
    organization, place = session.organization, answers["environment"]
    common = order(answers)
    confirmed = answers.get("confirmed", "")
    if kind == "view":
        return PromoteJob(organization, place, confirmed, view=ViewVersionName(words[0], words[1]), **common)
    if kind == "environment":
        exactly = answers.get("exactly") == "yes"
        return PromoteJob(organization, place, confirmed, source=words[0], exactly=exactly, **common)
    key = RepositoryKey(organization, words[0], words[1])
    return PromoteJob(organization, place, confirmed, repository=key, number=int(words[2]), **common)


def plan_consequences(plan: PromotionPlan, title: str, verb: str, **extra: str) -> Consequences:
    """Show a plan, to be confirmed as it is shown; `extra` goes into the answers."""
    from issbox.workflows.job_kinds.promotions import plan_digest

    summary = (f"{plural(len(plan.changes), 'content')} of {plan.environment} would change.",) if plan.changes else ()
    answers = {"confirmed": plan_digest(plan), **extra}
    return Consequences(title, (*summary, *plan_lines(plan)), verb, refusal_lines(plan), extra=answers)


def confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    """Show the plan of a promotion."""
    del target
    plan = parameters(session, answers).plan(session.ctx)
    return plan_consequences(plan, f"Promote {plan.subject} into {plan.environment}?", "Promote")


def begin(session: Session, wanted: "PromoteJob", opening: Opening | None = None) -> Outcome:
    """Have it done by a job, to be watched."""
    job = session.begin(wanted)
    return Outcome(f"Job {job.id}: {job.subject}.", job=job.id, opening=opening)


def run(session: Session, target: Target, answers: Answers) -> Outcome:
    """Choose a version of a content view or repository and an environment, see the plan, confirm it, and watch it."""
    del target
    return begin(session, parameters(session, answers))


def _undo_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    del answers
    return undo_consequences(session, target.thing)


def undo_consequences(session: Session, record: PromotionRecord) -> Consequences:
    """Show what changes when a promotion is taken back."""
    from issbox.workflows.environments import promoting

    plan = promoting.plan_undo(session.ctx, record.id)
    title = f"Take back promotion {record.id} of {plan.environment}, {record.action} {record.subject}?"
    return plan_consequences(plan, title, "Take back", undo=str(record.id), environment=record.environment)


def undo(session: Session, target: Target, answers: Answers) -> Outcome:
    """Take a promotion back, after showing what changes."""
    from issbox.workflows.job_kinds.promotions import PromoteJob

    del target
    environment, number = answers["environment"], int(answers["undo"])
    return begin(session, PromoteJob(session.organization, environment, answers["confirmed"], undo=number))


def _not_to_undo(session: Session, target: Target) -> str:
    del session
    by = target.thing.undone_by
    return "" if by is None else f"promotion {by} has taken it back"


PLACE: Final = Place(
    "promotions",
    "Promotions",
    "Every change of what environments hold, newest first. Promote something here, and take a promotion back.",
    _show,
    "4",
    "Promos",
)

ACTIONS: Final = (
    Action("promotions.open", "enter", "Details", _details, PromotionRecord),
    Action(
        "promotions.promote", "p", "Promote", run, permission=Permission.CONTENT_READ, ask=_questions, confirm=confirm
    ),
    Action(
        "promotions.undo",
        "u",
        "Undo",
        undo,
        PromotionRecord,
        Permission.CONTENT_READ,
        confirm=_undo_confirm,
        why_not=_not_to_undo,
    ),
)
