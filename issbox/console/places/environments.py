"""Lifecycle environments: the paths as a tree, what each holds, the matrix of all, and differences."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from issbox.console.lines import listed
from issbox.console.session import Session
from issbox.console.showing import difference_lines, difference_summary
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
from issbox.model import LIBRARY, LifecycleEnvironment, Promotion
from issbox.names import make_label, plural
from issbox.workflows.context import Context, Permission


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows.environments import environments

    del subject
    ctx, organization = session.ctx, session.organization
    known = environments.list_environments(ctx, organization)
    held = {each.label: held_content(ctx, organization, each.label) for each in known}
    lines = (_tree_line(each, depth, held) for each, depth in _tree(known))
    return View(
        f"Environments of {organization}",
        (Column("Environment", 24, 2), Column("Label", 14, 1), Column("Contents", 9), Column("Behind prior", 20, 1)),
        listed(lines, wanted),
    )


def _tree(
    known: Sequence[LifecycleEnvironment], prior: str | None = None, depth: int = 0
) -> Iterator[tuple[LifecycleEnvironment, int]]:
    for each in known:
        if each.prior == prior:
            yield each, depth
            yield from _tree(known, each.label, depth + 1)


def held_content(ctx: Context, organization: str, label: str) -> dict[str, Promotion]:
    """Give what an environment holds, by product and label."""
    from issbox.workflows.environments import environments

    content = environments.get_environment(ctx, organization, label).content
    return {f"{each.repository.key.product}/{each.repository.key.label}": each for each in content}


def _tree_line(each: LifecycleEnvironment, depth: int, held: dict[str, dict[str, Promotion]]) -> Line:
    mine = held[each.label]
    behind = [] if each.prior is None else _behind(mine, held[each.prior])
    words = "" if each.prior is None else f"{plural(len(behind), 'content')}" if behind else "nothing"
    name = "   " * (depth - 1) + ("`- " if depth else "") + each.name
    cells = (name, each.label, str(len(mine)), words)
    return Line(each.label, cells, each, Mood.BUSY if behind else Mood.PLAIN)


def _behind(mine: dict[str, Promotion], prior: dict[str, Promotion]) -> list[str]:
    """Give the contents of which the prior environment holds another version, or that are only there."""
    return [name for name, other in prior.items() if name not in mine or state_of(mine[name]) != state_of(other)]


def state_of(each: Promotion) -> tuple[object, int]:
    """Give what an environment holds, to tell whether another one holds the same."""
    return each.repository.key, each.number


def _show_matrix(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows.environments import environments

    del subject
    ctx, organization = session.ctx, session.organization
    tree = [each for each, _ in _tree(environments.list_environments(ctx, organization))]
    held = {each.label: held_content(ctx, organization, each.label) for each in tree}
    names = sorted({name for content in held.values() for name in content})
    return View(
        f"Content by environment of {organization}",
        (Column("Content", 24, 1), *(Column(each.label[:12], max(7, min(12, len(each.label) + 1))) for each in tree)),
        listed((_matrix_line(name, tree, held) for name in names), wanted),
        empty="Nothing is in any environment.",
        head=("<: an earlier environment holds another version.  -: not promoted.",),
    )


def _matrix_line(name: str, tree: Sequence[LifecycleEnvironment], held: dict[str, dict[str, Promotion]]) -> Line:
    cells, behind = [name], False
    for each in tree:
        mine = held[each.label].get(name)
        prior = None if each.prior is None else held[each.prior].get(name)
        differs = prior is not None and (mine is None or state_of(mine) != state_of(prior))
        behind = behind or differs
        cells.append("-" if mine is None else f"{mine.number}{' <' if differs else ''}")
    return Line(name, tuple(cells), name, Mood.BUSY if behind else Mood.PLAIN)


def _open(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show what an environment holds."""
    del session, answers
    return Outcome(opening=Opening("environment", target.thing))


