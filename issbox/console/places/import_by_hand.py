"""Importing what lies at a path: a disc, a stick, a folder, whatever the inbox does not watch."""

from pathlib import Path
from typing import Final

from issbox.console.places.import_preview import preview_lines
from issbox.console.session import Session
from issbox.console.words import Action, Answers, Consequences, Kind, Outcome, Question, Target
from issbox.errors import InvalidValueError
from issbox.workflows.context import Permission


def _questions(session: Session, target: Target) -> list[Question]:
    del session, target
    return [
        Question("path", "Path", required=True, help="Of a bundle, an image or a disc, or of a folder with several."),
        Question("allow_older", "Also an older one", Kind.YES_NO, "no"),
        Question("environments", "Its environments too", Kind.YES_NO, "no"),
        Question(
            "unsigned",
            "Also an unsigned one",
            Kind.YES_NO,
            "no",
            help="An export of a Katello: nobody can have signed it.",
        ),
    ]


def _confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    from issbox.workflows.imports.previewing import preview

    del target
    path = _path(answers)
    try:
        lines = preview_lines(preview(session.ctx, path, allow_older=answers["allow_older"] == "yes"))
    except InvalidValueError as error:  # several: each is looked at when its turn comes
        lines = (f"{error}: all of them are imported, each after the one before it.",)
    return Consequences(f"Import what lies at {path}?", lines, "Import")


def _run(session: Session, target: Target, answers: Answers) -> Outcome:
    """Import a bundle that lies anywhere on this box, a mounted disc for example; it stays where it is."""
    from issbox.workflows.job_kinds.importing import ImportJob

    del target
    job = session.begin(
        ImportJob(
            str(_path(answers)),
            allow_older=answers["allow_older"] == "yes",
            accept_unsigned=answers["unsigned"] == "yes",
            with_environments=answers["environments"] == "yes",
        )
    )
    return Outcome(f"Job {job.id}: {job.subject}.", job=job.id)


def _path(answers: Answers) -> Path:
    from issbox.workflows.job_kinds.importing import whole_path

    return whole_path(answers["path"].strip())


ACTIONS: Final = (
    Action(
        "inbox.path",
        "f",
        "From a path",
        _run,
        permission=Permission.CONTENT_IMPORT,
        ask=_questions,
        confirm=_confirm,
    ),
)
