"""Red Hat content: where it is read from, and what the subscription manifest offers of it."""

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from issbox.console.lines import details, listed
from issbox.console.places.content import credential_choices
from issbox.console.session import Session
from issbox.console.showing import when
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
    Text,
    View,
    Wanted,
)
from issbox.errors import InvalidValueError
from issbox.model import CdnLocation, CdnServer, CdnType, CredentialKind, OfferedContent, Repository
from issbox.names import plural
from issbox.rules.content.cdn import PROXY_OF_BOX, LocationChange, base_url, changed_location
from issbox.rules.content.urls import mask_url
from issbox.workflows.context import Permission

if TYPE_CHECKING:
    from issbox.workflows.cdn.location import LocationPlan
    from issbox.workflows.cdn.testing import LocationTest

_TYPES: Final = (
    (CdnType.REDHAT_CDN.value, "Red Hat's own CDN"),
    (CdnType.CUSTOM_CDN.value, "another server or directory laid out like it"),
    (CdnType.NETWORK_SYNC.value, "another box"),
    (CdnType.EXPORT_SYNC.value, "an exported tree, or imports only"),
)
_OWN: Final = "own"
_PROXIES: Final = (
    (PROXY_OF_BOX, "of the box, if it has one"),
    ("", "none, not even that of the box"),
    (_OWN, "one of its own"),
)


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows.cdn import location
    from issbox.workflows.content import repositories
    from issbox.workflows.manifests import manifests

    del subject
    ctx, organization = session.ctx, session.organization
    enabled: dict[str, list[Repository]] = {}
    for each in repositories.list_repositories(ctx, organization):
        enabled.setdefault(each.content.id, []).append(each)
    offered = manifests.manifest_contents(ctx, organization)
    lines = [
        _content_line(product, each, enabled.get(each.content.id, ()))
        for product, contents in offered.items()
        for each in contents
    ]
    return View(
        f"Red Hat content of {organization}",
        (Column("Content", 30, 3), Column("Product", 8, 1), Column("Type", 5), Column("Enabled", 20, 2)),
        listed(lines, wanted),
        empty="No manifest offers Red Hat content: m leads to the subscription manifest.",
        head=(f"Read from {_location_words(location.get_location(ctx, organization))}",),
    )


def _location_words(found: CdnLocation) -> str:
    base = base_url(found)
    where = "imports only" if base is None else mask_url(base)
    shown = found.client_certificate or ("the manifest's certificate" if found.shows_manifest else "no certificate")
    return f"{where} ({found.type.value}), showing {shown}"


def _content_line(product: str, each: OfferedContent, enabled: Sequence[Repository]) -> Line:
    content = each.content
    places = ", ".join(" ".join(one.variables.values()) or "yes" for one in enabled)
    mood = Mood.GOOD if enabled else Mood.PLAIN
    return Line(f"{product} {content.id}", (content.label, product, content.type, places), each, mood)


