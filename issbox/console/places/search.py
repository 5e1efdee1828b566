"""Looking for a package or a CVE in everything that an organization has."""

from typing import Any, Final

from issbox.console.lines import details, listed
from issbox.console.places.versions import package_details
from issbox.console.session import Session
from issbox.console.showing import when
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
from issbox.workflows import browsing
from issbox.workflows.context import Permission

_HOW: Final = "f looks for a package by a part of its name, an advisory by its id, or a CVE such as CVE-2026-1234."


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    looked_for = str(subject or "")
    lines = _advisories(session, looked_for) if _is_advisory(looked_for) else _packages(session, looked_for)
    return View(
        f"Search for {looked_for} in {session.organization}" if looked_for else f"Search in {session.organization}",
        (Column("Found", 26, 3), Column("Version", 14, 2), Column("Repository", 16, 2), Column("Held by", 16, 2)),
        listed(lines, wanted),
        empty="Nothing has it: f looks for something else." if looked_for else _HOW,
    )


def _is_advisory(text: str) -> bool:
    return text.upper().startswith(("CVE-", "RHSA-", "RHBA-", "RHEA-", "ALSA-", "ELSA-", "FEDORA-"))


def _packages(session: Session, text: str) -> list[Line]:
    held = _held(session)
    found = []
    for each in browsing.find_packages(session.ctx, session.organization, text) if text else ():
        package = each.file.package
        if package is not None:
            epoch = f"{package.epoch}:" if package.epoch else ""
            cells = (
                f"{package.name}.{package.arch}",
                f"{epoch}{package.version}-{package.release}",
                each.repository.short,
                held.get(each.repository.short, ""),
            )
            found.append(Line(f"{each.repository.short} {each.file.path}", cells, each))
    return found


def _advisories(session: Session, text: str) -> list[Line]:
    held = _held(session)
    return [
        Line(
            f"{each.repository.short} {each.advisory.id}",
            (
                f"{each.advisory.id} {each.advisory.title}",
                each.advisory.severity,
                each.repository.short,
                held.get(each.repository.short, ""),
            ),
            each,
        )
        for each in browsing.find_advisories(session.ctx, session.organization, text)
    ]


def _held(session: Session) -> dict[str, str]:
    """Give the environments that hold a repository, with the version each holds."""
    from issbox.workflows.environments import environments

    found: dict[str, list[str]] = {}
    for each in environments.list_environments(session.ctx, session.organization):
        for content in environments.get_environment(session.ctx, session.organization, each.label).content:
            name = f"{content.repository.key.product}/{content.repository.key.label}"
            found.setdefault(name, []).append(f"{each.label}:{content.number}")
    return {name: " ".join(places) for name, places in found.items()}


def _open(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show a package, or an advisory with its CVEs and packages."""
    if isinstance(target.thing, browsing.Found):
        return package_details(session, target, answers)
    found: browsing.FoundAdvisory = target.thing
    each = found.advisory
    facts = details(
        [
            ("id", each.id),
            ("title", each.title),
            ("type", each.type),
            ("severity", each.severity),
            ("issued", when(each.issued)),
            ("updated", when(each.updated)),
            ("repository", f"{found.repository.short} version {found.number}"),
            ("CVEs", " ".join(each.cves)),
        ]
    )
    return Outcome(
        text=Text(
            each.id,
            (
                *facts,
                "",
                "Packages:",
                *(f"  {one.name}-{one.version}-{one.release}.{one.arch}" for one in each.packages),
            ),
            (("id", each.id), ("CVEs", " ".join(each.cves))),
        )
    )


def _questions(session: Session, target: Target) -> list[Question]:
    del session, target
    return [Question("text", "Look for", required=True, help="A part of a package's name, an advisory, or a CVE.")]


def _again(session: Session, target: Target, answers: Answers) -> Outcome:
    """Look for a package by a part of its name, or an advisory by its id or a CVE, in all repositories."""
    del session, target
    return Outcome(opening=Opening("search", answers["text"].strip()))


PLACE: Final = Place(
    "search",
    "Search",
    "A package or CVE in the newest versions of all repositories, and which environments hold which version of each.",
    _show,
    "F",
    "Find",
)

ACTIONS: Final = (
    Action("search.open", "enter", "Details", _open, (browsing.Found, browsing.FoundAdvisory)),
    Action("search.again", "f", "Look for", _again, permission=Permission.CONTENT_READ, ask=_questions),
    Action("content.search", "f", "Look for", _again, permission=Permission.CONTENT_READ, ask=_questions),
)
