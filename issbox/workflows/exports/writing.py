"""Making a bundle: reserve its number, sign its head, write it in its form, and record it."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from uuid import uuid4

from issbox.bundle.head import Head, prepare_head
from issbox.errors import DigestMismatchError, StoreDamagedError
from issbox.files import FileLock, remove_tree, require_space
from issbox.manifest import MANIFEST_NAME, SIGNATURE_NAME, TABLE_NAME
from issbox.model import ContentExport, ExportedVersion, ExportState
from issbox.rules.layout import bundle_name
from issbox.workflows.boxes import signing_key
from issbox.workflows.context import Context, Permission
from issbox.workflows.exports.describing import BundleContent, describe
from issbox.workflows.exports.forms import Form, form_of
from issbox.workflows.exports.plan import ExportPlan

STEPS: Final = ("plan-export", "sign-head", "copy-files", "finish-bundle", "record-export")
"""What `export` announces, in order."""

_HEAD_ROOM: Final = 16 << 20
"""Bytes kept free besides the bundle, for directories and what else needs room meanwhile."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an export will come to."""

    plan: ExportPlan
    files: int
    """Files carried."""
    size: int
    """Their bytes."""
    volumes: tuple[int, ...]
    """Bytes of each volume or chunk on its medium."""
    needed: int
    """Bytes of free space that writing it needs."""
    seconds: float | None
    """How long it will take, going by the last exports of this form; None when there was none."""


def estimate(ctx: Context, plan: ExportPlan) -> Estimate:
    """Lay a planned bundle out in volumes without writing it; raises VolumeSizeError and NameClashError."""
    with ctx.store.session(), ctx.store.scratch() as scratch:
        ctx.progress.step("plan-export", f"{plan.files} files")
        form = form_of(plan.request)
        head, _ = _prepare(ctx, plan, _new_row(ctx, plan, Path()), form, scratch)
        carried = head.manifest.files
        return Estimate(
            plan,
            carried.carried_count,
            carried.carried_size,
            form.volume_sizes(head),
            form.total_size(head) + _HEAD_ROOM,
            _seconds(ctx, plan, carried.carried_size),
        )


def export(ctx: Context, plan: ExportPlan, output: Path | None = None) -> ContentExport:
    """Write the planned bundle below `output` (the configured export directory by default) and record it.

    The bundle has its final name only when it is whole and durable. Raises NoSpaceError before anything is written.
    """
    products = {repository.key.product for repository, _ in plan.repositories}
    ctx.require(Permission.CONTENT_EXPORT, plan.organization, products)
    parent = output or ctx.settings.export.path
    parent.mkdir(parents=True, exist_ok=True)
    with ctx.store.session(), _alone(ctx):
        ctx.progress.step("plan-export", f"{plan.files} files")
        with ctx.store.transaction():
            row = ctx.store.exports.add(_new_row(ctx, plan, parent))
        try:
            return _write(ctx, plan, row)
        except BaseException:
            with ctx.store.transaction():
                ctx.store.exports.delete(row.id)
            raise


@contextmanager
def _alone(ctx: Context) -> Iterator[None]:
    with ExitStack() as stack:
        stack.enter_context(
            FileLock(ctx.store.locks / "content.lock", shared=True, busy="garbage collection is running in this box")
        )
        stack.enter_context(
            FileLock(
                ctx.store.locks / "export.lock", busy="another export is running; two would share a sequence number"
            )
        )
        yield


