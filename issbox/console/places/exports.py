"""Exports: a guided one, those that were made, and the receipts of other boxes."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

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
    Opening,
    Outcome,
    Place,
    Question,
    Target,
    Text,
    View,
    Wanted,
)
from issbox.model import BundleForm, ContentExport, ExportState, RepositoryKey
from issbox.names import format_size, parse_time, plural
from issbox.workflows.context import Permission

if TYPE_CHECKING:
    from issbox.workflows import exports


_MOODS: Final = {ExportState.WRITING: Mood.BUSY, ExportState.PRUNED: Mood.QUIET}


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows import history

    del subject
    ctx = session.ctx
    lines = (_line(session, each) for each in history.list_exports(ctx, session.organization))
    return View(
        f"Exports of {session.organization}",
        (
            Column("ID", 4),
            Column("When", 16),
            Column("For", 10, 1),
            Column("#", 4),
            Column("What", 18, 2),
            Column("Form", 4),
            Column("Size", 10, spare=True),
            Column("State", 10, 1),
        ),
        listed(lines, wanted),
        empty="No bundle has been made yet: n makes one.",
    )


def _line(session: Session, each: ContentExport) -> Line:
    from issbox.workflows.exchange import received

    kind = "incr." if each.incremental else "full"
    there = received.acknowledged(session.ctx, each)
    state = "arrived" if there else each.state.value
    cells = (
        str(each.id),
        when(each.created_at),
        each.destination,
        str(each.sequence),
        f"{each.scope or 'repository'} {kind}",
        each.form.value,
        format_size(each.size),
        state,
    )
    return Line(str(each.id), cells, each, Mood.GOOD if there else _MOODS.get(each.state, Mood.PLAIN))


def _details(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show an export: where it lies, its volumes and repositories, and whether its arrival was acknowledged."""
    from issbox.workflows import history
    from issbox.workflows.exchange import received

    del answers
    each = history.get_export(session.ctx, target.thing.id)
    facts = details(
        [
            ("state", each.state),
            (
                "arrived",
                "yes, a receipt says so" if received.acknowledged(session.ctx, each) else "no receipt says so yet",
            ),
            ("path", each.path),
            ("form", each.form),
            ("kind", "incremental" if each.incremental else "complete"),
            ("scope", each.scope),
            ("for", each.destination),
            ("sequence", each.sequence),
            ("made", when(each.created_at)),
            ("made by", each.made_by),
            ("files", each.files),
            ("size", format_size(each.size)),
            ("seconds", round(each.seconds, 1)),
            ("bundle", each.bundle_id),
        ]
    )
    volumes = [f"  volume {number}: {format_size(size)}" for number, size in enumerate(each.volumes, 1)]
    repos = [f"  {name}" for name in each.repositories]
    return Outcome(
        text=Text(
            f"Export {each.id}",
            (*facts, "", "Volumes:", *(volumes or ["  one piece"]), "", "Repositories:", *repos),
            (("path", each.path), ("bundle", each.bundle_id)),
        )
    )


def _scopes(session: Session) -> tuple[tuple[str, str], ...]:
    from issbox.workflows.content import catalog, repositories, views
    from issbox.workflows.environments import environments

    ctx, organization = session.ctx, session.organization
    found = [("library", "Library: every repository")]
    found.extend(
        (f"environment:{each.label}", f"environment {each.name}")
        for each in environments.list_environments(ctx, organization)
        if each.prior
    )
    for view in views.list_views(ctx, organization):
        found.extend(
            (f"version:{view.label}:{each.number}", f"content view {view.name} {each.number}")
            for each in views.list_view_versions(ctx, organization, view.label)
        )
    found.extend((f"product:{each.label}", f"product {each.name}") for each in catalog.list_products(ctx, organization))
    found.extend(
        (f"repository:{each.key.product}:{each.key.label}", f"repository {each.key.short}")
        for each in repositories.list_repositories(ctx, organization)
    )
    return tuple(found)


