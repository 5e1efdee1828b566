"""Trust: the keys of boxes whose bundles are accepted, and the content credentials of an organization."""

from typing import Any, Final

from issbox.console.files import read_text
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
from issbox.model import ContentCredential, CredentialKind, TrustedKey
from issbox.names import make_label
from issbox.workflows.context import Permission

_LARGEST_KEY: Final = 16_384
"""Bytes of a file with a public key."""


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.bundle.signature import format_fingerprint
    from issbox.workflows.appliance import boxes

    del subject
    lines = (
        Line(each.key_id, (each.name, format_fingerprint(each.key_id), when(each.added_at)), each)
        for each in boxes.list_trusted_keys(session.ctx)
    )
    own = boxes.show(session.ctx)
    return View(
        "Trusted keys",
        (Column("Box", 16, 1), Column("Fingerprint of its key", 40, 2), Column("Trusted since", 16)),
        listed(lines, wanted),
        empty="No other box is trusted, so no bundle is accepted: a adds the key of one.",
        head=(f"This box: {own.name}, key {format_fingerprint(own.key_id)}",),
    )


def _details(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show a key, to compare its fingerprint aloud with the other side."""
    from issbox.bundle.signature import format_fingerprint
    from issbox.workflows.appliance import boxes

    del answers
    each = boxes.get_trusted_key(session.ctx, target.thing.key_id)
    lines = (
        *details(
            [
                ("box", each.name),
                ("fingerprint", format_fingerprint(each.key_id)),
                ("trusted since", when(each.added_at)),
            ]
        ),
        "",
        *each.public_key.splitlines(),
    )
    return Outcome(text=Text(each.name, lines, (("fingerprint", each.key_id), ("public key", each.public_key))))


def _own(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show the public key of this box, to carry it to the other side."""
    from issbox.bundle.signature import format_fingerprint
    from issbox.workflows.appliance import boxes

    del target, answers
    box, pem = boxes.show(session.ctx), boxes.public_key(session.ctx)
    return Outcome(
        text=Text(
            f"Public key of {box.name}",
            (*details([("fingerprint", format_fingerprint(box.key_id))]), "", *pem.splitlines()),
            (("public key", pem), ("fingerprint", box.key_id)),
        )
    )


def _add_questions(session: Session, target: Target) -> list[Question]:
    del session, target
    return [
        Question(
            "key", "Public key file", required=True, help="A .pem file, as `issbox box show --public-key` writes it."
        ),
        Question("name", "Name of the box"),
    ]


def _add_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    from issbox.bundle.signature import format_fingerprint, read_public_key

    del session, target
    key_id = read_public_key(read_text(answers["key"], "a public key", _LARGEST_KEY))[1]
    return Consequences(
        "Trust this key?",
        (
            f"Its fingerprint: {format_fingerprint(key_id)}",
            "Compare it with what the other box shows, by telephone or on paper.",
            "Bundles signed by it are accepted from then on.",
        ),
        "Trust it",
        extra={"confirmed": key_id},
    )


def _add(session: Session, target: Target, answers: Answers) -> Outcome:
    """Accept bundles of another box: give its public key, and compare the fingerprint."""
    from issbox.bundle.signature import read_public_key
    from issbox.workflows.appliance import boxes

    del target
    pem = read_text(answers["key"], "a public key", _LARGEST_KEY)
    if read_public_key(pem)[1] != answers["confirmed"]:
        raise InvalidValueError(f"{answers['key']} holds another key than the one shown", hint="Look at it again.")
    added = boxes.add_trusted_key(session.ctx, pem, answers["name"] or None)
    return Outcome(f"Bundles of {added.name} are accepted.")


def _remove_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    del session, answers
    return Consequences(
        f"Trust {target.thing.name} no longer?",
        ("Its bundles and receipts are refused from then on; what it brought stays.",),
        "Remove",
    )


def _remove(session: Session, target: Target, answers: Answers) -> Outcome:
    """Accept bundles of a box no longer."""
    from issbox.workflows.appliance import boxes

    del answers
    gone = boxes.remove_trusted_key(session.ctx, target.thing.key_id)
    return Outcome(f"{gone.name} is not trusted any more.")


def _credentials(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show GPG keys, CA certificates and client certificates."""
    del session, target, answers
    return Outcome(opening=Opening("credentials"))


def _show_credentials(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows.content import credentials

    del subject
    lines = (
        Line(each.label, (each.name, each.label, each.kind.value), each)
        for each in credentials.list_credentials(session.ctx, session.organization)
    )
    return View(
        f"Content credentials of {session.organization}",
        (Column("Name", 24, 2), Column("Label", 18, 1), Column("Kind", 18)),
        listed(lines, wanted),
        empty="There is none: c makes one.",
    )


def _credential_details(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show a credential; private keys are never shown."""
    del session, answers
    each: ContentCredential = target.thing
    return Outcome(
        text=Text(
            each.name,
            (*details([("label", each.label), ("kind", each.kind)]), "", *each.content.splitlines()),
            (("content", each.content),),
        )
    )


def _create_questions(session: Session, target: Target) -> list[Question]:
    del session, target
    return [
        Question("name", "Name", required=True),
        Question("label", "Label", help="Made from the name when left out."),
        Question(
            "kind",
            "Kind",
            Kind.CHOICE,
            CredentialKind.GPG_KEY.value,
            tuple((kind.value, kind.value) for kind in CredentialKind),
        ),
        Question("file", "File", required=True, help="A file of this box."),
    ]


def _create(session: Session, target: Target, answers: Answers) -> Outcome:
    """Keep a GPG key or certificate from a file."""
    from issbox.workflows.content import credentials

    del target
    made = credentials.create_credential(
        session.ctx,
        organization=session.organization,
        label=answers["label"] or make_label(answers["name"]),
        name=answers["name"],
        kind=CredentialKind(answers["kind"]),
        content=read_text(answers["file"], "a content credential"),
    )
    return Outcome(f"The credential {made.name} is kept.")


def _delete_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    del session, answers
    return Consequences(
        f"Delete the credential {target.thing.name}?",
        ("It must not be used by any product or repository.",),
        "Delete",
        final=True,
    )


def _delete(session: Session, target: Target, answers: Answers) -> Outcome:
    """Delete a credential that nothing uses."""
    from issbox.workflows.content import credentials

    del answers
    credentials.delete_credential(session.ctx, session.organization, target.thing.label)
    return Outcome(f"The credential {target.thing.name} is deleted.")


PLACE: Final = Place(
    "keys", "Trusted keys", "The boxes whose bundles are accepted, and the key of this one.", _show, "K", "Keys"
)
CREDENTIALS: Final = Place(
    "credentials",
    "Content credentials",
    "GPG keys and certificates by which content is checked and fetched.",
    _show_credentials,
)

ACTIONS: Final = (
    Action("keys.open", "enter", "Details", _details, TrustedKey),
    Action(
        "keys.add",
        "a",
        "Add",
        _add,
        permission=Permission.TRUST_MANAGE,
        where=whole_box,
        ask=_add_questions,
        confirm=_add_confirm,
    ),
    Action(
        "keys.remove", "d", "Remove", _remove, TrustedKey, Permission.TRUST_MANAGE, whole_box, confirm=_remove_confirm
    ),
    Action("keys.own", "b", "This box's key", _own),
    Action("keys.credentials", "c", "Credentials", _credentials),
    Action("credentials.open", "enter", "Details", _credential_details, ContentCredential),
    Action("credentials.create", "c", "Create", _create, permission=Permission.CONTENT_MANAGE, ask=_create_questions),
    Action(
        "credentials.delete",
        "d",
        "Delete",
        _delete,
        ContentCredential,
        Permission.CONTENT_MANAGE,
        confirm=_delete_confirm,
    ),
)
