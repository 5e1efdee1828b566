"""Before a bundle is let in or tried again: whether the lifecycle environments that it carries come too."""

from pathlib import Path

from issbox.console.session import Session
from issbox.console.words import Kind, Question
from issbox.model import ContentImport
from issbox.workflows.context import Permission


def environments_questions(session: Session, row: ContentImport) -> list[Question]:
    """Ask whether the lifecycle environments come too, unless it carries none, or somebody has said so or may not."""
    owner = row.organization or session.organization
    needed = (Permission.ENVIRONMENT_MANAGE, Permission.CONTENT_PROMOTE)
    may = session.ctx.user is None or all(session.ctx.reach(each).products(owner).cover(()) for each in needed)
    if row.with_environments or not may or not _may_carry_environments(session, row):
        return []
    words = "Take over the lifecycle environments that it carries: p shows what that changes."
    return [Question("environments", "Its environments too", Kind.YES_NO, "no", help=words)]


def _may_carry_environments(session: Session, row: ContentImport) -> bool:
    """Tell whether the bundle claims to carry lifecycle environments, or cannot be asked."""
    from issbox.workflows.imports.chunks import chunk_folders
    from issbox.workflows.inbox.peeking import peek

    path = Path(row.path)
    hint = peek(path, chunk_folders(session.ctx, path, row.organization) if row.inbox else ())
    return hint is None or bool(hint.lifecycle_environments)
