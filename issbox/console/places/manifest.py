"""The subscription manifest of an organization: importing, refreshing and deleting it."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from issbox.console.files import read_text
from issbox.console.lines import details, listed
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
    Outcome,
    Place,
    Question,
    Target,
    Text,
    View,
    Wanted,
)
from issbox.errors import InvalidValueError, NotFoundError
from issbox.model import EntitlementFile, ManifestConflict, ManifestRecord, ManifestSubscription
from issbox.names import plural
from issbox.workflows.context import Permission

if TYPE_CHECKING:
    from collections.abc import Sequence

    from issbox.workflows.manifests.manifest_importing import ManifestChange
    from issbox.workflows.manifests.manifest_trust import ManifestTrust

_NAMED: Final = 50
"""Contents that a plan names."""


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows.manifests import manifests

    del subject
    columns = (Column("What", 13), Column("Name", 28, 3), Column("Number", 9), Column("Until", 16))
    title = f"Subscription manifest of {session.organization}"
    try:
        found = manifests.show_manifest(session.ctx, session.organization)
    except NotFoundError:
        return View(
            title, columns, listed((), wanted), empty="There is none: i imports the file that the portal exports."
        )
    now = session.ctx.clock()
    record = found.record
    contents = sum(map(len, found.offered.values()))
    return View(
        title,
        columns,
        listed(_lines(record, now), wanted),
        head=_head(record, contents, len(found.offered)),
    )


def _head(record: ManifestRecord, contents: int, products: int) -> tuple[str, ...]:
    made = f"exported {when(record.created)}, imported {when(record.imported_at)} by {record.imported_by}"
    offers = f"offers {plural(contents, 'content')} of {plural(products, 'product')}"
    return (f"{record.distributor.name}, {made}", f"{offers}; signed by {record.signed_by or 'nobody that is trusted'}")


def _lines(record: ManifestRecord, now: datetime) -> Iterator[Line]:
    for number, bought in enumerate(record.subscriptions):
        ended = bought.end is not None and bought.end < now
        cells = ("subscription", f"{bought.name} ({bought.sku})", str(bought.quantity), when(bought.end))
        yield Line(f"subscription {number}", cells, bought, Mood.BAD if ended else Mood.PLAIN)
    for each in record.certificates:
        mood = Mood.PLAIN if each.valid.holds(now) else Mood.BAD
        cells = ("certificate", each.subject, f"{each.paths} paths", when(each.valid.not_after))
        yield Line(f"certificate {each.serial}", cells, each, mood)


def _open(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show a subscription or a certificate of the manifest."""
    del session, answers
    each = target.thing
    if isinstance(each, EntitlementFile):
        facts = [
            ("serial", each.serial),
            ("subject", each.subject),
            ("valid", f"{when(each.valid.not_before)} to {when(each.valid.not_after)}"),
            ("opens", plural(each.paths, "path")),
        ]
        return Outcome(text=Text("Certificate of the manifest", details(facts), (("serial", each.serial),)))
    facts = [
        ("name", each.name),
        ("SKU", each.sku),
        ("quantity", str(each.quantity)),
        ("from", when(each.start)),
        ("until", when(each.end)),
        ("contract", each.contract),
        ("account", each.account),
    ]
    return Outcome(text=Text(each.name, details(facts), (("SKU", each.sku),)))


