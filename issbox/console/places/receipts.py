"""Receipts: stating what this box holds, and reading what others state."""

from typing import Any, Final

from issbox.console.lines import details, listed
from issbox.console.session import Session
from issbox.console.showing import when
from issbox.console.words import (
    Action,
    Answers,
    Column,
    Consequences,
    Kind,
    Line,
    Mood,
    Outcome,
    Place,
    Question,
    Target,
    Text,
    View,
    Wanted,
)
from issbox.errors import InvalidValueError
from issbox.model import ReceivedReceipt
from issbox.workflows.context import Permission


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows.exchange import received

    del subject
    lines = (_line(each) for each in received.list_receipts(session.ctx))
    return View(
        "Receipts of other boxes",
        (
            Column("ID", 4),
            Column("Read", 16),
            Column("From", 14, 2),
            Column("Organization", 12, 1),
            Column("Form", 8, spare=True),
            Column("Signature", 14),
            Column("Repos", 6),
        ),
        listed(lines, wanted),
        empty="No receipt was read yet: r reads one.",
    )


def _line(each: ReceivedReceipt) -> Line:
    box = each.receipt.box
    checked = "checked" if each.verified else "NOT checked"
    cells = (
        str(each.id),
        when(each.received_at),
        box.name or box.id[:8],
        each.receipt.organization.label,
        each.form.value,
        checked,
        str(len(each.receipt.repositories)),
    )
    return Line(str(each.id), cells, each, Mood.GOOD if each.verified else Mood.BUSY)


def _details(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show what a receipt says, and which of this box's versions the other box holds."""
    from issbox.workflows.exchange import received

    del answers
    each: ReceivedReceipt = target.thing
    own = received.own_versions(session.ctx, each)
    facts = details(
        [
            ("box", each.receipt.box.name),
            ("box id", each.receipt.box.id),
            ("key", each.receipt.box.key_id),
            ("organization", each.receipt.organization.label),
            ("made", when(each.receipt.created_at)),
            ("read", f"{when(each.received_at)} by {each.received_by}"),
            ("signature", "checked" if each.verified else "not checked: it acknowledges no export"),
            ("fingerprint", each.fingerprint),
        ]
    )
    held = [f"  {name}: version {number} of this box" for name, number in own.items()]
    return Outcome(
        text=Text(f"Receipt {each.id}", (*facts, "", "It holds:", *(held or ["  nothing that this box made"])))
    )


def _read_questions(session: Session, target: Target) -> list[Question]:
    del session, target
    return [
        Question(
            "given", "File or text", required=True, help="Path of the file, or the text itself: IBC1:... or IB1-..."
        ),
        Question(
            "accept",
            "Of an unknown key too",
            Kind.YES_NO,
            "no",
            help="Accept a receipt whose key is not trusted here; it acknowledges no export.",
        ),
    ]


def _read(session: Session, target: Target, answers: Answers) -> Outcome:
    """Read and keep a receipt: its file, the text of its QR code, or the short text to type."""
    from issbox.workflows.exchange import received

    del target
    if answers["given"].strip() == "-":
        raise InvalidValueError("the console has no standard input to read", hint="Give the path of a file.")
    kept = received.read_receipt(session.ctx, answers["given"].strip(), accept_untrusted=answers["accept"] == "yes")
    return Outcome(f"Receipt {kept.id} is kept; an export can start from it.")


def _delete_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    del session, answers
    return Consequences(
        f"Forget receipt {target.thing.id}?",
        ("What only it acknowledged is not acknowledged any more.",),
        "Forget",
        final=True,
    )


def _delete(session: Session, target: Target, answers: Answers) -> Outcome:
    """Forget a receipt."""
    from issbox.workflows.exchange import received

    del answers
    received.delete_receipt(session.ctx, target.thing.id)
    return Outcome(f"Receipt {target.thing.id} is forgotten.")


def make(session: Session, target: Target, answers: Answers) -> Outcome:
    """State what this box holds as a QR code and as text to type, and write the signed file."""
    from issbox.bundle.qr import ascii_blocks, half_blocks, make_qr
    from issbox.workflows.exchange import receipts

    del target, answers
    made = receipts.create_receipt(session.ctx, session.organization)
    path = receipts.write_receipt(session.ctx, made)
    qr = make_qr(made.compact)
    drawn = ascii_blocks(qr, inverse=True) if session.ascii_only else half_blocks(qr, inverse=True)
    short = [
        f"{text}   ({last.destination or 'no destination'}, sequence {last.sequence})" for last, text in made.short
    ]
    lines = (
        f"The signed file: {path}",
        "",
        "To type on the other side:",
        *(short or ["nothing was imported yet"]),
        "",
        *drawn.splitlines(),
        "",
        "The text of the code:",
        made.compact,
    )
    values = (
        ("file", str(path)),
        ("code", made.compact),
        *((f"short text for {last.destination or last.source_box}", text) for last, text in made.short),
    )
    return Outcome(text=Text(f"Receipt of {session.organization}", lines, values, wrap=False))


PLACE: Final = Place(
    "receipts",
    "Receipts",
    "What other boxes state that they hold. An export that starts from a receipt carries exactly "
    "what is missing there.",
    _show,
)

ACTIONS: Final = (
    Action("receipts.open", "enter", "Details", _details, ReceivedReceipt),
    Action("receipts.read", "r", "Read", _read, permission=Permission.CONTENT_EXPORT, ask=_read_questions),
    Action("receipts.create", "t", "Make one", make, permission=Permission.CONTENT_READ),
    Action(
        "receipts.delete", "d", "Forget", _delete, ReceivedReceipt, Permission.CONTENT_EXPORT, confirm=_delete_confirm
    ),
    Action("inbox.receipt", "t", "Receipt", make, permission=Permission.CONTENT_READ),
)