def _matrix(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show all contents by environment."""
    del session, target, answers
    return Outcome(opening=Opening("matrix"))


def _create_questions(session: Session, target: Target) -> list[Question]:
    from issbox.workflows.environments import environments

    known = environments.list_environments(session.ctx, session.organization)
    prior = target.thing.label if isinstance(target.thing, LifecycleEnvironment) else LIBRARY
    return [
        Question("name", "Name", required=True),
        Question("label", "Label", help="For paths and files; never changes. Made from the name when left out."),
        Question("prior", "Comes after", Kind.CHOICE, prior, tuple((each.label, each.name) for each in known)),
        Question("description", "Description"),
    ]


def _create(session: Session, target: Target, answers: Answers) -> Outcome:
    """Make an environment after another one."""
    from issbox.workflows.environments import environments

    del target
    made = environments.create_environment(
        session.ctx,
        organization=session.organization,
        label=answers["label"] or make_label(answers["name"]),
        name=answers["name"],
        prior=answers["prior"],
        description=answers["description"],
    )
    return Outcome(f"{made.name} comes after {made.prior}.")


def _rename_questions(session: Session, target: Target) -> list[Question]:
    del session
    each: LifecycleEnvironment = target.thing
    return [
        Question("name", "Name", default=each.name, required=True),
        Question("description", "Description", default=each.description),
    ]


def _rename(session: Session, target: Target, answers: Answers) -> Outcome:
    """Change name and description."""
    from issbox.workflows.environments import environments

    made = environments.update_environment(
        session.ctx,
        session.organization,
        target.thing.label,
        name=answers["name"],
        description=answers["description"],
    )
    return Outcome(f"{made.label} is called {made.name}.")


def _delete_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    from issbox.workflows.environments import environments

    del answers
    plan = environments.plan_deletion(session.ctx, session.organization, target.thing.label)
    lines = [f"{each.repository.key.short} version {each.number} is no longer there" for each in plan.content]
    after = plan.environment.prior or LIBRARY
    lines.extend(f"{label} then comes after {after}" for label in plan.followers)
    lines.append("The versions themselves stay in the store; hosts that use this environment lose its content.")
    return Consequences(f"Delete the environment {plan.environment.name}?", tuple(lines), "Delete", final=True)


def _delete(session: Session, target: Target, answers: Answers) -> Outcome:
    """Delete an environment, after showing what goes with it."""
    from issbox.workflows.environments import environments

    del answers
    gone = environments.delete_environment(session.ctx, session.organization, target.thing.label, force=True)
    return Outcome(f"{gone.environment.name} is deleted.")


def not_library(session: Session, target: Target) -> str:
    """Say why something cannot be done to Library: imports and synchronizing fill it, and it stays."""
    del session
    return "Library is the first environment of every organization" if target.thing.prior is None else ""


def _difference_questions(session: Session, target: Target) -> list[Question]:
    from issbox.workflows.environments import environments

    known = environments.list_environments(session.ctx, session.organization)
    other = target.thing.prior or next((each.label for each in known if each.prior == target.thing.label), LIBRARY)
    choices = tuple((each.label, each.name) for each in known)
    return [Question("other", f"Compare {target.thing.name} with", Kind.CHOICE, other, choices)]


def _difference(session: Session, target: Target, answers: Answers) -> Outcome:
    """Compare an environment with another one: packages, advisories, CVEs."""
    mine = held_content(session.ctx, session.organization, target.thing.label)
    other = held_content(session.ctx, session.organization, answers["other"])
    lines: list[str] = []
    for name in sorted(mine.keys() | other.keys()):
        lines.extend(_one_difference(session.ctx, name, other.get(name), mine.get(name)))
    title = f"What {target.thing.label} has that {answers['other']} has not (+), and the other way round (-)"
    return Outcome(text=Text(title, tuple(lines) or ("Both hold the same.",)))


def _one_difference(ctx: Context, name: str, one: Promotion | None, other: Promotion | None) -> Iterator[str]:
    from issbox.workflows.content import comparing

    if one is not None and other is not None and state_of(one) == state_of(other):
        return
    some = one or other
    if some is None:
        return
    difference = comparing.compare_versions(
        ctx,
        (one or some).repository.key,
        None if one is None else one.number,
        (other or some).repository.key,
        None if other is None else other.number,
    )
    numbers = " -> ".join("nothing" if each is None else f"version {each.number}" for each in (one, other))
    yield f"{name}: {numbers} ({difference_summary(difference)})"
    yield from (f"    {line}" for line in difference_lines(difference))


PLACE: Final = Place(
    "environments",
    "Environments",
    "The stages that content goes through, each under the one before it, and how far each is behind.",
    _show,
    "3",
    "Envs",
)
MATRIX: Final = Place(
    "matrix", "Content by environment", "Every content a line and every environment a column.", _show_matrix
)

ACTIONS: Final = (
    Action("environments.open", "enter", "Content", _open, LifecycleEnvironment),
    Action("environments.matrix", "m", "Matrix", _matrix),
    Action(
        "environments.difference",
        "f",
        "Difference",
        _difference,
        LifecycleEnvironment,
        Permission.CONTENT_READ,
        ask=_difference_questions,
    ),
    Action(
        "environments.create", "c", "Create", _create, permission=Permission.ENVIRONMENT_MANAGE, ask=_create_questions
    ),
    Action(
        "environments.rename",
        "e",
        "Rename",
        _rename,
        LifecycleEnvironment,
        Permission.ENVIRONMENT_MANAGE,
        ask=_rename_questions,
        why_not=not_library,
    ),
    Action(
        "environments.delete",
        "d",
        "Delete",
        _delete,
        LifecycleEnvironment,
        Permission.ENVIRONMENT_MANAGE,
        confirm=_delete_confirm,
        why_not=not_library,
    ),
)