def _history(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show which manifests the organization had."""
    from issbox.workflows.manifests import manifests

    del target, answers
    lines = []
    for each in manifests.manifest_history(session.ctx, session.organization):
        forced = f", forced: {', '.join(each.forced)}" if each.forced else ""
        lines.append(f"{when(each.at)} {each.action} of {each.distributor} by {each.actor.name}{forced}")
        changes = f"+{each.contents_in} ~{each.contents_changed} -{each.contents_out} contents"
        lines.append(f"    exported {when(each.created)}; {plural(each.products, 'product')}, {changes}")
        lines.extend(f"    Note: {note}" for note in each.notes)
    return Outcome(text=Text(f"Manifests of {session.organization}", tuple(lines) or ("There was none.",)))


def _trust_questions() -> list[Question]:
    forces = (("", "no"), *((each.value, f"though it is: {each.value}") for each in ManifestConflict))
    return [
        Question("ca", "CA file", help="Who signs manifests, when the box does not know it: a PEM file."),
        Question("force", "Take it anyway", Kind.CHOICE, "", forces),
    ]


def _import_questions(session: Session, target: Target) -> list[Question]:
    del session, target
    return [Question("file", "File", required=True, help="The .zip that the portal exports."), *_trust_questions()]


def _refresh_questions(session: Session, target: Target) -> list[Question]:
    del session, target
    return _trust_questions()


def _trust(answers: Answers) -> "ManifestTrust":
    from issbox.workflows.manifests.manifest_trust import KNOWN_AUTHORITIES, ManifestTrust

    if not answers["ca"].strip():
        return KNOWN_AUTHORITIES
    return ManifestTrust((read_text(answers["ca"], "a CA certificate"),))


def _force(answers: Answers) -> "Sequence[ManifestConflict]":
    return [ManifestConflict(answers["force"])] if answers["force"] else []


def _import(session: Session, answers: Answers, *, dry_run: bool) -> tuple["ManifestChange", str]:
    """Take the file in, or say what that changes; gives the digest of what was read, too."""
    from issbox.workflows.manifests import manifest_importing

    path = Path(answers["file"].strip())
    data = manifest_importing.read_manifest_file(path)
    digest = hashlib.sha256(data).hexdigest()
    if not dry_run and digest != answers["confirmed"]:
        raise InvalidValueError(f"{path} is another file than the one that was shown", hint="Look at it again.")
    change = manifest_importing.import_manifest(
        session.ctx,
        session.organization,
        data,
        path.name,
        trust=_trust(answers),
        force=_force(answers),
        dry_run=dry_run,
    )
    return change, digest


def _import_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    del target
    change, digest = _import(session, answers, dry_run=True)
    title = f"Import the manifest {change.record.distributor.name}?"
    return Consequences(title, tuple(_change_lines(change)), "Import", extra={"confirmed": digest})


def _run_import(session: Session, target: Target, answers: Answers) -> Outcome:
    """Take a subscription manifest in from a file, after showing what it changes."""
    del target
    change, _ = _import(session, answers, dry_run=False)
    return Outcome(f"The manifest {change.record.distributor.name} is imported.")


def _refresh_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    from issbox.workflows.manifests.manifest_refresh import refresh_manifest

    del target
    change = refresh_manifest(
        session.ctx, session.organization, trust=_trust(answers), force=_force(answers), dry_run=True
    )
    title = f"Take in the manifest that {change.record.distributor.name} is now?"
    return Consequences(title, tuple(_change_lines(change)), "Take in")


def _refresh(session: Session, target: Target, answers: Answers) -> Outcome:
    """Fetch the manifest as it is in the portal now and take it in, where this box can reach the portal."""
    from issbox.workflows.manifests.manifest_refresh import refresh_manifest

    del target
    change = refresh_manifest(session.ctx, session.organization, trust=_trust(answers), force=_force(answers))
    return Outcome(f"The manifest {change.record.distributor.name} is taken in as it is now.")


def _delete_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    from issbox.workflows.manifests.manifest_importing import delete_manifest

    del target, answers
    change = delete_manifest(session.ctx, session.organization, dry_run=True)
    lines = (
        "Its certificates and keys are deleted: nothing is read from the CDN, and nothing can be enabled any more.",
        *_change_lines(change),
    )
    return Consequences(f"Delete the manifest {change.record.distributor.name}?", lines, "Delete", final=True)


def _delete(session: Session, target: Target, answers: Answers) -> Outcome:
    """Delete the manifest with its certificates and keys; repositories and promotions stay."""
    from issbox.workflows.manifests.manifest_importing import delete_manifest

    del target, answers
    gone = delete_manifest(session.ctx, session.organization)
    return Outcome(f"The manifest {gone.record.distributor.name} is deleted.")


def _change_lines(change: "ManifestChange") -> Iterator[str]:
    plan = change.plan
    yield from (f"Note: {each}" for each in change.warnings)
    if plan.changes_nothing:
        yield "Products and contents stay as they are."
    yield from (f"+ product {each.label}: {each.name}" for each in plan.products_in)
    yield from (f"~ product {each.label}: called {each.name}" for each in plan.products_renamed)
    yield from (f"- product {each}" for each in plan.products_out)
    yield from (f"= product {each} stays, since something needs it" for each in plan.products_kept)
    for sign, contents in (("+", plan.contents_in), ("~", plan.contents_changed), ("-", plan.contents_out)):
        yield from (f"{sign} content {each.label}" for each in contents[:_NAMED])
        if len(contents) > _NAMED:
            yield f"{sign} ... and {len(contents) - _NAMED} more contents"
    for each in plan.withdrawn:
        places = f", dangling in {', '.join(each.environments)}" if each.environments else ""
        yield f"! {each.label} is offered no more: {', '.join(each.repositories)} stays as it is{places}"


def _is_missing(session: Session, target: Target) -> str:
    from issbox.workflows.manifests import manifests

    del target
    try:
        manifests.show_manifest(session.ctx, session.organization)
    except NotFoundError:
        return "there is no manifest"
    return ""


PLACE: Final = Place(
    "manifest",
    "Subscription manifest",
    "The subscriptions and certificates of the manifest, by which Red Hat content can be had.",
    _show,
)

ACTIONS: Final = (
    Action("manifest.open", "enter", "Details", _open, (EntitlementFile, ManifestSubscription)),
    Action(
        "manifest.import",
        "i",
        "Import",
        _run_import,
        permission=Permission.CONTENT_MANAGE,
        ask=_import_questions,
        confirm=_import_confirm,
    ),
    Action(
        "manifest.refresh",
        "r",
        "Refresh",
        _refresh,
        permission=Permission.CONTENT_MANAGE,
        ask=_refresh_questions,
        confirm=_refresh_confirm,
        why_not=_is_missing,
    ),
    Action(
        "manifest.delete",
        "d",
        "Delete",
        _delete,
        permission=Permission.CONTENT_MANAGE,
        confirm=_delete_confirm,
        why_not=_is_missing,
    ),
    Action("manifest.history", "t", "History", _history, permission=Permission.CONTENT_READ),
)
