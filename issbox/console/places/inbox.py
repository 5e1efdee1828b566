"""The inbox: each bundle a line, in the order it will be imported; below, what is over."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from issbox.console.lines import listed
from issbox.console.places.import_details import import_details, import_values
from issbox.console.places.import_preview import preview_text
from issbox.console.places.import_questions import environments_questions
from issbox.console.session import Session
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
from issbox.model import ContentImport, ImportState, WaitsFor
from issbox.names import format_size
from issbox.workflows.context import Permission

if TYPE_CHECKING:
    from issbox.workflows.inbox.inbox_sets import BundleOnItsWay

_OVER: Final = (ImportState.IMPORTED, ImportState.DISCARDED, ImportState.ROLLED_BACK)
_MOODS: Final = {
    ImportState.IMPORTED: Mood.GOOD,
    ImportState.REFUSED: Mood.BAD,
    ImportState.WAITING: Mood.BUSY,
    ImportState.IMPORTING: Mood.BUSY,
    ImportState.CHECKING: Mood.BUSY,
    ImportState.DISCARDED: Mood.QUIET,
    ImportState.ROLLED_BACK: Mood.QUIET,
}
_NEXT: Final = {
    ImportState.ARRIVING: "wait until it is copied",
    ImportState.SETTLED: "imported soon",
    ImportState.CHECKING: "being checked",
    ImportState.IMPORTING: "being imported",
    ImportState.REFUSED: "r retry, or d discard",
    ImportState.IMPORTED: "",
}
_WAITS: Final = {
    WaitsFor.APPROVAL: "p look, a approve",
    WaitsFor.VOLUMES: "bring the volumes",
    WaitsFor.BASE: "bring its base",
}


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows import history
    from issbox.workflows.appliance import boxes
    from issbox.workflows.inbox import inbox_sets

    del subject
    ctx = session.ctx
    may_read = ctx.user is None or ctx.reach(Permission.BOX_READ).everywhere
    names = {key.key_id: key.name for key in boxes.list_trusted_keys(ctx)} if may_read else {}
    bundles = inbox_sets.list_bundles(ctx)
    shown = {each.row.id for each in bundles}
    shown |= {row.id for each in bundles for row in each.rows if row.state is not ImportState.REFUSED}
    rest = [row for row in history.list_imports(ctx) if row.id not in shown]
    rest.sort(key=lambda row: row.state in _OVER)
    return View(
        "Inbox",
        (
            Column("ID", 4),
            Column("State", 11),
            Column("From", 10, 1),
            Column("What", 20, 2),
            Column("Vol", 5),
            Column("Size", 9, spare=True),
            Column("Next step", 18, 2),
        ),
        listed([*(_bundle_line(each, names) for each in bundles), *(_line(row, names) for row in rest)], wanted),
        empty=f"No bundle has arrived. Put one into {ctx.settings.inbox.path}.",
    )


def _bundle_line(each: "BundleOnItsWay", names: dict[str, str]) -> Line:
    """Give the line of a bundle, however many volumes or chunks it comes in: of those, the one to look at."""
    line = _line(each.row, names)
    cells = list(line.cells)
    if each.row.bundle_id is None and each.sequence is not None:
        cells[3] = f"{each.organization or '?'} #{each.sequence}"
    if each.chunks or each.count > 1:
        cells[4] = f"{len(each.here)}/{each.count}"
    return replace(line, cells=tuple(cells))


def _line(row: ContentImport, names: dict[str, str]) -> Line:
    volumes = "" if row.volumes is None else f"{row.volume or '?'}/{row.volumes}"
    sender = names.get(row.key_id or "", "") or (row.source_box or "")[:8] or "not read yet"
    return Line(
        str(row.id),
        (str(row.id), row.state.value, sender, _what(row), volumes, format_size(row.size), _next(row)),
        row,
        _MOODS.get(row.state, Mood.PLAIN),
    )


def _what(row: ContentImport) -> str:
    if row.bundle_id is None:
        return row.path.rpartition("/")[2] or "?"
    kind = "" if row.incremental is None else " incremental" if row.incremental else " complete"
    number = "" if row.sequence is None else f" #{row.sequence}"
    return f"{row.organization or '?'}{number}{kind}"


def _next(row: ContentImport) -> str:
    if row.state is ImportState.WAITING and row.waits_for is not None:
        return _WAITS[row.waits_for]
    return _NEXT.get(row.state, "")


def _detail_text(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show all there is to know about a bundle."""
    from issbox.workflows import history

    del answers
    row = history.get_import(session.ctx, target.thing.id)
    return Outcome(text=Text(f"Import {row.id}", tuple(import_details(row, _next(row))), import_values(row)))