def _questions(session: Session, target: Target) -> list[Question]:
    from issbox.workflows import history
    from issbox.workflows.exchange import received

    del target
    known = history.list_exports(session.ctx, session.organization)
    bases = [("", "complete: everything"), ("earlier", "what all exports to the destination lack")]
    bases.extend(
        (f"export:{each.id}", f"what export {each.id} of {when(each.created_at)} lacks") for each in known[:50]
    )
    bases.extend(
        (f"receipt:{each.id}", f"what receipt {each.id} of {each.receipt.box.name or each.receipt.box.id[:8]} lacks")
        for each in received.list_receipts(session.ctx)[:50]
    )
    bases.append(("since", "what came since a time"))
    return [
        Question("what", "What", Kind.CHOICE, "library", _scopes(session), required=True),
        Question(
            "destination",
            "For",
            default=known[0].destination if known else "",
            help="Name of the box or network; bundles are numbered for each.",
        ),
        Question("base", "Carry", Kind.CHOICE, "", tuple(bases)),
        Question("since", "Since", help="Only for the last choice above: 2026-11-01T00:00:00Z"),
        Question(
            "form",
            "Format",
            Kind.CHOICE,
            "dir",
            (("dir", "directory"), ("tar", "archive"), ("tgz", "archive, .tgz"), ("iso", "images to burn")),
        ),
        Question(
            "volume_size", "Volume size", help="Such as 4380MiB, or cd, dvd, dvd-dl, bd, fat32; nothing for one volume."
        ),
        Question("output", "Into", default=str(session.ctx.settings.export.path), help="A directory of this box."),
        Question(
            "environments",
            "Say environments",
            Kind.YES_NO,
            "no",
            help="Which there are and what they hold, never hosts. The other side takes it over only if it asks.",
        ),
    ]


def _request(session: Session, answers: Answers) -> "exports.ExportRequest":
    from issbox.manifest import ScopeKind
    from issbox.rules.bundles.volumes import volume_limits
    from issbox.workflows import exports

    kind, *words = answers["what"].split(":")
    described: dict[str, Any] = {}
    if kind == "environment":
        described = {"scope": ScopeKind.LIFECYCLE_ENVIRONMENT, "environment": words[0]}
    elif kind == "version":
        described = {
            "scope": ScopeKind.CONTENT_VIEW_VERSION,
            "content_view": words[0],
            "content_view_version": words[1],
        }
    elif kind == "product":
        described = {"scope": ScopeKind.PRODUCT, "products": (words[0],)}
    elif kind == "repository":
        described = {
            "scope": ScopeKind.REPOSITORY,
            "repositories": (RepositoryKey(session.organization, words[0], words[1]),),
        }
    else:
        described = {"scope": ScopeKind.LIBRARY}
    form = BundleForm(answers["form"])
    volume_size, largest_file = volume_limits(answers["volume_size"] or None, form)
    return exports.ExportRequest(
        organization=session.organization,
        destination=answers["destination"],
        form=form,
        volume_size=volume_size,
        largest_file=largest_file,
        with_environments=answers.get("environments") == "yes",
        **described,
        **_base(answers),
    )


def _base(answers: Answers) -> dict[str, Any]:
    base, _, number = answers["base"].partition(":")
    if not base:
        return {}
    found: dict[str, Any] = {"incremental": True}
    if base == "export":
        found["from_export"] = int(number)
    elif base == "receipt":
        found["from_receipt"] = number
    elif base == "since":
        found["since"] = parse_time(answers["since"])
    return found


def _confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    from issbox.workflows import exports

    del target
    output = Path(answers["output"]) if answers["output"] else None
    estimate = exports.estimate(session.ctx, exports.plan_export(session.ctx, _request(session, answers)), output)
    lines = [
        f"{estimate.plan.words}",
        f"carries {plural(estimate.files, 'file')}, {format_size(estimate.size)}",
        f"holds {plural(len(estimate.plan.repositories), 'repository')}",
        f"{plural(len(estimate.volumes), 'volume')}: {', '.join(format_size(size) for size in estimate.volumes[:12])}",
        f"needs {format_size(estimate.needed)} of {format_size(estimate.free)} that are free in {answers['output']}",
        "" if estimate.seconds is None else f"takes about {plural(max(1, round(estimate.seconds)), 'second')}",
        "says which lifecycle environments there are, and what they hold" if answers["environments"] == "yes" else "",
    ]
    short = (
        (f"{format_size(estimate.needed - estimate.free)} of free space are missing.",)
        if estimate.needed > estimate.free
        else ()
    )
    return Consequences("Write this bundle?", tuple(line for line in lines if line), "Write", short)


def _run(session: Session, target: Target, answers: Answers) -> Outcome:
    """Choose what, for whom, from which base and how large a bundle is, see the estimate, and write it as a job."""
    from issbox.workflows.job_kinds.exporting import ExportJob

    del target
    job = session.begin(ExportJob(_request(session, answers), answers["output"] or None))
    return Outcome(f"Job {job.id}: the bundle is being written.", job=job.id)


def _receipts(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show the receipts of other boxes."""
    del session, target, answers
    return Outcome(opening=Opening("receipts"))


PLACE: Final = Place(
    "exports", "Exports", "Bundles made here, newest first, and whether a receipt says that they arrived.", _show, "6"
)

ACTIONS: Final = (
    Action("exports.open", "enter", "Details", _details, ContentExport),
    Action(
        "exports.create",
        "n",
        "New export",
        _run,
        permission=Permission.CONTENT_EXPORT,
        where=lambda session, _: (session.organization, ()),
        ask=_questions,
        confirm=_confirm,
    ),
    Action("exports.receipts", "t", "Receipts", _receipts),
)
