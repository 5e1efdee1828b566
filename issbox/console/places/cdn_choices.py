"""What the location of Red Hat content holds of what is offered: enabling it, and disabling it again."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from issbox.console.lines import details, listed
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
from issbox.model import CdnChoice, Repository
from issbox.rules.content.cdn import ARCH, RELEASE
from issbox.workflows.context import Permission

if TYPE_CHECKING:
    from issbox.workflows.cdn.choices import Choices


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows.content import repositories

    found: Choices = subject
    known = repositories.list_repositories(session.ctx, session.organization)
    enabled = {(each.content.id, frozenset(each.variables.items())): each.key for each in known}
    lines = (
        _line(replace(each, repository=enabled.get((each.content.id, frozenset(each.variables.items())))))
        for each in found.choices
    )
    head = [f"Found at {found.base}."]
    if not found.readable:
        head.append("It has no listing file that can be read: t in Red Hat CDN says why.")
    if found.cut:
        head.append("There is more than can be followed at once: narrow it down.")
    return View(
        f"Choices of {session.organization}",
        (
            Column("Content", 30, 3),
            Column("Release", 8),
            Column("Arch", 8),
            Column("State", 11),
        ),
        listed(lines, wanted),
        empty="It holds nothing of what was looked for.",
        head=tuple(head),
    )


def _line(each: CdnChoice) -> Line:
    key = each.repository
    state = "enabled" if key is not None else "" if each.confirmed else "maybe there"
    cells = (each.content.label, each.variables.get(RELEASE, ""), each.variables.get(ARCH, ""), state)
    return Line(f"{each.content.id} {each.path}", cells, each, Mood.PLAIN if key is None else Mood.GOOD)


def _open(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show a choice."""
    del session, answers
    each: CdnChoice = target.thing
    facts = details(
        [
            ("content", each.content.label),
            ("name", each.content.name),
            ("id", each.content.id),
            ("product", each.product),
            ("release", each.variables.get(RELEASE)),
            ("processor", each.variables.get(ARCH)),
            ("path", each.path),
            ("enabled as", None if each.repository is None else each.repository.short),
            ("there", "yes" if each.confirmed else "nothing speaks against it"),
        ]
    )
    return Outcome(text=Text(each.content.label, facts, (("path", each.path),)))


def _enable(session: Session, target: Target, answers: Answers) -> Outcome:
    """Make the repository of a choice; u in Repositories synchronizes it then."""
    from issbox.workflows.cdn import enabling

    del answers
    each: CdnChoice = target.thing
    made = enabling.enable(
        session.ctx,
        session.organization,
        each.content.id,
        release=each.variables.get(RELEASE),
        arch=each.variables.get(ARCH),
    )
    return Outcome(f"Enabled as {made.key.short}; u in Repositories synchronizes it.")


def _enabled_already(session: Session, target: Target) -> str:
    del session
    key = target.thing.repository
    return "" if key is None else f"it is enabled already, as {key.short}"


def _find(session: Session, target: Target) -> Repository:
    from issbox.workflows.cdn import enabling

    each: CdnChoice = target.thing
    return enabling.find_enabled(
        session.ctx,
        session.organization,
        each.content.id,
        release=each.variables.get(RELEASE),
        arch=each.variables.get(ARCH),
    )


def _disable_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    del answers
    lines = ("All its versions are deleted. One that an environment or a content view holds stays.",)
    return Consequences(f"Delete the repository {_find(session, target).key.short}?", lines, "Delete", final=True)


def _disable(session: Session, target: Target, answers: Answers) -> Outcome:
    """Delete the repository of a choice with all its versions."""
    from issbox.workflows.cdn import enabling

    del answers
    gone = enabling.disable(session.ctx, _find(session, target))
    return Outcome(f"{gone.key.short} is deleted.")


def _not_enabled(session: Session, target: Target) -> str:
    del session
    return "it is not enabled" if target.thing.repository is None else ""


def _where(session: Session, target: Target) -> tuple[str | None, tuple[str, ...]]:
    return session.organization, (target.thing.product,)


PLACE: Final = Place(
    "cdn-choices",
    "Choices of the CDN",
    "The repositories that the location really holds of what the manifest offers, with those marked that are enabled.",
    _show,
)

ACTIONS: Final = (
    Action("cdn-choices.open", "enter", "Details", _open, CdnChoice),
    Action(
        "cdn-choices.enable", "e", "Enable", _enable, CdnChoice, Permission.CONTENT_MANAGE, why_not=_enabled_already
    ),
    Action(
        "cdn-choices.disable",
        "d",
        "Disable",
        _disable,
        CdnChoice,
        Permission.CONTENT_MANAGE,
        _where,
        confirm=_disable_confirm,
        why_not=_not_enabled,
    ),
)