def _new_row(ctx: Context, plan: ExportPlan, parent: Path) -> ContentExport:
    """Give the row of a new export with the next number.

    A row that a killed process leaves in WRITING is resolved by `reconcile`: the bundle has its name, or it goes.
    """
    now = ctx.clock()
    sequence = ctx.store.exports.next_sequence(plan.organization, plan.destination)
    name = bundle_name(plan.organization, _short_scope(plan), plan.destination, sequence, now)
    return ContentExport(
        id=0,
        bundle_id=str(uuid4()),
        organization=plan.organization,
        repositories=tuple(f"{repository.key.product}/{repository.key.label}" for repository, _ in plan.repositories),
        destination=plan.destination,
        sequence=sequence,
        path=str((parent / name).absolute()),
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


def _short_scope(plan: ExportPlan) -> str:
    if len(plan.repositories) == 1:
        return plan.repositories[0][0].key.label
    return plan.scope.content_view or f"{len(plan.repositories)}-repositories"


def _prepare(
    ctx: Context, plan: ExportPlan, row: ContentExport, form: Form, scratch: Path
) -> tuple[Head, BundleContent]:
    manifest = describe(ctx, plan, row)
    content = BundleContent(ctx, plan, manifest)
    head = prepare_head(
        manifest,
        content.entries,
        signing_key(ctx),
        scratch / TABLE_NAME,
        layout=form.layout,
        digest_parts=content.digest_parts,
    )
    return head, content


def _write(ctx: Context, plan: ExportPlan, row: ContentExport) -> ContentExport:
    began = time.monotonic()
    final = Path(row.path)
    form = form_of(plan.request)
    with ctx.store.scratch() as scratch:
        ctx.progress.step("sign-head")
        head, content = _prepare(ctx, plan, row, form, scratch)
        require_space(final.parent, form.total_size(head) + _HEAD_ROOM, "the bundle")
        carried = head.manifest.files
        row = replace(row, files=carried.carried_count, size=carried.carried_size, volumes=form.volume_sizes(head))
        _update(ctx, row)
        kept = _keep_head(ctx, head, row.bundle_id)
        ctx.progress.step("copy-files", f"to {final}")
        ctx.progress.expect(files=row.files, size=row.size)
        try:
            with _damage_in_words():
                volumes = form.write(replace(head, table=kept / TABLE_NAME), content.open, final, ctx.progress)
        except BaseException:
            remove_tree(kept)
            raise
    ctx.progress.step("record-export")
    seconds = round(time.monotonic() - began, 3)
    return _record(ctx, replace(row, volumes=volumes, seconds=seconds, state=ExportState.WRITTEN))


@contextmanager
def _damage_in_words() -> Iterator[None]:
    try:
        yield
    except DigestMismatchError as error:
        raise StoreDamagedError(f"a stored file is damaged: {error}") from error


def _record(ctx: Context, row: ContentExport) -> ContentExport:
    with ctx.store.transaction():
        ctx.audit(
            "content-export.create",
            row.bundle_id,
            organization=row.organization,
            details={
                "repositories": list(row.repositories),
                "scope": row.scope,
                "incremental": row.incremental,
                "form": row.form.value,
                "destination": row.destination,
                "path": row.path,
            },
        )
        return _update(ctx, row)


def _update(ctx: Context, row: ContentExport) -> ContentExport:
    with ctx.store.transaction():
        return ctx.store.exports.update(
            row.id, files=row.files, size=row.size, volumes=row.volumes, seconds=row.seconds, state=row.state
        )


def _keep_head(ctx: Context, head: Head, bundle_id: str) -> Path:
    """Keep what a volume needs to be written again, and give the directory."""
    ctx.store.heads.mkdir(mode=0o700, exist_ok=True)
    place = ctx.store.heads / bundle_id
    place.mkdir(mode=0o700, exist_ok=True)
    head.table.replace(place / TABLE_NAME)
    (place / SIGNATURE_NAME).write_bytes(head.signature)
    (place / MANIFEST_NAME).write_bytes(head.data)
    return place


def _seconds(ctx: Context, plan: ExportPlan, size: int) -> float | None:
    """Give the time that so many bytes will take, going by the last three exports of the form that tell anything."""
    told = [
        each
        for each in ctx.store.exports.list(plan.organization)
        if each.form is plan.request.form and each.seconds > 0 and each.size
    ][:3]
    bytes_then = sum(each.size for each in told)
    return round(size * sum(each.seconds for each in told) / bytes_then, 1) if told else None
