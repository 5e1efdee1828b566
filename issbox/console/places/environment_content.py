"""All that an environment holds, changed at once: everything of another one, exactly a set, or back to before."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from issbox.console.lines import listed
from issbox.console.places import promotions
from issbox.console.places.environments import held_content, not_library
from issbox.console.session import Session
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
    View,
    Wanted,
)
from issbox.errors import WrongStateError
from issbox.model import LifecycleEnvironment, RepositoryKey, ViewVersion, ViewVersionName, WantedContent
from issbox.names import plural
from issbox.workflows.context import Context, Permission

if TYPE_CHECKING:
    from issbox.workflows.job_kinds.promotions import PromoteJob

_RECENT: Final = 200
"""Changes among which the last one is looked for."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What an environment is to hold, as far as it has been put together."""

    place: LifecycleEnvironment
    wanted: tuple[WantedContent, ...]

    def with_content(self, content: Iterable[WantedContent], *gone: str) -> "Draft":
        """Give the draft with these contents in place of what it has of the same repositories, and without others."""
        coming = {_name(each): each for each in content}
        kept = {_name(each): each for each in self.wanted if _name(each) not in gone}
        return replace(self, wanted=tuple({**kept, **coming}.values()))


@dataclass(frozen=True, slots=True)
class _Choice:
    """What a line of a draft is about."""

    repository: RepositoryKey
    now: WantedContent | None
    then: WantedContent | None


def _name(content: WantedContent) -> str:
    return f"{content.product}/{content.repository}"


def _version(content: WantedContent | None) -> str:
    if content is None:
        return "-"
    return f"{content.number}{f' of {content.view_version}' if content.view_version else ''}"


def _held(ctx: Context, organization: str, label: str) -> dict[str, WantedContent]:
    """Give what an environment holds, by product and label."""
    return {
        name: WantedContent(
            each.repository.key.product, each.repository.key.label, each.number, each.view_version, each.enabled
        )
        for name, each in held_content(ctx, organization, label).items()
    }


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows.content import repositories

    draft: Draft = subject
    organization = draft.place.organization
    now = _held(session.ctx, organization, draft.place.label)
    then = {_name(each): each for each in draft.wanted}
    known = {each.key.short: each.key for each in repositories.list_repositories(session.ctx, organization)}
    lines = [
        _line(name, _Choice(known.get(name) or _key(organization, name), now.get(name), then.get(name)))
        for name in sorted(known.keys() | now.keys() | then.keys())
    ]
    changes = sum(1 for each in lines if each.mood is Mood.BUSY)
    return View(
        f"What {draft.place.name} is to hold ({organization})",
        (Column("Content", 24, 2), Column("Now", 16, 1), Column("Then", 16, 1), Column("Change", 13)),
        listed(lines, wanted),
        empty="There is no repository yet: 5 leads to the products.",
        head=(
            f"{plural(len(draft.wanted), 'repository')}, {plural(changes, 'change')}. w shows the plan, to confirm it.",
        ),
    )


def _key(organization: str, name: str) -> RepositoryKey:
    product, _, label = name.partition("/")
    return RepositoryKey(organization, product, label)


def _line(name: str, choice: _Choice) -> Line:
    now, then = choice.now, choice.then
    if _version(now) == _version(then):
        change = "" if now is None else "stays"
    else:
        change = "comes" if now is None else "goes" if then is None else "is replaced"
    mood = Mood.BUSY if change not in ("", "stays") else Mood.PLAIN if then is not None else Mood.QUIET
    return Line(name, (name, _version(now), _version(then), change), choice, mood)


def _opening(draft: Draft) -> Opening:
    return Opening("exactly", draft)


def _choose_questions(session: Session, target: Target) -> list[Question]:
    from issbox.workflows.content import repositories

    choice: _Choice = target.thing
    key = choice.repository
    published = _view_versions(session, key.organization)
    found = [("", "not there")]
    for each in reversed(repositories.list_versions(session.ctx, key)):
        found.append((f"{each.number}", f"version {each.number}"))
        found.extend(
            (f"{each.number} {version}", f"version {each.number} of {version}")
            for version in published
            if any((pin.repository.key.source, pin.number) == (key, each.number) for pin in version.repositories)
        )
    then = choice.then
    present = "" if then is None else f"{then.number}{f' {then.view_version}' if then.view_version else ''}"
    return [Question("version", "Version", Kind.CHOICE, present, tuple(found), help=f"Of {key.short}.")]


def _view_versions(session: Session, organization: str) -> list[ViewVersion]:
    from issbox.workflows.content import views

    ctx = session.ctx
    return [
        version
        for view in views.list_views(ctx, organization)
        for version in views.list_view_versions(ctx, organization, view.label)
    ]


def _choose(session: Session, target: Target, answers: Answers) -> Outcome:
    """Choose which version of a repository it is to hold, or none."""
    del session
    draft, key = target.subject, target.thing.repository
    content = []
    if answers["version"]:
        number, _, view = answers["version"].partition(" ")
        name = ViewVersionName(*view.split()) if view else None
        content.append(WantedContent(key.product, key.label, int(number), name))
    return Outcome(opening=_opening(draft.with_content(content, key.short)))


def _view_questions(session: Session, target: Target) -> list[Question]:
    known = _view_versions(session, target.subject.place.organization)
    versions = [(f"{each.view} {each.number}", str(each)) for each in known]
    return [
        Question("version", "Content view version", Kind.CHOICE, versions[0][0] if versions else "", tuple(versions))
    ]


