"""Activation keys: what hosts register with in place of a user's password, and what they get then."""

from typing import Any, Final

from issbox.console.lines import details, listed
from issbox.console.places.host_forms import answered_environments, environment_questions, words
from issbox.console.session import Session
from issbox.console.words import (
    Action,
    Answers,
    Column,
    Consequences,
    Line,
    Outcome,
    Place,
    Question,
    Target,
    Text,
    View,
    Wanted,
)
from issbox.errors import InvalidValueError
from issbox.model import ActivationKey
from issbox.workflows.context import Permission


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows.hosts import activation_keys

    del subject
    lines = (_line(each) for each in activation_keys.list_activation_keys(session.ctx, session.organization))
    return View(
        f"Activation keys of {session.organization}",
        (
            Column("Label", 16, 1),
            Column("Environments", 18, 2),
            Column("Entitled to", 16, 2),
            Column("Hosts", 6),
            Column("Description", 14, 2),
        ),
        listed(lines, wanted),
        empty="There is none: c makes one.",
    )


def _line(each: ActivationKey) -> Line:
    cells = (
        each.label,
        " ".join(each.environments) or "none",
        " ".join(each.products) or "all products",
        "any" if each.max_hosts is None else str(each.max_hosts),
        each.description,
    )
    return Line(each.label, cells, each)


def _open(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show an activation key."""
    del session, answers
    each: ActivationKey = target.thing
    facts = details(
        [
            ("label", each.label),
            ("organization", each.organization),
            ("description", each.description),
            ("environments", ", ".join(each.environments) or "none: the present content of the products"),
            ("entitled to", ", ".join(each.products) or "all products, also those to come"),
            ("hosts at most", "any number" if each.max_hosts is None else each.max_hosts),
        ]
    )
    command = f"subscription-manager register --org {each.organization} --activationkey {each.label}"
    return Outcome(text=Text(each.label, (*facts, "", "On the host:", command), (("command", command),)))


def _questions(session: Session, present: ActivationKey | None) -> list[Question]:
    most = "" if present is None or present.max_hosts is None else str(present.max_hosts)
    products = "" if present is None else " ".join(present.products)
    return [
        Question("description", "Description", default="" if present is None else present.description),
        *environment_questions(session, () if present is None else present.environments),
        Question("products", "Products", default=products, help="Labels; nothing for all, also those to come."),
        Question("most", "Hosts at most", default=most, help="At the same time; nothing for any number."),
    ]


def _create_questions(session: Session, target: Target) -> list[Question]:
    del target
    return [
        Question("label", "Label", required=True, help="What hosts give; it never changes."),
        *_questions(session, None),
    ]


def _most(answers: Answers) -> int:
    text = answers["most"].strip()
    if text and not text.isdecimal():
        raise InvalidValueError(f"{text!r} is not a number of hosts")
    return int(text or 0)


def _create(session: Session, target: Target, answers: Answers) -> Outcome:
    """Make an activation key."""
    from issbox.workflows.hosts import activation_keys

    del target
    made = activation_keys.create_activation_key(
        session.ctx,
        ActivationKey(
            session.organization,
            answers["label"].strip(),
            answers["description"],
            answered_environments(answers),
            tuple(sorted(words(answers["products"]))),
            _most(answers) or None,
        ),
    )
    return Outcome(f"Hosts can register with {made.label}.")


def _edit_questions(session: Session, target: Target) -> list[Question]:
    return _questions(session, target.thing)


def _edit(session: Session, target: Target, answers: Answers) -> Outcome:
    """Change an activation key; hosts that came by it stay as they are."""
    from issbox.workflows.hosts import activation_keys

    made = activation_keys.update_activation_key(
        session.ctx,
        session.organization,
        target.thing.label,
        description=answers["description"],
        environments=answered_environments(answers),
        products=words(answers["products"]),
        max_hosts=_most(answers),
    )
    return Outcome(f"The activation key {made.label} is changed.")


def _delete_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    del session, answers
    lines = ("No host can register with it any more; those that did stay.",)
    return Consequences(f"Delete the activation key {target.thing.label}?", lines, "Delete", final=True)


def _delete(session: Session, target: Target, answers: Answers) -> Outcome:
    """Delete an activation key."""
    from issbox.workflows.hosts import activation_keys

    del answers
    gone = activation_keys.delete_activation_key(session.ctx, session.organization, target.thing.label)
    return Outcome(f"The activation key {gone.label} is deleted.")


PLACE: Final = Place(
    "activation-keys",
    "Activation keys",
    "What hosts register with in place of a user's password, and which environments and products they get.",
    _show,
)

ACTIONS: Final = (
    Action("activation-keys.open", "enter", "Details", _open, ActivationKey),
    Action(
        "activation-keys.create", "c", "Create", _create, permission=Permission.CONSUMER_MANAGE, ask=_create_questions
    ),
    Action("activation-keys.edit", "e", "Edit", _edit, ActivationKey, Permission.CONSUMER_MANAGE, ask=_edit_questions),
    Action(
        "activation-keys.delete",
        "d",
        "Delete",
        _delete,
        ActivationKey,
        Permission.CONSUMER_MANAGE,
        confirm=_delete_confirm,
    ),
)