def _preview(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show what importing it would change, as a diff."""
    del answers
    return Outcome(text=preview_text(session.ctx, target.thing.id))


def _not_to_preview(session: Session, target: Target) -> str:
    del session
    over = target.thing.state in _OVER
    return f"it is {target.thing.state}" if over else "" if target.thing.path else "its files are gone"


def _approve_questions(session: Session, target: Target) -> list[Question]:
    return environments_questions(session, target.thing)


def _approve_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    row: ContentImport = target.thing
    asked = row.with_environments or answers.get("environments") == "yes"
    words = ("Its lifecycle environments are taken over with it.", "") if asked else ()
    return Consequences(f"Approve import {row.id}?", (*words, *preview_text(session.ctx, row.id).lines), "Approve")


def _approve(session: Session, target: Target, answers: Answers) -> Outcome:
    """Let a bundle in that waits for approval, after a look at what it changes."""
    from issbox.workflows.inbox import approving

    row = approving.approve(session.ctx, target.thing.id, with_environments=answers.get("environments") == "yes")
    if row.state is not ImportState.SETTLED:
        return Outcome(f"Approved; import {row.id} needs another approval.")
    return _taken_up(session, f"Approved: import {row.id} is taken up.")


def _taken_up(session: Session, message: str) -> Outcome:
    """Have what has settled imported; a running service would do so by itself, but only at its next look."""
    from issbox.workflows.job_kinds.upkeep import InboxJob

    if not session.ctx.reach(Permission.CONTENT_IMPORT).anywhere:
        return Outcome(message)
    return Outcome(message, job=session.begin(InboxJob()).id)


def _not_to_approve(session: Session, target: Target) -> str:
    row = target.thing
    if row.state is not ImportState.WAITING or row.waits_for is not WaitsFor.APPROVAL:
        return f"it is {row.state} and waits for no approval"
    name = session.ctx.actor.name
    if name == row.made_by:
        return "you exported it yourself"
    return "you have approved it already" if name in row.approvals else ""


def _retry_questions(session: Session, target: Target) -> list[Question]:
    words = "Accept it although it is older than one imported before."
    older = Question("allow_older", "Also an older one", Kind.YES_NO, "no", help=words)
    return [older, *environments_questions(session, target.thing)]


def _retry(session: Session, target: Target, answers: Answers) -> Outcome:
    """Try a refused bundle again."""
    from issbox.workflows.inbox import inbox as bundles

    row = bundles.retry(
        session.ctx,
        target.thing.id,
        allow_older=answers["allow_older"] == "yes",
        with_environments=answers.get("environments") == "yes",
    )
    return _taken_up(session, f"Import {row.id} is tried again.")


def _only_refused(session: Session, target: Target) -> str:
    del session
    row = target.thing
    by_hand = row.state is ImportState.SETTLED and not row.inbox
    return "" if row.state is ImportState.REFUSED or by_hand else f"it is {row.state}, not refused"


def _discard_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    del session, answers
    row: ContentImport = target.thing
    lines = (
        f"{row.path} is deleted." if row.inbox else f"{row.path} stays where it is.",
        f"It was {'refused' if row.state is ImportState.REFUSED else 'not imported'}: {row.reason}",
    )
    return Consequences(f"Discard import {row.id}?", lines, "Discard", final=row.inbox)


def _discard(session: Session, target: Target, answers: Answers) -> Outcome:
    """Refuse a bundle for good, and delete it from inbox or quarantine."""
    from issbox.workflows.inbox import inbox as bundles

    del answers
    row = bundles.discard(session.ctx, target.thing.id)
    return Outcome(f"Import {row.id} is discarded.")


def _roll_back_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    del session, answers
    row: ContentImport = target.thing
    lines = [f"{change.repository.short}: back to version {change.before}" for change in row.changes if change.before]
    gone = [change.repository.short for change in row.changes if not change.before]
    lines.extend(f"{name}: leaves Library, since it was not there before" for name in gone)
    return Consequences(f"Roll import {row.id} back?", tuple(lines), "Roll back")


def _roll_back(session: Session, target: Target, answers: Answers) -> Outcome:
    """Undo an import: its repositories go back to the versions before it."""
    from issbox.workflows.imports import rolling_back

    del answers
    row = rolling_back.roll_back(session.ctx, target.thing.id)
    return Outcome(f"Import {row.id} is rolled back.")


def _only_imported(session: Session, target: Target) -> str:
    del session
    row: ContentImport = target.thing
    if row.state is not ImportState.IMPORTED:
        return f"it is {row.state}, not imported"
    return "" if row.changes else "it changed no repository"


def _scan(session: Session, target: Target, answers: Answers) -> Outcome:
    """Import what has settled, without waiting for the service."""
    from issbox.workflows.job_kinds.upkeep import InboxJob

    del target, answers
    return Outcome("What has settled is taken up.", job=session.begin(InboxJob()).id)


def _where(session: Session, target: Target) -> tuple[str | None, tuple[str, ...]]:
    return target.thing.organization or session.organization, ()


PLACE: Final = Place(
    "inbox",
    "Inbox",
    "Bundles that arrived, in the order they will be imported, and what came of those before. Each line says what to "
    "do next.",
    _show,
    "2",
)

ACTIONS: Final = (
    Action("inbox.open", "enter", "Details", _detail_text, ContentImport),
    Action(
        "inbox.preview",
        "p",
        "Preview",
        _preview,
        ContentImport,
        Permission.CONTENT_READ,
        _where,
        why_not=_not_to_preview,
    ),
    Action(
        "inbox.approve",
        "a",
        "Approve",
        _approve,
        ContentImport,
        Permission.CONTENT_APPROVE,
        _where,
        ask=_approve_questions,
        confirm=_approve_confirm,
        why_not=_not_to_approve,
    ),
    Action(
        "inbox.retry",
        "r",
        "Retry",
        _retry,
        ContentImport,
        Permission.CONTENT_IMPORT,
        _where,
        ask=_retry_questions,
        why_not=_only_refused,
    ),
    Action(
        "inbox.discard",
        "d",
        "Discard",
        _discard,
        ContentImport,
        Permission.CONTENT_IMPORT,
        _where,
        confirm=_discard_confirm,
        why_not=_only_refused,
    ),
    Action(
        "inbox.rollback",
        "b",
        "Roll back",
        _roll_back,
        ContentImport,
        Permission.CONTENT_IMPORT,
        _where,
        confirm=_roll_back_confirm,
        why_not=_only_imported,
    ),
    Action("inbox.scan", "i", "Import now", _scan, permission=Permission.CONTENT_IMPORT),
)
