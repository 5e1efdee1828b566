"""The repositories of a product: making, changing and synchronizing them."""

from typing import Any, Final

from issbox.console.lines import listed
from issbox.console.places.content import credential_choices
from issbox.console.session import Session
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
    View,
    Wanted,
)
from issbox.errors import InvalidValueError
from issbox.model import CredentialKind, Product, Repository
from issbox.names import make_label
from issbox.rules.content.urls import HIDDEN, mask_url
from issbox.workflows.context import Permission


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows.content import repositories

    product: Product = subject
    known = repositories.list_repositories(session.ctx, product.organization, product.label)
    return View(
        f"Repositories of {product.name}",
        (Column("Repository", 20, 2), Column("Label", 14, 1), Column("Version", 7), Column("Upstream", 28, 3)),
        listed((_repository_line(each) for each in known), wanted),
        empty="This product has no repository yet: c makes one.",
    )


def _repository_line(each: Repository) -> Line:
    upstream = _shown(each.upstream.url) or "none: filled by imports"
    cells = (each.name, each.key.label, _held(each), upstream)
    return Line(each.key.label, cells, each, Mood.QUIET if each.library is None else Mood.PLAIN)


def _held(each: Repository) -> str:
    """Say which version Library holds, and which is the newest when that is another one."""
    held = "none" if each.library is None else str(each.library)
    return held if each.library == each.latest else f"{held} of {each.latest}"


def _shown(url: str | None) -> str:
    return mask_url(url) if url else ""


def _open_repository(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show the versions of a repository."""
    del session, answers
    return Outcome(opening=Opening("versions", target.thing))


def _repository_where(session: Session, target: Target) -> tuple[str | None, tuple[str, ...]]:
    return session.organization, (target.thing.key.product,)


def _subject_where(session: Session, target: Target) -> tuple[str | None, tuple[str, ...]]:
    return session.organization, (target.subject.label,)


def _upstream_questions(session: Session, each: Repository | None) -> list[Question]:
    kept = None if each is None else each.upstream
    keys, cas, clients = (credential_choices(session, kind) for kind in CredentialKind)
    return [
        Question(
            "url",
            "Upstream URL",
            default=_shown(None if kept is None else kept.url),
            help="https://..., file:///... or nothing",
        ),
        Question("gpg_key", "GPG key", Kind.CHOICE, (each and each.gpg_key) or "", keys),
        Question("ca", "CA certificate", Kind.CHOICE, (kept and kept.ca) or "", cas),
        Question("client", "Client certificate", Kind.CHOICE, (kept and kept.client_certificate) or "", clients),
        Question("proxy", "Proxy", default=_shown(None if kept is None else kept.proxy)),
    ]


def _create_repository_questions(session: Session, target: Target) -> list[Question]:
    del target
    return [
        Question("name", "Name", required=True),
        Question("label", "Label", help="For paths and files; never changes. Made from the name when left out."),
        *_upstream_questions(session, None),
    ]


def _create_repository(session: Session, target: Target, answers: Answers) -> Outcome:
    """Make a repository of this product."""
    from issbox.workflows.content import repositories

    made = repositories.create_repository(
        session.ctx,
        organization=session.organization,
        product=target.subject.label,
        label=answers["label"] or make_label(answers["name"]),
        name=answers["name"],
        url=answers["url"] or None,
        gpg_key=answers["gpg_key"] or None,
        ca=answers["ca"] or None,
        client_certificate=answers["client"] or None,
        proxy=answers["proxy"] or None,
    )
    return Outcome(f"The repository {made.key.short} is there; u synchronizes it.")


def _edit_repository_questions(session: Session, target: Target) -> list[Question]:
    return [
        Question("name", "Name", default=target.thing.name, required=True),
        *_upstream_questions(session, target.thing),
    ]


def _changed_url(kept: str | None, answer: str, what: str) -> str | None:
    """Give the URL that was written over the masked one; None when that was left as it stood."""
    if answer == _shown(kept):
        return None
    if HIDDEN in answer:
        raise InvalidValueError(
            f"the {what} has {HIDDEN} in the place of what is not shown",
            hint="Write user, password and query out, or leave the URL as it stands.",
        )
    return answer


def _edit_repository(session: Session, target: Target, answers: Answers) -> Outcome:
    """Change name and upstream."""
    from issbox.workflows.content import repositories

    kept = target.thing.upstream
    made = repositories.update_repository(
        session.ctx,
        target.thing.key,
        name=answers["name"],
        url=_changed_url(kept.url, answers["url"], "upstream URL"),
        gpg_key=answers["gpg_key"],
        ca=answers["ca"],
        client_certificate=answers["client"],
        proxy=_changed_url(kept.proxy, answers["proxy"], "proxy URL"),
    )
    return Outcome(f"The repository {made.key.short} is changed.")


def _delete_repository_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    from issbox.workflows.content import repositories

    del answers
    versions = repositories.list_versions(session.ctx, target.thing.key)
    lines = [f"version {each.number} with {each.packages} packages goes" for each in versions]
    return Consequences(
        f"Delete the repository {target.thing.key.short}?", tuple(lines) or ("It is empty.",), "Delete", final=True
    )


def _delete_repository(session: Session, target: Target, answers: Answers) -> Outcome:
    """Delete a repository with its versions."""
    from issbox.workflows.content import repositories

    del answers
    repositories.delete_repository(session.ctx, target.thing.key)
    return Outcome(f"The repository {target.thing.key.short} is deleted.")


def _synchronize(session: Session, target: Target, answers: Answers) -> Outcome:
    """Fetch what is new upstream, as a job."""
    from issbox.workflows.job_kinds.content import SynchronizeJob

    del answers
    job = session.begin(SynchronizeJob(target.thing.key))
    return Outcome(f"Job {job.id}: {job.subject} is synchronized.", job=job.id)


def _has_upstream(session: Session, target: Target) -> str:
    del session
    return "" if target.thing.upstream.url else "it has no upstream URL"


PLACE: Final = Place("repositories", "Repositories", "The repositories of a product.", _show)

ACTIONS: Final = (
    Action("repositories.open", "enter", "Versions", _open_repository, Repository),
    Action(
        "repositories.synchronize",
        "u",
        "Synchronize",
        _synchronize,
        Repository,
        Permission.CONTENT_MANAGE,
        _repository_where,
        why_not=_has_upstream,
    ),
    Action(
        "repositories.create",
        "c",
        "Create",
        _create_repository,
        permission=Permission.CONTENT_MANAGE,
        where=_subject_where,
        ask=_create_repository_questions,
    ),
    Action(
        "repositories.edit",
        "e",
        "Edit",
        _edit_repository,
        Repository,
        Permission.CONTENT_MANAGE,
        _repository_where,
        ask=_edit_repository_questions,
    ),
    Action(
        "repositories.delete",
        "d",
        "Delete",
        _delete_repository,
        Repository,
        Permission.CONTENT_MANAGE,
        _repository_where,
        confirm=_delete_repository_confirm,
    ),
)
