"""Looking for what is wrong with the box, and putting right what can do no harm."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from issbox.console.session import Session, whole_box
from issbox.console.words import Action, Answers, Consequences, Outcome, Target, Text
from issbox.names import plural
from issbox.workflows.context import Permission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from issbox.workflows.appliance.doctoring import Finding


def _look(session: Session, target: Target, answers: Answers) -> Outcome:
    """Look at owner, modes, keys, database, clock, inbox, ports and certificates; each finding says what to do."""
    from issbox.workflows.appliance import doctoring

    del target, answers
    found = doctoring.examine(session.ctx)
    lines = tuple(_lines(found)) or ("Nothing is wrong.",)
    return Outcome(text=Text(f"Doctor: {plural(len(found), 'finding')}", lines))


def _lines(found: "Sequence[Finding]") -> Iterator[str]:
    for each in found:
        yield f"! {each.check}: {each.what}" + (" (put right)" if each.fixed else "")
        if not each.fixed:
            yield f"    {each.fix}"


def _mend_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    from issbox.workflows.appliance import doctoring

    del target, answers
    found = doctoring.examine(session.ctx)
    lines = (
        "Only modes of the box's files and a missing inbox are put right; the rest is for you.",
        "",
        *_lines(found),
    )
    return Consequences("Put right what can do no harm?", lines, "Put right", () if found else ("Nothing is wrong.",))


def _mend(session: Session, target: Target, answers: Answers) -> Outcome:
    """Put right what can do no harm: modes of the box's files, and a missing inbox."""
    from issbox.workflows.appliance import doctoring

    del target, answers
    found = doctoring.examine(session.ctx, fix=True)
    mended = sum(each.fixed for each in found)
    return Outcome(f"{mended} put right.", text=Text("Doctor", tuple(_lines(found)) or ("Nothing was wrong.",)))


ACTIONS: Final = (
    Action("settings.doctor", "d", "Doctor", _look, permission=Permission.BOX_MAINTAIN, where=whole_box),
    Action(
        "settings.mend",
        "m",
        "Put right",
        _mend,
        permission=Permission.BOX_MAINTAIN,
        where=whole_box,
        confirm=_mend_confirm,
    ),
)
