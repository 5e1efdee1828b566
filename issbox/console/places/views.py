"""Content views: sets of repositories, their versions, and publishing new ones."""

from typing import Any, Final

from issbox.console.lines import details, listed
from issbox.console.places import promotions
from issbox.console.session import Session
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
from issbox.model import ContentView, RepositoryKey, ViewVersion
from issbox.names import format_size, make_label, plural
from issbox.workflows.context import Permission


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows.content import views

    del subject
    lines = (
        Line(
            each.label,
            (each.name, each.label, str(len(each.repositories)), str(len(each.filters)), each.latest or "none"),
            each,
        )
        for each in views.list_views(session.ctx, session.organization)
    )
    return View(
        f"Content views of {session.organization}",
        (
            Column("Content view", 22, 2),
            Column("Label", 16, 1),
            Column("Repos", 6),
            Column("Filters", 8),
            Column("Newest", 8),
        ),
        listed(lines, wanted),
        empty="There is no content view yet: c makes one.",
    )


def _show_versions(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows.content import views

    view: ContentView = subject
    known = views.list_view_versions(session.ctx, view.organization, view.label)
    return View(
        f"Versions of {view.name}",
        (
            Column("Version", 8),
            Column("Published", 16),
            Column("Repos", 6),
            Column("Packages", 8),
            Column("In", 18, 2),
            Column("Description", 12, 2),
        ),
        listed((_version_line(each) for each in known), wanted),
        empty="Nothing has been published yet: v publishes a version.",
    )


def _version_line(each: ViewVersion) -> Line:
    packages = sum(pin.packages for pin in each.repositories)
    where = ", ".join(each.environments)
    cells = (each.number, when(each.created_at), str(len(each.repositories)), str(packages), where, each.description)
    return Line(each.number, cells, each)


def _open(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show the versions of a content view."""
    del session, answers
    return Outcome(opening=Opening("views-versions", target.thing))


def _details(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show the repositories and filters of a content view."""
    from issbox.workflows.content import views

    del answers
    view = views.get_view(session.ctx, session.organization, target.thing.label)
    facts = details(
        [("name", view.name), ("label", view.label), ("description", view.description), ("newest", view.latest)]
    )
    repos = [f"  {key.short}" for key in view.repositories] or ["  none: a adds one"]
    filters = [f"  {each.name}: {'include' if each.inclusion else 'exclude'} {each.kind}" for each in view.filters]
    return Outcome(
        text=Text(view.name, (*facts, "", "Repositories:", *repos, "", "Filters:", *(filters or ["  none"])))
    )


def _create_questions(session: Session, target: Target) -> list[Question]:
    del session, target
    return [
        Question("name", "Name", required=True),
        Question("label", "Label", help="Never changes. Made from the name when left out."),
        Question("description", "Description"),
    ]


def _create(session: Session, target: Target, answers: Answers) -> Outcome:
    """Make a content view."""
    from issbox.workflows.content import views

    del target
    label = answers["label"] or make_label(answers["name"])
    made = views.create_view(
        session.ctx,
        organization=session.organization,
        label=label,
        name=answers["name"],
        description=answers["description"],
    )
    return Outcome(f"The content view {made.name} is there; a adds repositories to it.")


def _add_questions(session: Session, target: Target) -> list[Question]:
    from issbox.workflows.content import repositories

    held = set(target.thing.repositories)
    choices = tuple(
        (f"{each.key.product}/{each.key.label}", each.key.short)
        for each in repositories.list_repositories(session.ctx, session.organization)
        if each.key not in held
    )
    return [Question("repository", "Repository", Kind.CHOICE, choices[0][0] if choices else "", choices, required=True)]


def _key(session: Session, answers: Answers) -> RepositoryKey:
    product, _, label = answers["repository"].partition("/")
    return RepositoryKey(session.organization, product, label)


def _add(session: Session, target: Target, answers: Answers) -> Outcome:
    """Add a repository to a content view; its next version holds it."""
    from issbox.workflows.content import views

    key = _key(session, answers)
    views.add_repository(session.ctx, session.organization, target.thing.label, key)
    return Outcome(f"{key.short} is in {target.thing.name} from its next version on.")


def _remove_questions(session: Session, target: Target) -> list[Question]:
    del session
    choices = tuple((f"{key.product}/{key.label}", key.short) for key in target.thing.repositories)
    return [Question("repository", "Repository", Kind.CHOICE, choices[0][0] if choices else "", choices, required=True)]


def _remove(session: Session, target: Target, answers: Answers) -> Outcome:
    """Take a repository out of a content view; versions already published keep it."""
    from issbox.workflows.content import views

    key = _key(session, answers)
    views.remove_repository(session.ctx, session.organization, target.thing.label, key)
    return Outcome(f"{key.short} is in {target.thing.name} no longer, from its next version on.")


def _publish_questions(session: Session, target: Target) -> list[Question]:
    del session, target
    return [Question("description", "Description", help="Of the version.")]


def _publish(session: Session, target: Target, answers: Answers) -> Outcome:
    """Publish a version with the newest version of each repository, as a job."""
    from issbox.workflows.job_kinds.content import PublishJob

    job = session.begin(PublishJob(session.organization, target.thing.label, answers["description"]))
    return Outcome(f"Job {job.id}: a version of {job.subject} is published.", job=job.id)


def _delete_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    from issbox.workflows.content import views

    del answers
    known = views.list_view_versions(session.ctx, session.organization, target.thing.label)
    lines = tuple(
        f"version {each.number} goes{', and is in ' + ', '.join(each.environments) if each.environments else ''}"
        for each in known
    )
    return Consequences(
        f"Delete the content view {target.thing.name}?", lines or ("It has no version.",), "Delete", final=True
    )


def _delete(session: Session, target: Target, answers: Answers) -> Outcome:
    """Delete a content view that is in no environment."""
    from issbox.workflows.content import views

    del answers
    views.delete_view(session.ctx, session.organization, target.thing.label)
    return Outcome(f"The content view {target.thing.name} is deleted.")


def _promote_questions(session: Session, target: Target) -> list[Question]:
    each: ViewVersion = target.thing
    return promotions.promotion_questions(session, ((f"view:{each.view}:{each.number}", f"{each.view} {each.number}"),))


def _pins(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show which repository versions a version holds."""
    del session, answers
    each: ViewVersion = target.thing
    lines = [
        f"{pin.repository.key.short}: version {pin.number}, {plural(pin.packages, 'package')}, {format_size(pin.size)}"
        for pin in each.repositories
    ]
    return Outcome(text=Text(f"{each.view} {each.number}", tuple(lines) or ("It is empty.",)))


PLACE: Final = Place(
    "views", "Content views", "Sets of repositories that are published and promoted together.", _show, "V", "Views"
)
VERSIONS: Final = Place(
    "views-versions",
    "Versions of a content view",
    "What was published of a content view, newest first, and where each version is.",
    _show_versions,
)

ACTIONS: Final = (
    Action("views.open", "enter", "Versions", _open, ContentView),
    Action("views.details", "t", "Details", _details, ContentView),
    Action("views.create", "c", "Create", _create, permission=Permission.CONTENT_MANAGE, ask=_create_questions),
    Action("views.add", "a", "Add repository", _add, ContentView, Permission.CONTENT_MANAGE, ask=_add_questions),
    Action(
        "views.remove", "r", "Remove repository", _remove, ContentView, Permission.CONTENT_MANAGE, ask=_remove_questions
    ),
    Action("views.publish", "v", "Publish", _publish, ContentView, Permission.CONTENT_MANAGE, ask=_publish_questions),
    Action("views.delete", "d", "Delete", _delete, ContentView, Permission.CONTENT_MANAGE, confirm=_delete_confirm),
    Action("views-versions.open", "enter", "Details", _pins, ViewVersion),
    Action(
        "views-versions.promote",
        "p",
        "Promote",
        promotions.run,
        ViewVersion,
        Permission.CONTENT_READ,
        ask=_promote_questions,
        confirm=promotions.confirm,
    ),
)
