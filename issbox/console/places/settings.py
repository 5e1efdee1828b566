"""Settings and health: what the configuration says, who is asking, and putting the store in order."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, Final

from issbox import VERSION
from issbox.console.lines import listed
from issbox.console.session import Session, whole_box
from issbox.console.showing import when
from issbox.console.words import (
    Action,
    Answers,
    Column,
    Consequences,
    Line,
    Mood,
    Outcome,
    Place,
    Target,
    Text,
    View,
    Wanted,
)
from issbox.names import format_size, plural
from issbox.rules.content.urls import mask_url
from issbox.workflows.context import Permission


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    del subject
    return View(
        "Settings and health",
        (Column("What", 30, 1), Column("Value", 40, 3)),
        listed(_lines(session), wanted),
        head=("They are changed in the configuration file, and hold from the next start on.",),
    )


def _lines(session: Session) -> Iterator[Line]:
    from issbox.job_running import service_runs
    from issbox.workflows.appliance import box_status
    from issbox.workflows.people import users
    from issbox.workflows.people.users import describe_grant

    ctx = session.ctx
    identity = users.who_am_i(ctx)
    roles = ", ".join(describe_grant(grant) for grant in identity.grants) or "none"
    service = service_runs(ctx)
    yield _fact("you", identity.actor.name)
    yield _fact("your roles", roles)
    yield _fact("issbox", VERSION)
    yield _fact("service", "runs" if service else "does not run", Mood.GOOD if service else Mood.BUSY)
    if not ctx.reach(Permission.BOX_READ).everywhere:
        return
    status = box_status.status(ctx)
    yield _fact("free space", f"{format_size(status.free)} of {format_size(status.total)}")
    for state, number in sorted(status.imports.items()):
        yield _fact(f"imports {state}", str(number))
    yield _fact("configuration file", str(ctx.settings.source or "none: every setting is the default"))
    yield from _settings("", ctx.settings)


def _settings(prefix: str, section: Any) -> Iterator[Line]:
    for each in fields(section):
        value = getattr(section, each.name)
        if is_dataclass(value):
            yield from _settings(f"{each.name}.", value)
        elif each.name not in ("source", "database_url"):
            yield _fact(f"{prefix}{each.name}", str(_masked(value)))


def _masked(value: object) -> object:
    """Give a value without the passwords of URLs."""
    if isinstance(value, tuple):
        return tuple(_masked(each) for each in value)
    return mask_url(value) if isinstance(value, str) and "://" in value else value


def _fact(name: str, value: str, mood: Mood = Mood.PLAIN) -> Line:
    return Line(name, (name, value), (name, value), mood)


def _details(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show a value whole, to copy it."""
    del session, answers
    name, value = target.thing
    return Outcome(text=Text(name, (value,), ((name, value),)))


def _garbage_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    from issbox.workflows.appliance import upkeep

    del target, answers
    report = upkeep.collect_garbage(session.ctx, dry_run=True)
    lines = (
        f"{plural(report.versions, 'version')} that nothing needs",
        f"{plural(report.blobs, 'file')} that no version has, {format_size(report.size)}",
        f"{plural(report.jobs, 'job')} that ended more than {session.ctx.settings.jobs.keep_days} days ago",
        f"{plural(report.regenerations, 'regeneration')} of certificates that ended as long ago",
    )
    return Consequences("Free space?", lines, "Free it", final=True)


def _garbage(session: Session, target: Target, answers: Answers) -> Outcome:
    """Remove old versions that nothing needs, files that no version has, and jobs of long ago, as a job."""
    from issbox.workflows.job_kinds.upkeep import GarbageJob

    del target, answers
    job = session.begin(GarbageJob())
    return Outcome(f"Job {job.id}: space is freed.", job=job.id)


def _reconcile(session: Session, target: Target, answers: Answers) -> Outcome:
    """Put trees and links in order after a crash, as every start of the service does."""
    from issbox.workflows.appliance import upkeep

    del target, answers
    report = upkeep.reconcile(session.ctx)
    words = (
        f"trees built: {report.trees_built}",
        f"trees removed: {report.trees_removed}",
        f"links changed: {report.links_changed}",
        f"imports put back: {report.imports_put_back}",
        f"keys of no host removed: {report.keys_removed}",
    )
    return Outcome(", ".join(words) + ".")


def _refused(session: Session, target: Target, answers: Answers) -> Outcome:
    """List what was refused lately: bundles, and attempts without permission."""
    from issbox.workflows import history

    del target, answers
    rows = [row for row in history.list_imports(session.ctx, limit=500) if row.error_code]
    lines = [f"{when(row.updated_at)} import {row.id}: {row.reason}" for row in rows]
    return Outcome(text=Text("Refused bundles", tuple(lines) or ("None.",)))


PLACE: Final = Place(
    "settings",
    "Settings and health",
    "What is configured, how the box is, and who you are here.",
    _show,
    "0",
    "Settings",
)

ACTIONS: Final = (
    Action("settings.open", "enter", "Value", _details, tuple),
    Action(
        "settings.garbage",
        "f",
        "Free space",
        _garbage,
        permission=Permission.BOX_MAINTAIN,
        where=whole_box,
        confirm=_garbage_confirm,
    ),
    Action("settings.reconcile", "r", "Put in order", _reconcile, permission=Permission.BOX_MAINTAIN, where=whole_box),
    Action("settings.refused", "e", "Refused bundles", _refused, permission=Permission.CONTENT_READ),
)
