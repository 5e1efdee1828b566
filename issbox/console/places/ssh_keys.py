"""The SSH keys of one user."""

from typing import Any, Final

from issbox.console.lines import listed
from issbox.console.session import Session, whole_box
from issbox.console.showing import when
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
    View,
    Wanted,
)
from issbox.model import UserSshKey
from issbox.workflows.context import Permission


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows.people import ssh_keys

    lines = (
        Line(each.key.fingerprint, (each.key.comment, each.key.type, each.key.fingerprint, when(each.added_at)), each)
        for each in ssh_keys.list_ssh_keys(session.ctx, subject)
    )
    return View(
        f"SSH keys of {subject}",
        (Column("Comment", 16, 1), Column("Type", 12), Column("Fingerprint", 30, 2), Column("Added", 16)),
        listed(lines, wanted),
        empty="No key: a adds one.",
    )


def _key_questions(session: Session, target: Target) -> list[Question]:
    del session, target
    return [Question("line", "Public key", required=True, help="The line of a .pub file.")]


def _add_key(session: Session, target: Target, answers: Answers) -> Outcome:
    """Add an SSH key that opens the box for this user."""
    from issbox.workflows.people import ssh_keys

    added = ssh_keys.add_ssh_key(session.ctx, target.subject, answers["line"])
    return Outcome(f"{added.key.fingerprint} opens the box for {added.user}.")


def _remove_key_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    del session, answers
    return Consequences(
        f"Remove the key {target.thing.key.fingerprint}?",
        (f"{target.thing.user} cannot come in with it any more.",),
        "Remove",
    )


def _remove_key(session: Session, target: Target, answers: Answers) -> Outcome:
    """Remove an SSH key."""
    from issbox.workflows.people import ssh_keys

    del answers
    gone = ssh_keys.remove_ssh_key(session.ctx, target.subject, target.thing.key.fingerprint)
    return Outcome(f"{gone.key.fingerprint} is removed.")


PLACE: Final = Place("ssh-keys", "SSH keys", "The SSH keys that open the box for one user.", _show)

ACTIONS: Final = (
    Action(
        "ssh-keys.add", "a", "Add", _add_key, ask=_key_questions, permission=Permission.USER_MANAGE, where=whole_box
    ),
    Action(
        "ssh-keys.remove",
        "d",
        "Remove",
        _remove_key,
        UserSshKey,
        confirm=_remove_key_confirm,
        permission=Permission.USER_MANAGE,
        where=whole_box,
    ),
)
