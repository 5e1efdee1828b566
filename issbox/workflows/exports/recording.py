"""The row of an export: made with the next number, brought up to date, and what the audit log says of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from issbox.files import remove_tree
from issbox.model import ContentExport, ExportedVersion, ExportState
from issbox.rules.bundles.layout import bundle_name, export_directory
from issbox.workflows.context import Context
from issbox.workflows.exports.plan import ExportPlan


def new_row(ctx: Context, plan: ExportPlan, output: Path | None, *, streamed: bool = False) -> ContentExport:
    """Give the row of a new export with the next number, to be written below `output` or as configured.

    A row that a killed process leaves in WRITING is resolved by `reconcile`: the bundle has its name, or it goes.
    """
    now = ctx.clock()
    sequence = ctx.store.exports.next_sequence(plan.organization, plan.destination)
    name = bundle_name(plan.organization, plan.short_words, plan.destination, sequence, now)
    place = (output or _configured_place(ctx, plan, sequence, now)) / name
    return ContentExport(
        id=0,
        bundle_id=str(uuid4()),
        organization=plan.organization,
        repositories=tuple(f"{repository.key.product}/{repository.key.label}" for repository, _ in plan.repositories),
        destination=plan.destination,
        sequence=sequence,
        path="" if streamed else str(place.absolute()),
        created_at=now,
        files=0,
        size=0,
        state=ExportState.WRITING,
        form=plan.request.form,
        incremental=plan.base is not None,
        scope=plan.words,
        versions=tuple(
            ExportedVersion(repository.key, version.number, version.repomd_sha256)
            for repository, version in plan.repositories
        ),
        base=None if plan.base is None else plan.base.document,
        made_by=ctx.actor.name,
    )


@contextmanager
def reserved_row(
    ctx: Context, plan: ExportPlan, output: Path | None, *, streamed: bool = False
) -> Iterator[ContentExport]:
    """Take the next number, and give it back when the export comes to nothing."""
    ctx.progress.step("plan-export", f"{plan.files} files")
    with ctx.store.transaction():
        row = ctx.store.exports.add(new_row(ctx, plan, output, streamed=streamed))
    try:
        yield row
    except BaseException:
        remove_tree(ctx.store.heads / row.bundle_id)
        remove_empty_directories(ctx, row)
        with ctx.store.transaction():
            ctx.store.exports.delete(row.id)
        raise


def update_row(ctx: Context, row: ContentExport) -> ContentExport:
    """Write what has become known of an export, and give the row as it is then."""
    with ctx.store.transaction():
        return ctx.store.exports.update(
            row.id, files=row.files, size=row.size, volumes=row.volumes, seconds=row.seconds, state=row.state
        )


def audit_details(row: ContentExport) -> dict[str, object]:
    """Give what the audit log says of a finished export."""
    return {
        "repositories": list(row.repositories),
        "scope": row.scope,
        "incremental": row.incremental,
        "form": row.form.value,
        "destination": row.destination,
        "path": row.path,
    }


def remove_empty_directories(ctx: Context, row: ContentExport) -> None:
    """Remove the directories of the configured layout that held nothing but the bundle of this row."""
    root = ctx.settings.export.path
    place = Path(row.path).parent
    while row.path and place.is_relative_to(root) and place != root:
        try:
            place.rmdir()
        except OSError:  # something else lies there, or it is not there
            return
        place = place.parent


def _configured_place(ctx: Context, plan: ExportPlan, sequence: int, now: datetime) -> Path:
    values = plan.layout_values | {"date": now.strftime("%Y-%m-%d"), "sequence": f"{sequence:04d}"}
    return ctx.settings.export.path / export_directory(ctx.settings.export.layout, values)
