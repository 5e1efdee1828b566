"""Importing a Katello export: what it says of itself becomes a plan, what it holds becomes repository versions.

Nobody signs such an export. So it is imported only when a person says so, or when the configuration trusts whoever can
put files into the inbox. Everything else is as with any bundle: all of it is checked, then all is visible at once.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from issbox.bundle.katello import Form, read_metadata
from issbox.bundle.katello.metadata import KatelloMetadata
from issbox.bundle.katello.synthesis import Synthesis, synthesize
from issbox.config.settings import UnsignedKatello
from issbox.errors import (
    BadManifestError,
    BundleIncompleteError,
    ImportRefusedError,
    InvalidValueError,
    UnsignedKatelloError,
    UnsupportedExportError,
)
from issbox.manifest import BundleKind
from issbox.model import (
    ContentImport,
    CredentialKind,
    ImportState,
    Repository,
    RepositoryVersion,
    VersionOrigin,
)
from issbox.names import first_of
from issbox.rules.bundles.importing import ImportPlan, Library, plan_import
from issbox.store import Draft
from issbox.workflows.content.credential_contents import check_content
from issbox.workflows.content.publishing import changing_content, publish
from issbox.workflows.context import Context, Permission
from issbox.workflows.foreign.archive import open_archive_export
from issbox.workflows.foreign.form import Export, Target, check_limits
from issbox.workflows.foreign.trees import open_trees_export
from issbox.workflows.imports.arrival import Before, describe, held_before, record_import
from issbox.workflows.imports.planning import (
    NOTHING_TO_DO,
    imported_before,
    library_of,
    refusal_error,
    words_for_before,
)
from issbox.workflows.imports.reporting import record_report
from issbox.workflows.inbox.scanning import scan
from issbox.workflows.inbox.waiting import Waiting, first_named, missing_approval, missing_base, wait

_NAMED: Final = 20
"""How many files or repositories a message names."""


@dataclass(frozen=True, slots=True)
class _Job:
    """An import under way."""

    row: ContentImport
    export: Export
    synthesis: Synthesis
    plan: ImportPlan


def import_foreign(ctx: Context, row: ContentImport, *, accept_unsigned: bool = False) -> ContentImport:
    """Import the Katello export that the row names, within a session and the lock of imports; gives the row then.

    `accept_unsigned` is a person's word that this export may be imported. It may have to wait for an approval, or for
    the export that it builds on. Raises the BundleError or ImportRefusedError that says why not, UnsignedKatelloError
    among them, and what is not the export's fault.
    """
    metadata = read_metadata(Path(row.path))
    export = open_export(ctx, Path(row.path), metadata)
    row = _update(
        ctx,
        row,
        bundle_id=export.identity,
        source_box=metadata.source,
        destination="",
        size=export.size,
        files=export.files,
        incremental=metadata.incremental,
    )
    library = library_of(ctx, organization_of(ctx, row.organization, metadata))
    row = _update(ctx, row, organization=library.organization)
    synthesis = described(ctx, metadata, library, export)
    ctx.require(Permission.CONTENT_IMPORT, library.organization, {each.product for each in synthesis.repositories})
    if not row.allow_older and (before := imported_before(ctx, synthesis.manifest, library)):
        note = words_for_before(before, NOTHING_TO_DO)
        ctx.progress.note(note)
        return _update(ctx, row, state=ImportState.IMPORTED, reason=note)
    needed = _approvals_needed(ctx, row, metadata, accept_unsigned=accept_unsigned)
    check_limits(ctx, export)
    check_keys(metadata)
    export.check(synthesis.repositories)
    ctx.progress.step("plan-import")
    plan = plan_import(synthesis.manifest, library, allow_older=row.allow_older)
    if plan.refusals:
        raise refusal_error(plan)
    waiting = missing_approval(ctx, row, needed) or _missing_base(ctx, row, export, synthesis, plan)
    if waiting is not None:
        return wait(ctx, row, waiting)
    row = _update(ctx, row, state=ImportState.IMPORTING)
    return _take_in(ctx, _Job(row, export, synthesis, plan))


def described(ctx: Context, metadata: KatelloMetadata, library: Library, export: Export) -> Synthesis:
    """Give what an export says of itself as a manifest; raises UnsupportedExportError when it has nothing for us."""
    synthesis = synthesize(metadata, library, export.identity, ctx.clock())
    if not synthesis.repositories:
        raise UnsupportedExportError(
            "the export holds no yum repository, and this box keeps nothing else",
            hint="Export repositories of type yum.",
        )
    return synthesis


def open_export(ctx: Context, path: Path, metadata: KatelloMetadata) -> Export:
    """Look through an export of either form."""
    if metadata.form is Form.SYNCABLE:
        return open_trees_export(ctx, path, metadata)
    return open_archive_export(ctx, path, metadata)


def approvals_for(ctx: Context) -> int:
    """Give how many people have to approve an export that comes through the inbox, if approvals help at all."""
    inbox = ctx.settings.inbox
    return max(inbox.approvals, inbox.accept_unsigned_katello is UnsignedKatello.APPROVE)


def _approvals_needed(ctx: Context, row: ContentImport, metadata: KatelloMetadata, *, accept_unsigned: bool) -> int:
    """Give how many people have to approve the export; raises UnsignedKatelloError when that would not help."""
    inbox = ctx.settings.inbox
    setting = inbox.accept_unsigned_katello
    if setting is UnsignedKatello.ACCEPT or (accept_unsigned and setting is UnsignedKatello.APPROVE):
        return inbox.approvals
    if row.inbox and setting is UnsignedKatello.APPROVE:
        return approvals_for(ctx)
    hint = UnsignedKatelloError.hint
    if setting is UnsignedKatello.REFUSE:
        hint = 'The setting [inbox] accept_unsigned_katello = "refuse" allows none: use a signed bundle, or change it.'
    raise UnsignedKatelloError(
        f"{Path(row.path).name} is an export of the Katello organization {metadata.organization}, content view "
        f"{metadata.view} {metadata.version}; nobody has signed it",
        hint=hint,
    )


def _missing_base(
    ctx: Context, row: ContentImport, export: Export, synthesis: Synthesis, plan: ImportPlan
) -> Waiting | None:
    """Say which files of an increment this box does not have yet; a complete export without them is not whole."""
    missing = export.missing(ctx, targets_of(synthesis, [planned.repository for planned in plan.repositories]))
    waiting = missing_base(first_named(missing), inbox=row.inbox)
    if waiting is not None and synthesis.manifest.bundle.kind is BundleKind.COMPLETE:
        raise BundleIncompleteError(
            f"{len(missing)} files are neither in the export nor in this box: {first_of(missing, _NAMED)}",
            hint="Copy the named files again, or have the export made again.",
        )
    return waiting


def check_keys(metadata: KatelloMetadata) -> None:
    """Raise BadManifestError for a GPG key of the export that is none."""
    for key in metadata.gpg_keys:
        try:
            check_content(CredentialKind.GPG_KEY, key.content, None)
        except InvalidValueError as error:
            raise BadManifestError(f"metadata.json: the GPG key {key.name[:60]!r} is none: {error}") from None


def organization_of(ctx: Context, chosen: str | None, metadata: KatelloMetadata) -> str:
    """Give the organization that the export goes into: the one chosen, else the one of the same name or label."""
    known = ctx.store.organizations.list()
    wanted = chosen or metadata.organization
    for organization in known:
        if wanted == organization.label or (chosen is None and wanted == organization.name):
            return organization.label
    raise ImportRefusedError(
        f"the export comes from the organization {wanted}, which this box does not have",
        hint="Make it with `issbox organization create --name NAME`, or say which one it goes into: by hand with "
        "--organization, in the inbox by a folder with the label of the organization. Then retry.",
    )


def _take_in(ctx: Context, job: _Job) -> ContentImport:
    repositories = [planned.repository for planned in job.plan.repositories]
    with ExitStack() as stack:
        stack.enter_context(changing_content(ctx, [repository.key for repository in repositories]))
        batch = stack.enter_context(ctx.store.blobs.batch(f"import-{job.row.id}"))
        ctx.progress.step("stage-files")
        drafts: list[Draft] = []
        repomd = {}
        for taken in job.export.take(ctx, batch, targets_of(job.synthesis, repositories)):
            key = taken.target.repository.key
            draft = stack.enter_context(ctx.store.versions.draft(key))
            draft.add(taken.files)
            drafts.append(draft)
            repomd[key] = taken.repomd_sha256
        scan(ctx, batch, lambda: chain.from_iterable(draft.files() for draft in drafts))
        ctx.progress.step("store-files")
        files, size = batch.staged
        _update(ctx, job.row, copied_files=files, copied_size=size)
        batch.commit()
        held = held_before(ctx, job.plan)
        publish(
            ctx,
            drafts,
            origin=VersionOrigin.IMPORT,
            source=job.synthesis.manifest.bundle.id,
            repomd=repomd,
            prepare=lambda: describe(ctx, job.plan),
            record=lambda versions: _record(ctx, job, versions, held),
        )
    return ctx.store.imports.get(job.row.id)


def targets_of(synthesis: Synthesis, repositories: Sequence[Repository]) -> list[Target]:
    """Give each repository of the export with the one of this box that it fills."""
    return [Target(*each) for each in zip(synthesis.repositories, repositories, strict=True)]


def _record(ctx: Context, job: _Job, versions: Sequence[RepositoryVersion], held: Before) -> None:
    left_out = [f"{each.product}/{each.label} ({each.content_type[:30]})" for each in job.synthesis.left_out]
    note = f"left out, since this box keeps only yum repositories: {first_of(left_out, _NAMED)}" if left_out else ""
    changes = record_import(ctx, job.row, job.synthesis.manifest, job.plan, versions, before=held, note=note)
    record_report(ctx, job.row, job.synthesis.manifest, job.plan, changes)


def _update(ctx: Context, row: ContentImport, **changes: object) -> ContentImport:
    with ctx.store.transaction():
        return ctx.store.imports.update(row.id, updated_at=ctx.clock(), **changes)