def _view(session: Session, target: Target, answers: Answers) -> Outcome:
    """Let it hold all of a content view version, in place of other versions of the same repositories."""
    from issbox.workflows.environments import wanted_content

    if not answers["version"]:
        raise WrongStateError("no content view has been published yet", hint="Publish one: V leads to content views.")
    name = ViewVersionName(*answers["version"].split())
    found = wanted_content.view_content(session.ctx, target.subject.place.organization, [name])
    return Outcome(opening=_opening(target.subject.with_content(found)))


def _like_questions(session: Session, target: Target) -> list[Question]:
    from issbox.workflows.environments import environments

    place: LifecycleEnvironment = target.subject.place
    known = environments.list_environments(session.ctx, place.organization)
    choices = tuple((each.label, each.name) for each in known)
    return [Question("environment", "As in", Kind.CHOICE, place.prior or "", choices)]


def _like(session: Session, target: Target, answers: Answers) -> Outcome:
    """Begin again with what an environment holds: of this one, as it is now."""
    draft: Draft = target.subject
    found = _held(session.ctx, draft.place.organization, answers["environment"])
    if answers["environment"] != draft.place.label:
        found = {name: replace(each, enabled=None) for name, each in found.items()}  # an override is its own
    return Outcome(opening=_opening(replace(draft, wanted=tuple(found.values()))))


def _nothing(session: Session, target: Target, answers: Answers) -> Outcome:
    """Begin again with nothing."""
    del session, answers
    return Outcome(opening=_opening(replace(target.subject, wanted=())))


def _job(target: Target, answers: Answers) -> "PromoteJob":
    from issbox.workflows.job_kinds.promotions import PromoteJob

    draft: Draft = target.subject
    place = draft.place
    confirmed = answers.get("confirmed", "")
    return PromoteJob(place.organization, place.label, confirmed, wanted=draft.wanted, **promotions.order(answers))


def _order_questions(session: Session, target: Target) -> Sequence[Question]:
    del session, target
    return promotions.order_questions()


def _carry_out_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    plan = _job(target, answers).plan(session.ctx)
    return promotions.plan_consequences(plan, f"Let {plan.environment} hold {plan.subject}?", "Carry out")


def _carry_out(session: Session, target: Target, answers: Answers) -> Outcome:
    """See the plan of what changes, confirm it, and watch it being done."""
    return promotions.begin(session, _job(target, answers), Opening("environments"))


def _begin_draft(session: Session, target: Target, answers: Answers) -> Outcome:
    """Put together exactly what an environment is to hold, beginning with what it holds, and see the plan."""
    del answers
    place: LifecycleEnvironment = target.thing
    return Outcome(opening=_opening(Draft(place, tuple(_held(session.ctx, place.organization, place.label).values()))))


def _everything_questions(session: Session, target: Target) -> list[Question]:
    from issbox.workflows.environments import environments

    place: LifecycleEnvironment = target.thing
    known = environments.list_environments(session.ctx, session.organization)
    following = next((each.label for each in known if each.prior == place.label), "")
    what, into, *order = promotions.promotion_questions(session, (promotions.everything_in(place),), following)
    words = "Take out whatever else the other one holds."
    return [what, into, Question("exactly", "Exactly that", Kind.YES_NO, "no", help=words), *order]


def _everything(session: Session, target: Target, answers: Answers) -> Outcome:
    """Promote everything that an environment holds to the next one, at the same versions, after showing the plan."""
    return promotions.run(session, target, answers)


def _undo_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    from issbox.workflows.environments import promoting

    del answers
    place: LifecycleEnvironment = target.thing
    known = promoting.list_promotions(session.ctx, place.organization, place.label, _RECENT)
    last = next((each for each in known if each.undone_by is None and each.undoes is None), None)
    if last is None:
        raise WrongStateError(
            f"no change of {place.name} is left to be taken back", hint="4 shows all promotions; p promotes something."
        )
    return promotions.undo_consequences(session, last)


def _undo(session: Session, target: Target, answers: Answers) -> Outcome:
    """Take the last change of what an environment holds back, after showing what changes."""
    return promotions.undo(session, target, answers)


PLACE: Final = Place(
    "exactly",
    "Exactly this",
    "What an environment is to hold and nothing else: choose a version of each repository, or whole content view "
    "versions, and then see the plan.",
    _show,
)

ACTIONS: Final = (
    Action(
        "environments.everything",
        "p",
        "Promote all",
        _everything,
        LifecycleEnvironment,
        Permission.CONTENT_READ,
        ask=_everything_questions,
        confirm=promotions.confirm,
    ),
    Action(
        "environments.exactly",
        "t",
        "Set exactly",
        _begin_draft,
        LifecycleEnvironment,
        Permission.CONTENT_READ,
        why_not=not_library,
    ),
    Action(
        "environments.undo",
        "u",
        "Undo last",
        _undo,
        LifecycleEnvironment,
        Permission.CONTENT_READ,
        confirm=_undo_confirm,
        why_not=not_library,
    ),
    Action("exactly.choose", "enter", "Choose", _choose, _Choice, Permission.CONTENT_READ, ask=_choose_questions),
    Action("exactly.view", "v", "Content view", _view, permission=Permission.CONTENT_READ, ask=_view_questions),
    Action("exactly.like", "a", "As in", _like, permission=Permission.CONTENT_READ, ask=_like_questions),
    Action("exactly.nothing", "n", "Nothing", _nothing, permission=Permission.CONTENT_READ),
    Action(
        "exactly.carry-out",
        "w",
        "Carry out",
        _carry_out,
        permission=Permission.CONTENT_READ,
        ask=_order_questions,
        confirm=_carry_out_confirm,
    ),
)
