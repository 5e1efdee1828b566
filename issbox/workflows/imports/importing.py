"""Taking a bundle in: check it completely, stage every byte once, then make it visible all at once.

Up to the step `store-files` nothing of the bundle is in the store but a staging directory that goes away by itself.
A refused bundle is not an exception for the inbox: its row says why. What is not the bundle's fault (a full disk, a
busy box) puts the row back, so that it is tried again.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from issbox.bundle.check import Limits
from issbox.bundle.opening import opened
from issbox.bundle.reader import BundleReader
from issbox.bundle.tar.toc_checks import TOC_SUFFIX
from issbox.errors import (
    BundleDamagedError,
    BundleError,
    ImportRefusedError,
    InterruptedByUserError,
    InvalidValueError,
    IssboxError,
)
from issbox.files import FileLock, error_from_os
from issbox.manifest import Manifest
from issbox.model import ContentImport, ImportState, RepositoryKey, RepositoryVersion, VersionOrigin, WaitsFor
from issbox.names import plural
from issbox.rules.bundles.importing import ImportPlan, PlannedRepository, plan_import
from issbox.store import Batch
from issbox.workflows.appliance.mending import find_damaged, rebuild_trees
from issbox.workflows.content.publishing import STEPS as PUBLISH_STEPS
from issbox.workflows.content.publishing import changing_content, publish
from issbox.workflows.context import Context, Permission
from issbox.workflows.foreign import import_foreign, is_foreign
from issbox.workflows.imports import carried_environments
from issbox.workflows.imports.arrival import Before, describe, held_before, not_its_fault, record_import
from issbox.workflows.imports.chunk_sets import bad_chunks, set_incomplete, words_for_damage
from issbox.workflows.imports.chunks import chunk_folders
from issbox.workflows.imports.import_facts import claims, facts, trusted_public_key
from issbox.workflows.imports.incoming import Incoming, forget_volumes, volumes_taken, words_for_volumes
from issbox.workflows.imports.planning import (
    NOTHING_TO_DO,
    imported_before,
    library_of,
    refusal_error,
    words_for_before,
)
from issbox.workflows.imports.reporting import record_report
from issbox.workflows.imports.staging import content_entries, fill, stage
from issbox.workflows.inbox.disposal import in_inbox
from issbox.workflows.inbox.scanning import scan
from issbox.workflows.inbox.waiting import Waiting, missing_approval, missing_volumes, wait, why_to_wait

STEPS: Final = ("check-bundle", "plan-import", "stage-files", "read-metadata", "store-files", *PUBLISH_STEPS)
"""What an import announces, in order."""

OPEN_STATES: Final = (ImportState.SETTLED, ImportState.CHECKING, ImportState.WAITING, ImportState.IMPORTING)
"""States from which an import may start; CHECKING and IMPORTING are left behind by a killed process."""


@dataclass(frozen=True, slots=True)
class _Job:
    """An import under way."""

    row: ContentImport
    bundle: BundleReader
    manifest: Manifest
    plan: ImportPlan
    repair: bool
    environments: bool
    """Whether the lifecycle environments that the bundle carries are taken over too."""


def import_bundle(ctx: Context, import_id: int, *, accept_unsigned: bool = False) -> ContentImport:
    """Import what the row names and give the row as it is afterwards: imported or refused.

    Raises only for what is not the bundle's fault, after putting the row back to SETTLED with the reason. BusyError
    while another import is running leaves the row alone. `accept_unsigned` allows an export of a Katello.
    """
    ctx.require_anywhere(Permission.CONTENT_IMPORT)
    with ctx.store.session(), import_lock(ctx):
        row = ctx.store.imports.get(import_id)
        if row.state not in OPEN_STATES:
            return row
        try:
            with putting_back(ctx, row):
                return attempt(ctx, row, repair=False, accept_unsigned=accept_unsigned)
        except (BundleError, ImportRefusedError) as error:
            return refuse(ctx, import_id, error)


def bundle_limits(ctx: Context) -> Limits:
    """Give the limits that the configuration sets for bundles."""
    return Limits(max_bundle_size=ctx.settings.inbox.max_bundle_size, max_files=ctx.settings.inbox.max_files)


def import_lock(ctx: Context) -> FileLock:
    """Give the lock that lets one import run at a time."""
    return FileLock(ctx.store.locks / "import.lock", busy="another import is running in this box")


def attempt(ctx: Context, row: ContentImport, *, repair: bool, accept_unsigned: bool) -> ContentImport:
    """Check what a row names and take it in, as far as it can be; call it with the lock of imports held."""
    ctx.progress.step("check-bundle", row.path)
    row = update(ctx, row.id, state=ImportState.CHECKING, reason="", waits_for=None)
    if is_foreign(Path(row.path)):
        if repair:
            raise InvalidValueError("--repair takes files from a bundle of issbox, not from an export of a Katello")
        return import_foreign(ctx, row, accept_unsigned=accept_unsigned)
    waits = row.inbox and in_inbox(ctx, row.path)
    folders = chunk_folders(ctx, Path(row.path), row.organization) if row.inbox else []
    if waits and (incomplete := set_incomplete(Path(row.path), folders)) is not None:
        return wait(ctx, update(ctx, row.id, **claims(ctx, Path(row.path), folders)), incomplete)
    try:
        return _attempt_bundle(ctx, row, folders, repair=repair)
    except BundleDamagedError as error:
        bad = bad_chunks(Path(row.path), folders) if waits and row.path.endswith(TOC_SUFFIX) else []
        if not bad:
            raise
        return wait(ctx, ctx.store.imports.get(row.id), words_for_damage(error, bad))


def _attempt_bundle(ctx: Context, row: ContentImport, folders: list[Path], *, repair: bool) -> ContentImport:
    trusted, limits = trusted_public_key(ctx), bundle_limits(ctx)
    with (
        ctx.store.scratch() as scratch,
        opened(Path(row.path), trusted, limits, scratch, folders=folders) as (bundle, form),
    ):
        return accept(ctx, update(ctx, row.id, **facts(bundle, form)), bundle, repair=repair)


def accept(ctx: Context, row: ContentImport, bundle: BundleReader, *, repair: bool) -> ContentImport:
    """Take in a bundle whose head is checked, or let it wait; call it with the lock of imports held."""
    manifest = bundle.manifest
    organization = target_organization(ctx, row.organization, manifest)
    ctx.require(Permission.CONTENT_IMPORT, organization, {each.product for each in manifest.repositories})
    row = update(ctx, row.id, organization=organization)
    library = library_of(ctx, organization)
    environments = carried_environments.asked_for(ctx, row, manifest, organization)
    if not (row.allow_older or repair) and (before := imported_before(ctx, manifest, library)):
        return _come_again(ctx, row, manifest, before, environments=environments and row.with_environments)
    bundle.check_body()
    ctx.progress.step("plan-import")
    plan = plan_import(manifest, library, allow_older=row.allow_older)
    if plan.refusals:
        raise refusal_error(plan)
    ctx.require(Permission.CONTENT_IMPORT, organization, {each.repository.key.product for each in plan.repositories})
    if environments:
        carried_environments.refuse_clashes(ctx, organization, manifest)
    waiting = why_to_wait(ctx, row, bundle)
    if waiting is not None:
        return wait(ctx, row, waiting)
    row = update(ctx, row.id, state=ImportState.IMPORTING)
    return _take_in(ctx, _Job(row, bundle, manifest, plan, repair, environments))


def _come_again(
    ctx: Context, row: ContentImport, manifest: Manifest, before: ContentImport, *, environments: bool
) -> ContentImport:
    """Do nothing with a bundle that was imported before, unless a person asks for its environments now."""
    assert row.organization is not None, "it is known before a bundle is known again"
    done = NOTHING_TO_DO
    if environments:
        waiting = missing_approval(ctx, row, ctx.settings.inbox.approvals)
        if waiting is not None:
            return wait(ctx, row, waiting)
        carried_environments.take_over_now(ctx, row.organization, manifest)
        done = "only its lifecycle environments were taken over"
    note = words_for_before(before, done)
    ctx.progress.note(note)
    return update(ctx, row.id, state=ImportState.IMPORTED, reason=note, with_environments=environments)


def _take_in(ctx: Context, job: _Job) -> ContentImport:
    keys = [planned.repository.key for planned in job.plan.repositories]
    with ExitStack() as stack:
        stack.enter_context(changing_content(ctx, keys))
        damaged = _find_damaged(ctx, keys) if job.repair else set()
        batch = stack.enter_context(ctx.store.blobs.batch(f"import-{job.row.id}", replace=bool(damaged)))
        incoming = Incoming(ctx, job.manifest.bundle.id)
        ctx.progress.step("stage-files")
        files, size = stage(ctx, job.bundle, batch, damaged, put_part=incoming.put_part)
        update(ctx, job.row.id, copied_files=files, copied_size=size)
        missing = missing_volumes(ctx, job.row, job.bundle)
        if not missing and (len(job.manifest.volumes) > 1 or incoming.began):
            missing = sorted(incoming.complete(content_entries(job.bundle), batch, damaged))
            forget_volumes(ctx, job.row, missing)
        scan(ctx, batch, lambda: content_entries(job.bundle))
        if missing:
            waiting = _take_volume(ctx, job, batch, incoming, missing)
            mended = {digest for digest in damaged if batch.has(digest)}
            _mend(ctx, mended, mended)
            return waiting
        ctx.progress.step("read-metadata")
        drafts = [stack.enter_context(ctx.store.versions.draft(key)) for key in keys]
        fill(ctx, job.bundle, batch, drafts)
        ctx.progress.step("store-files")
        batch.commit()
        _mend(ctx, {digest for digest in damaged if batch.has(digest)}, damaged)
        before = held_before(ctx, job.plan)
        if job.environments:
            stack.enter_context(carried_environments.taking_over(ctx, job.plan.organization, job.manifest))
        publish(
            ctx,
            drafts,
            origin=VersionOrigin.IMPORT,
            source=job.manifest.bundle.id,
            repomd={planned.repository.key: _repomd(job.manifest, planned) for planned in job.plan.repositories},
            prepare=lambda: describe(ctx, job.plan),
            record=lambda versions: _record(ctx, job, versions, before),
        )
        if job.environments:
            carried_environments.show(ctx, job.plan.organization, job.manifest)
        if not ctx.store.imports.list(states=(ImportState.WAITING,), bundle_id=job.manifest.bundle.id, limit=1):
            incoming.forget()
    return ctx.store.imports.get(job.row.id)


def _record(ctx: Context, job: _Job, versions: Sequence[RepositoryVersion], before: Before) -> None:
    head = job.bundle.manifest_bytes
    changes = record_import(ctx, job.row, job.manifest, job.plan, versions, before=before)
    taken = None
    if job.environments:
        taken = carried_environments.take_over(ctx, job.plan.organization, job.manifest)
    record_report(ctx, job.row, job.manifest, job.plan, changes, head=head, environments=taken)


def _take_volume(ctx: Context, job: _Job, batch: Batch, incoming: Incoming, missing: Sequence[int]) -> ContentImport:
    """Keep what a volume brought, invisible, until the others are here."""
    ctx.progress.step("store-files")
    incoming.keep_head(job.bundle)
    batch.commit()
    others = words_for_volumes(len(job.manifest.volumes), missing)
    waiting = Waiting(WaitsFor.VOLUMES, f"taken in; still missing: {others}")
    with ctx.store.transaction():
        for each in volumes_taken(ctx, job.manifest.bundle.id, job.plan.organization).values():
            ctx.store.imports.update(each.id, updated_at=ctx.clock(), reason=waiting.reason)
    return wait(ctx, job.row, waiting, taken=True)


def _find_damaged(ctx: Context, keys: Sequence[RepositoryKey]) -> set[str]:
    present = {repository.key for repository in ctx.store.repositories.list()}
    versions = [ctx.store.versions.latest(key) for key in keys if key in present]
    return {digest for version in versions if version is not None for digest in find_damaged(ctx, version)}


def _mend(ctx: Context, mended: set[str], damaged: set[str]) -> None:
    """Bring mended files into the published trees, which link to the damaged ones."""
    if mended:
        rebuild_trees(ctx, mended)
        ctx.progress.note(f"replaced from the bundle: {plural(len(mended), 'damaged file')}")
    if damaged - mended:
        ctx.progress.note(f"not in this bundle: {plural(len(damaged - mended), 'damaged file')}")


def _repomd(manifest: Manifest, planned: PlannedRepository) -> str:
    return manifest.repositories[planned.index].version.repomd_sha256


def target_organization(ctx: Context, chosen: str | None, manifest: Manifest) -> str:
    """Give the organization that the bundle goes into: the one chosen, else the one with the bundle's label."""
    label = chosen or manifest.organization.label
    if label not in {organization.label for organization in ctx.store.organizations.list()}:
        raise ImportRefusedError(
            f"the bundle comes from the organization {label}, which this box does not have",
            hint="Create it with `issbox organization create`, or put the bundle into a folder of the inbox named "
            "after the organization it shall go into; then retry.",
        )
    return label


