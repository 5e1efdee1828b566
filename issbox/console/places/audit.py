"""The audit log: who changed what, from where, before and after."""

import json
from typing import Any, Final

from issbox.console.files import new_path
from issbox.console.lines import PagedLines, details
from issbox.console.session import Session, whole_box
from issbox.console.showing import when
from issbox.console.words import (
    Action,
    Answers,
    Column,
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
from issbox.files import atomic_write
from issbox.model import AuditEntry, AuditOrder, AuditSearch
from issbox.names import format_time, plural
from issbox.workflows.context import Permission

_ORDERS: Final[dict[int, AuditOrder]] = {0: AuditOrder.NUMBER, 2: AuditOrder.ACTOR, 3: AuditOrder.ACTION}
"""Orders of entries by the column that shows what they go by."""


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows import browsing

    del subject
    order = wanted.order(_ORDERS, AuditOrder.NUMBER)
    down = wanted.descending if wanted.sort is not None else True
    pages = browsing.browse_audit(session.ctx, AuditSearch(words=wanted.search, order=order, descending=down))
    return View(
        "Audit log" if wanted.sort is not None else "Audit log, newest first",
        (Column("No.", 6), Column("When", 16), Column("Who", 10, 1), Column("What", 22, 1), Column("Subject", 16, 2)),
        PagedLines(pages, _line),
        empty="No entry.",
        sorts=tuple(_ORDERS),
    )


def _line(each: AuditEntry) -> Line:
    mood = Mood.BAD if each.action == "permission.refuse" else Mood.PLAIN
    return Line(
        str(each.number), (str(each.number), when(each.at), each.actor.name, each.action, each.subject), each, mood
    )


def _details(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show an entry whole, with the digest that chains it to the one before."""
    del session, answers
    each: AuditEntry = target.thing
    facts = details(
        [
            ("number", each.number),
            ("when", format_time(each.at)),
            ("who", each.actor.name),
            ("from", each.actor.origin),
            ("what", each.action),
            ("subject", each.subject),
            ("organization", each.organization),
            ("digest", each.digest),
        ]
    )
    more = json.dumps(each.details, indent=2, ensure_ascii=True, sort_keys=True).splitlines() if each.details else []
    return Outcome(
        text=Text(
            f"Audit entry {each.number}", (*facts, "", *more), (("digest", each.digest), ("subject", each.subject))
        )
    )


def _verify(session: Session, target: Target, answers: Answers) -> Outcome:
    """Check that no entry was changed, removed or moved, as a job."""
    from issbox.workflows.job_kinds.upkeep import AuditJob

    del target, answers
    job = session.begin(AuditJob())
    return Outcome(f"Job {job.id}: the audit log is checked.", job=job.id)


def _export_questions(session: Session, target: Target) -> list[Question]:
    del target
    name = f"audit-{session.ctx.clock():%Y%m%dT%H%M%SZ}.jsonl"
    return [
        Question("path", "Into the file", default=str(session.ctx.settings.export.path / name), required=True),
        Question("search", "Only entries with", help="Words; nothing for all."),
    ]


def _export(session: Session, target: Target, answers: Answers) -> Outcome:
    """Write the entries into a file, one JSON object a line, newest first."""
    from issbox.workflows import browsing
    from issbox.workflows.people.audit_log import describe_entry

    del target
    pages = browsing.browse_audit(session.ctx, AuditSearch(words=answers["search"]))
    path, before, count = new_path(answers["path"]), None, 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path, mode=0o600) as out:
        while page := pages.page(before, 1000):
            for _, entry in page:
                line = json.dumps(describe_entry(entry), ensure_ascii=True, sort_keys=True)
                out.write(f"{line}\n".encode())
            session.ctx.progress.advance(files=len(page))
            before, count = page[-1][0], count + len(page)
    return Outcome(f"{plural(count, 'entry')} written to {path}.")


PLACE: Final = Place(
    "audit",
    "Audit log",
    "Every change by whom, from where, when and what. / looks for words in all entries.",
    _show,
    "9",
    "Audit",
)

ACTIONS: Final = (
    Action("audit.open", "enter", "Details", _details, AuditEntry),
    Action("audit.verify", "v", "Verify", _verify, permission=Permission.AUDIT_READ, where=whole_box),
    Action(
        "audit.export",
        "w",
        "Write to a file",
        _export,
        permission=Permission.AUDIT_READ,
        where=whole_box,
        ask=_export_questions,
    ),
)
