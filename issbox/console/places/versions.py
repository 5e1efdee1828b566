"""The versions of a repository, what each changed, and its packages."""

from typing import Any, Final

from issbox.console.lines import PagedLines, details, listed
from issbox.console.places import promotions
from issbox.console.session import Session
from issbox.console.showing import difference_lines, difference_summary, when
from issbox.console.words import (
    Action,
    Answers,
    Column,
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
from issbox.model import PackageOrder, PackageSearch, Repository, RepositoryFile, RepositoryVersion
from issbox.names import format_size
from issbox.workflows.context import Permission

_ORDERS: Final[dict[int, PackageOrder]] = {0: PackageOrder.NAME, 2: PackageOrder.ARCH, 3: PackageOrder.SIZE}
"""Orders of packages by the column that shows what they go by; without one they come by file."""


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows.content import repositories

    repository: Repository = subject
    versions = repositories.list_versions(session.ctx, repository.key)
    return View(
        f"Versions of {repository.key.short}",
        (
            Column("Version", 7),
            Column("Made", 16),
            Column("By", 11),
            Column("Packages", 8),
            Column("Size", 10),
            Column("From", 16, 1),
        ),
        listed((_version_line(each) for each in reversed(versions)), wanted),
        empty="Nothing has been synchronized or imported yet.",
    )


def _version_line(each: RepositoryVersion) -> Line:
    size = format_size(each.size)
    cells = (str(each.number), when(each.created_at), each.origin.value, str(each.packages), size, each.source)
    return Line(str(each.number), cells, each)


def _show_packages(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows import browsing

    version: RepositoryVersion = subject
    order = wanted.order(_ORDERS, PackageOrder.PATH)
    search = PackageSearch(wanted.search, order, wanted.descending)
    pages = browsing.browse_packages(session.ctx, version.repository, version.number, search)
    return View(
        f"Packages of {version.repository.short} version {version.number}",
        (Column("Package", 30, 3), Column("Version", 20, 2), Column("Arch", 8), Column("Size", 10)),
        PagedLines(pages, _package_line),
        empty="No package.",
        sorts=tuple(_ORDERS),
    )


def _package_line(file: RepositoryFile) -> Line:
    size = format_size(file.size)
    if file.package is None:
        return Line(file.path, (file.path, "", "", size), file)
    one = file.package
    epoch = f"{one.epoch}:" if one.epoch else ""
    return Line(file.path, (one.name, f"{epoch}{one.version}-{one.release}", one.arch, size), file)


def package_details(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show file, size and digest of a package."""
    from issbox.workflows import browsing

    del session, answers
    file: RepositoryFile = target.thing.file if isinstance(target.thing, browsing.Found) else target.thing
    package = file.package
    facts = [
        ("file", file.path),
        ("size", f"{format_size(file.size)} ({file.size} bytes)"),
        ("sha256", file.sha256),
        ("package", None if package is None else package.nevra),
    ]
    return Outcome(
        text=Text(file.path.rpartition("/")[2], details(facts), (("sha256", file.sha256), ("file", file.path)))
    )


def _open_version(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show the packages of a version."""
    del session, answers
    return Outcome(opening=Opening("packages", target.thing))


def _promote_questions(session: Session, target: Target) -> list[Question]:
    key, number = target.thing.repository, target.thing.number
    what = f"repository:{key.product}:{key.label}:{number}"
    return promotions.promotion_questions(session, ((what, f"{key.short} version {number}"),))


def _compare(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show what it changed: packages, advisories, CVEs."""
    from issbox.workflows.content import comparing, repositories

    del answers
    version: RepositoryVersion = target.thing
    earlier = [each.number for each in repositories.list_versions(session.ctx, version.repository)]
    before = max((number for number in earlier if number < version.number), default=None)
    difference = comparing.compare_versions(session.ctx, version.repository, before, version.repository, version.number)
    title = f"From {'nothing' if before is None else f'version {before}'} to version {version.number}"
    return Outcome(text=Text(title, (difference_summary(difference), *difference_lines(difference))))


PLACE: Final = Place("versions", "Versions", "The versions of a repository, newest first.", _show)
PACKAGES: Final = Place(
    "packages", "Packages", "The packages of a version, by file; / looks for a part of the name.", _show_packages
)

ACTIONS: Final = (
    Action("versions.open", "enter", "Packages", _open_version, RepositoryVersion),
    Action("versions.compare", "f", "Difference", _compare, RepositoryVersion),
    Action(
        "versions.promote",
        "p",
        "Promote",
        promotions.run,
        RepositoryVersion,
        Permission.CONTENT_READ,
        ask=_promote_questions,
        confirm=promotions.confirm,
    ),
    Action("packages.open", "enter", "Details", package_details, RepositoryFile),
)