def update(ctx: Context, import_id: int, **changes: object) -> ContentImport:
    """Change a row in a transaction of its own."""
    with ctx.store.transaction():
        return ctx.store.imports.update(import_id, updated_at=ctx.clock(), **changes)


def refuse(ctx: Context, import_id: int, error: IssboxError) -> ContentImport:
    """Write down why the bundle was refused."""
    with ctx.store.transaction():
        row = ctx.store.imports.update(
            import_id,
            updated_at=ctx.clock(),
            state=ImportState.REFUSED,
            error_code=error.code,
            reason=f"{error}. {error.hint}",
        )
        ctx.audit(
            "content-import.refuse",
            row.path,
            organization=row.organization,
            details={"code": error.code, "reason": str(error), "bundle": row.bundle_id},
        )
        return row


@contextmanager
def putting_back(ctx: Context, row: ContentImport) -> Iterator[None]:
    """Write down what goes wrong in an import that is not the bundle's fault: the inbox tries again, a person has to.

    Raises it, as an IssboxError what the operating system says.
    """
    try:
        yield
    except (BundleError, ImportRefusedError):
        raise
    except OSError as error:
        told = error_from_os(error)
        _put_back(ctx, row, told)
        raise told from error
    except BaseException as error:
        _put_back(ctx, row, error)
        raise


def _put_back(ctx: Context, row: ContentImport, error: BaseException) -> None:
    code, reason = InterruptedByUserError.code, "The import was interrupted and changed nothing."
    if isinstance(error, IssboxError):
        code, reason = error.code, f"{error}. {error.hint}"
    update(ctx, row.id, **not_its_fault(row, code, reason))