def _open(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show a content that the manifest offers."""
    from issbox.workflows.content import repositories

    del answers
    offered: OfferedContent = target.thing
    content = offered.content
    known = repositories.list_repositories(session.ctx, session.organization)
    enabled = [each.key.short for each in known if each.content.id == content.id]
    facts = details(
        [
            ("label", content.label),
            ("name", content.name),
            ("id", content.id),
            ("type", content.type),
            ("path", content.path),
            ("processors", ", ".join(content.arches) or "any"),
            ("vendor", offered.vendor),
            ("GPG key", offered.gpg_url),
            ("enabled as", ", ".join(enabled) or "nothing yet: c shows what the CDN holds"),
        ]
    )
    return Outcome(text=Text(content.label, facts, (("label", content.label), ("path", content.path))))


def _test(session: Session, target: Target, answers: Answers) -> Outcome:
    """Try the location step by step: its address, the server's certificates, this box's own, the listing at its top."""
    from issbox.workflows.cdn import location, testing

    del target, answers
    found = testing.try_location(session.ctx, location.get_location(session.ctx, session.organization))
    failure = found.failure
    title = "The CDN answers" if failure is None else f"The CDN fails at: {failure.step}"
    return Outcome(title + ".", text=Text(title, tuple(_test_lines(found))))


def _test_lines(found: "LocationTest") -> list[str]:
    lines = [found.base or "no URL", ""]
    for each in found.tried:
        lines.append(f"{'FAILED' if each.failed else 'ok'}  {each.step}: {each.words}")
        if each.failed and each.hint:
            lines.append(f"    {each.hint}")
    if found.chain:
        lines.extend(("", "Certificates of the server, its own first:"))
    for shown in found.chain:
        lines.append(f"  {shown.subject}")
        lines.append(f"    by {shown.issuer}, {when(shown.valid.not_before)} to {when(shown.valid.not_after)}")
    if found.listing:
        lines.extend(("", "At its top:", *(f"  {name}" for name in found.listing)))
    return lines


def _change_questions(session: Session, target: Target) -> list[Question]:
    from issbox.workflows.cdn import location

    del target
    present = location.get_location(session.ctx, session.organization)
    upstream = present.upstream
    cas = credential_choices(session, CredentialKind.CA_CERTIFICATE)
    clients = credential_choices(session, CredentialKind.CLIENT_CERTIFICATE)
    servers = tuple((each.value, each.value) for each in CdnServer)
    return [
        Question("type", "Kind", Kind.CHOICE, present.type.value, _TYPES),
        Question("url", "URL", default=_masked(present.url), help="https://, file:/// or a directory of this box."),
        Question("ca", "CA of the server", Kind.CHOICE, present.ca or "", cas),
        Question("client", "Client certificate", Kind.CHOICE, present.client_certificate or "", clients),
        Question("manifest", "Show the manifest's", Kind.YES_NO, "yes" if present.shows_manifest else "no"),
        Question("by", "By the proxy", Kind.CHOICE, _proxy_kind(present.proxy), _PROXIES),
        Question("proxy", "Its URL", default=_masked(present.proxy), help="Only for one of its own: http or https."),
        Question("organization", "Other's organization", default=upstream.organization if upstream else ""),
        Question("environment", "Other's environment", default=upstream.environment if upstream else ""),
        Question("view", "Other's content view", default=upstream.view if upstream else "", help="Of a Katello only."),
        Question("server", "The other is a", Kind.CHOICE, upstream.server.value if upstream else "issbox", servers),
    ]


def _proxy_kind(proxy: str | None) -> str:
    return PROXY_OF_BOX if proxy is None else _OWN if proxy else ""


def _masked(url: str | None) -> str:
    return mask_url(url) if url else ""


def _plan(session: Session, answers: Answers) -> "LocationPlan":
    """Plan what the form says; what was left as it opened stays, or becomes what another kind begins with."""
    from issbox.workflows.cdn import location

    present = location.get_location(session.ctx, session.organization)
    type_ = CdnType(answers["type"])
    is_other_box = type_ is CdnType.NETWORK_SYNC
    shows = answers["manifest"] == "yes"
    change = LocationChange(
        type=type_,
        url=_answered(answers["url"], present.url),
        ca=answers["ca"],
        client_certificate=answers["client"],
        proxy=_proxy(answers, present.proxy),
        shows_manifest=None if shows == present.shows_manifest else shows,
        organization=answers["organization"].strip() if is_other_box else "",
        environment=answers["environment"].strip() if is_other_box else None,
        view=answers["view"].strip() if is_other_box else None,
        server=CdnServer(answers["server"]) if is_other_box else None,
    )
    return location.plan_location(session.ctx, changed_location(present, change))


def _proxy(answers: Answers, present: str | None) -> str | None:
    if answers["by"] != _OWN:
        return answers["by"]
    if not answers["proxy"].strip():
        raise InvalidValueError("the URL of the proxy is missing", hint="Give it, or choose none or that of the box.")
    return _answered(answers["proxy"], present)


def _answered(answer: str, present: str | None) -> str | None:
    """Give the URL of an answer: None when it was not changed, a directory of this box as a URL of it."""
    text = answer.strip()
    if text == _masked(present):
        return None
    return PurePosixPath(text).as_uri() if text.startswith("/") else text


def _change_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    del target
    plan = _plan(session, answers)
    changed = [each for each in plan.repositories if each.changed]
    lines = (
        f"from {_location_words(plan.before)}",
        f"to   {_location_words(plan.after)}",
        f"{len(changed)} of {plural(len(plan.repositories), 'Red Hat repository')} would be read from elsewhere",
        *(f"  {each.key.short}: {_masked(each.after.url) or 'imports only'}" for each in changed),
        "What they hold stays. t tries the new location.",
    )
    return Consequences("Read Red Hat content from another location?", lines, "Change")


def _change(session: Session, target: Target, answers: Answers) -> Outcome:
    """Read Red Hat content from another place, after showing which repositories would be read from where."""
    from issbox.workflows.cdn import location

    del target
    made = location.set_location(session.ctx, _plan(session, answers))
    return Outcome(f"Red Hat content is read from {_location_words(made.after)}.")


def _choices_questions(session: Session, target: Target) -> list[Question]:
    from issbox.workflows.manifests import manifests

    offered = manifests.manifest_contents(session.ctx, session.organization)
    label = target.thing.content.label if isinstance(target.thing, OfferedContent) else ""
    products = (("", "all products"), *((each, each) for each in offered))
    return [
        Question("content", "Content", default=label, help="Label or id; nothing for all."),
        Question("product", "Product", Kind.CHOICE, "", products),
        Question("release", "Release", help="Such as 9 or 9.4; nothing for all."),
        Question("arch", "Processor", help="Such as x86_64; nothing for all."),
    ]


def _choices(session: Session, target: Target, answers: Answers) -> Outcome:
    """Look what the location really holds of what the manifest offers, following its listing files."""
    from issbox.workflows.cdn.choices import Wish, list_choices

    del target
    wish = Wish(**{name: answers[name].strip() or None for name in ("content", "product", "release", "arch")})
    found = list_choices(session.ctx, session.organization, wish)
    return Outcome(f"{plural(len(found.choices), 'choice')}.", opening=Opening("cdn-choices", found))


def _manifest(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show the subscription manifest."""
    del session, target, answers
    return Outcome(opening=Opening("manifest"))


PLACE: Final = Place(
    "cdn",
    "Red Hat CDN",
    "What the subscription manifest offers of Red Hat content, what of it is enabled, and where it is read from.",
    _show,
    "D",
    "CDN",
)

ACTIONS: Final = (
    Action("cdn.open", "enter", "Details", _open, OfferedContent),
    Action("cdn.choices", "c", "Choices", _choices, permission=Permission.CONTENT_MANAGE, ask=_choices_questions),
    Action("cdn.test", "t", "Test", _test, permission=Permission.CONTENT_MANAGE),
    Action(
        "cdn.change",
        "e",
        "Location",
        _change,
        permission=Permission.CONTENT_MANAGE,
        ask=_change_questions,
        confirm=_change_confirm,
    ),
    Action("cdn.manifest", "m", "Manifest", _manifest, permission=Permission.CONTENT_READ),
)
