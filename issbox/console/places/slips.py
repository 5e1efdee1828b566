"""Re-request slips: asking the other side again for what an import lacks, and answering such a slip here."""

from typing import Final

from issbox.console.session import Session
from issbox.console.words import Action, Answers, Consequences, Outcome, Question, Target, Text
from issbox.errors import InvalidValueError
from issbox.model import ContentImport, ImportState, Slip
from issbox.names import format_size, plural
from issbox.rules.bundles.slips import format_ranges
from issbox.workflows.context import Permission

_OVER: Final = (ImportState.IMPORTED, ImportState.DISCARDED, ImportState.ROLLED_BACK)


def _make(session: Session, target: Target, answers: Answers) -> Outcome:
    """Ask the sender again for the volumes, chunks or files that an import lacks: a file, a QR code, text to type."""
    from issbox.bundle.qr import ascii_blocks, half_blocks, make_qr
    from issbox.bundle.slip import letter
    from issbox.workflows.imports import asking_again

    del answers
    made = asking_again.make_slip(session.ctx, target.thing.id)
    path = asking_again.write_slip(session.ctx, made, None)
    qr = make_qr(made.short)
    drawn = ascii_blocks(qr, inverse=True) if session.ascii_only else half_blocks(qr, inverse=True)
    lines = (
        f"The file: {path}",
        f"To type on the other side: {made.short}",
        "",
        *letter(made.slip).splitlines(),
        "",
        *drawn.splitlines(),
    )
    values = (("short text", made.short), ("file", str(path)))
    return Outcome(text=Text(f"What import {target.thing.id} lacks", lines, values, wrap=False))


def _nothing_to_ask(session: Session, target: Target) -> str:
    del session
    return f"it is {target.thing.state}" if target.thing.state in _OVER else ""


def _where(session: Session, target: Target) -> tuple[str | None, tuple[str, ...]]:
    return target.thing.organization or session.organization, ()


def _read_questions(session: Session, target: Target) -> list[Question]:
    del session, target
    return [
        Question("slip", "Slip", required=True, help="A file of this box, or the short text: IS1/..."),
        Question("output", "Into", help="A directory of this box; beside the bundle when left out."),
    ]


def _slip(session: Session, answers: Answers) -> Slip:
    from issbox.workflows.exchange.slips import read_slip

    given = answers["slip"].strip()
    if given == "-":
        raise InvalidValueError("the console has no standard input to read", hint="Give the path of a file.")
    return read_slip(session.ctx, given)


def _read_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    from issbox.workflows import exports

    del target
    slip = _slip(session, answers)
    export = exports.find_recut(session.ctx, slip)
    size = sum(export.volumes[number - 1] for number in slip.numbers if number)
    asks = f"{slip.box} asks" if slip.box else "It asks"
    reasons = [f"  {each.number}: {each.reason}{f', {each.detail}' if each.detail else ''}" for each in slip.items]
    what = f"{slip.form} {format_ranges(slip.numbers)} of export {export.id}, #{export.sequence}"
    lines = (
        f"{asks} for {what} for {export.destination or 'no destination'}",
        f"writes {format_size(size)}, the same byte for byte, into a directory of its own",
        *reasons,
    )
    return Consequences(f"Write {plural(len(slip.items), 'volume')} again?", lines, "Write")


def _read(session: Session, target: Target, answers: Answers) -> Outcome:
    """Read a slip of the other side, and write the volumes or chunks that it asks for again, as a job."""
    from issbox.workflows.job_kinds.exporting import RecutJob

    del target
    job = session.begin(RecutJob(_slip(session, answers), answers["output"].strip() or None))
    return Outcome(f"Job {job.id}: {job.subject}.", job=job.id)


ACTIONS: Final = (
    Action("inbox.slip", "l", "Slip", _make, ContentImport, Permission.CONTENT_IMPORT, _where, why_not=_nothing_to_ask),
    Action(
        "exports.recut",
        "r",
        "Read a slip",
        _read,
        permission=Permission.CONTENT_EXPORT,
        ask=_read_questions,
        confirm=_read_confirm,
    ),
)
