"""People: users, what they may do, and what they prove themselves with."""

from typing import Any, Final

from issbox.console.lines import details, listed
from issbox.console.session import Session, whole_box
from issbox.console.showing import when
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
from issbox.errors import InvalidValueError
from issbox.model import Role
from issbox.workflows.context import Permission
from issbox.workflows.people.users import Account


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows.people import users

    del subject
    lines = (_line(each) for each in users.list_users(session.ctx))
    return View(
        "People",
        (Column("User", 14, 1), Column("Name", 18, 2), Column("State", 9), Column("Roles", 30, 3)),
        listed(lines, wanted),
        empty="There is no user yet: c makes one. Whoever owns the box's account needs none.",
    )


def _line(each: Account) -> Line:
    from issbox.workflows.people.users import describe_grant

    roles = ", ".join(describe_grant(grant) for grant in each.grants) or "none"
    state = "disabled" if each.user.disabled else "enabled"
    return Line(
        each.user.name,
        (each.user.name, each.user.full_name, state, roles),
        each,
        Mood.QUIET if each.user.disabled else Mood.PLAIN,
    )


def _details(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show a user's roles, SSH keys and tokens."""
    from issbox.workflows.people import ssh_keys, tokens, users
    from issbox.workflows.people.users import describe_grant

    del answers
    each = users.get_user(session.ctx, target.thing.user.name)
    keys = ssh_keys.list_ssh_keys(session.ctx, each.user.name)
    known = tokens.list_tokens(session.ctx, each.user.name)
    return Outcome(
        text=Text(
            each.user.full_name,
            (
                *details(
                    [
                        ("user", each.user.name),
                        ("made", when(each.user.created_at)),
                        ("state", "disabled" if each.user.disabled else "enabled"),
                    ]
                ),
                "",
                "Roles:",
                *(f"  {describe_grant(grant)}" for grant in each.grants),
                "",
                "SSH keys:",
                *(f"  {key.key.fingerprint} {key.key.comment}" for key in keys),
                "",
                "Tokens:",
                *(
                    f"  {token.name}, used {when(token.used_at) or 'never'}, ends {when(token.expires_at) or 'never'}"
                    for token in known
                ),
            ),
        )
    )


def _create_questions(session: Session, target: Target) -> list[Question]:
    del target
    return [
        Question("name", "User name", required=True),
        Question("full_name", "Full name"),
        *_role_questions(session),
        Question("key", "SSH public key", help="The line of id_ed25519.pub; may be given later."),
    ]


def _role_questions(session: Session) -> list[Question]:
    places = (*((label, label) for label in session.organizations()), ("", "the whole box (super-admin)"))
    return [
        Question("role", "Role", Kind.CHOICE, Role.VIEWER.value, tuple((role.value, role.value) for role in Role)),
        Question("organization", "Of", Kind.CHOICE, session.organization, places),
        Question("products", "Only products", help="Labels with commas; nothing for all."),
    ]


def _create(session: Session, target: Target, answers: Answers) -> Outcome:
    """Make a user with a role, and an SSH key that opens this console."""
    from issbox.workflows.people import ssh_keys, users

    del target
    name = answers["name"]
    with session.ctx.store.session(), session.ctx.store.transaction():  # all of it, or the name would be taken
        users.create_user(session.ctx, name=name, full_name=answers["full_name"])
        _grant_role(session, name, answers)
        if answers["key"].strip():
            ssh_keys.add_ssh_key(session.ctx, name, answers["key"])
    return Outcome(f"{name} is a user of this box.")


def _grant_role(session: Session, name: str, answers: Answers) -> None:
    from issbox.workflows.people import users

    role = Role(answers["role"])
    products = tuple(label.strip() for label in answers["products"].split(",") if label.strip())
    everywhere = role is Role.SUPER_ADMIN
    users.grant_role(
        session.ctx, name, role, organization=None if everywhere else answers["organization"] or None, products=products
    )


def _edit_questions(session: Session, target: Target) -> list[Question]:
    del session
    each = target.thing.user
    return [
        Question("full_name", "Full name", default=each.full_name, required=True),
        Question("disabled", "Keep out", Kind.YES_NO, "yes" if each.disabled else "no"),
    ]


def _edit(session: Session, target: Target, answers: Answers) -> Outcome:
    """Change the full name, keep a user out, or let it in again."""
    from issbox.workflows.people import users

    after = users.update_user(
        session.ctx, target.thing.user.name, full_name=answers["full_name"], disabled=answers["disabled"] == "yes"
    )
    return Outcome(f"{after.user.name} is {'kept out' if after.user.disabled else 'let in'}.")


def _grant_questions(session: Session, target: Target) -> list[Question]:
    del target
    return _role_questions(session)


def _grant(session: Session, target: Target, answers: Answers) -> Outcome:
    """Give a user a role, of an organization and maybe of some of its products only."""
    _grant_role(session, target.thing.user.name, answers)
    return Outcome(f"{target.thing.user.name} is {answers['role']}.")


def _revoke_questions(session: Session, target: Target) -> list[Question]:
    from issbox.workflows.people.users import describe_grant

    del session
    choices = tuple((str(index), describe_grant(grant)) for index, grant in enumerate(target.thing.grants))
    return [Question("grant", "Role", Kind.CHOICE, "0" if choices else "", choices, required=True)]


def _revoke(session: Session, target: Target, answers: Answers) -> Outcome:
    """Take a role away."""
    from issbox.workflows.people import users
    from issbox.workflows.people.users import describe_grant

    grant = target.thing.grants[int(answers["grant"])]
    users.revoke_role(
        session.ctx, target.thing.user.name, grant.role, organization=grant.organization, products=grant.products
    )
    return Outcome(f"{target.thing.user.name} is {describe_grant(grant)} no longer.")


def _delete_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    del session, answers
    each: Account = target.thing
    return Consequences(
        f"Delete the user {each.user.name}?",
        ("Roles, password, tokens and SSH keys go too; the audit log keeps the name.",),
        "Delete",
        final=True,
    )


def _delete(session: Session, target: Target, answers: Answers) -> Outcome:
    """Delete a user with everything that was granted."""
    from issbox.workflows.people import users

    del answers
    users.delete_user(session.ctx, target.thing.user.name)
    return Outcome(f"{target.thing.user.name} is deleted.")


def _password_questions(session: Session, target: Target) -> list[Question]:
    del session, target
    return [
        Question("password", "New password", Kind.HIDDEN, required=True),
        Question("again", "Once more", Kind.HIDDEN, required=True),
    ]


def _password(session: Session, target: Target, answers: Answers) -> Outcome:
    """Set the password that a user proves itself with over HTTPS."""
    from issbox.workflows.people import passwords

    if answers["password"] != answers["again"]:
        raise InvalidValueError("the two passwords differ", hint="Type the same password twice.")
    passwords.set_password(session.ctx, target.thing.user.name, answers["password"])
    return Outcome(f"The password of {target.thing.user.name} is set.")


def _token_questions(session: Session, target: Target) -> list[Question]:
    del session, target
    return [Question("name", "What the token is for", required=True)]


def _token(session: Session, target: Target, answers: Answers) -> Outcome:
    """Make a token for programs; its secret is shown once."""
    from issbox.workflows.people import tokens

    made = tokens.create_token(session.ctx, target.thing.user.name, answers["name"])
    return Outcome(
        text=Text(
            f"Token {made.token.name}", ("It is shown this once only:", "", made.secret), (("secret", made.secret),)
        )
    )


def _keys(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show a user's SSH keys."""
    del session, answers
    return Outcome(opening=Opening("ssh-keys", target.thing.user.name))


PLACE: Final = Place("people", "People", "Users of this box, their roles, SSH keys, passwords and tokens.", _show, "8")

ACTIONS: Final = (
    Action("people.open", "enter", "Details", _details, Account),
    Action(
        "people.create",
        "c",
        "Create",
        _create,
        ask=_create_questions,
        permission=Permission.USER_MANAGE,
        where=whole_box,
    ),
    Action(
        "people.edit",
        "e",
        "Edit",
        _edit,
        Account,
        ask=_edit_questions,
        permission=Permission.USER_MANAGE,
        where=whole_box,
    ),
    Action(
        "people.grant",
        "a",
        "Add role",
        _grant,
        Account,
        ask=_grant_questions,
        permission=Permission.USER_MANAGE,
        where=whole_box,
    ),
    Action(
        "people.revoke",
        "r",
        "Remove role",
        _revoke,
        Account,
        ask=_revoke_questions,
        permission=Permission.USER_MANAGE,
        where=whole_box,
    ),
    Action("people.keys", "k", "SSH keys", _keys, Account),
    Action(
        "people.password",
        "p",
        "Password",
        _password,
        Account,
        ask=_password_questions,
        permission=Permission.USER_MANAGE,
        where=whole_box,
    ),
    Action(
        "people.token",
        "t",
        "Token",
        _token,
        Account,
        ask=_token_questions,
        permission=Permission.USER_MANAGE,
        where=whole_box,
    ),
    Action(
        "people.delete",
        "d",
        "Delete",
        _delete,
        Account,
        confirm=_delete_confirm,
        permission=Permission.USER_MANAGE,
        where=whole_box,
    ),
)
