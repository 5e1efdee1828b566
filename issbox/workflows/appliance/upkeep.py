"""Keeping the box in order: what every start does, and what frees space."""

import heapq
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from issbox.errors import InterruptedByUserError
from issbox.files import FileLock
from issbox.model import ImportState, RepositoryKey
from issbox.rules.bundles.retention import spared_versions
from issbox.workflows.certificates.regenerating import lock_path
from issbox.workflows.content.publishing import build_tree, point_environment
from issbox.workflows.context import Context, Permission
from issbox.workflows.exports.recovery import remove_heads, undo_exports
from issbox.workflows.hosts.host_keys import forget_stray_keys
from issbox.workflows.imports.arrival import not_its_fault
from issbox.workflows.imports.incoming import forget_abandoned, spared_digests
from issbox.workflows.job_kinds.regeneration import forget_ended_regenerations
from issbox.workflows.manifests.manifest_keys import mend_manifest_keys


@dataclass(frozen=True, slots=True)
class ReconcileReport:
    """What a start had to put in order after a process was killed; all zero when nothing was wrong."""

    trees_built: int
    trees_removed: int
    links_changed: int
    imports_put_back: int
    exports_undone: int
    staging_bytes: int
    """Bytes of unfinished files removed."""
    trees_incomplete: int = 0
    """Trees that could not be built, since the store lacks files of them."""
    keys_removed: int = 0
    """Private keys that belong to no host, and directories of keys that belong to no manifest."""


@dataclass(frozen=True, slots=True)
class GarbageReport:
    """What no repository version needs, and what is told of no longer."""

    versions: int
    blobs: int
    size: int
    jobs: int
    regenerations: int
    dry_run: bool


def reconcile(ctx: Context) -> ReconcileReport:
    """Make everything derived agree with the database, and undo or finish what a killed process left.

    Safe at any time and while other processes work: what they hold locked is left alone.
    """
    ctx.require(Permission.BOX_MAINTAIN)
    with ctx.store.session():
        ctx.store.clean_drafts()
        staging = ctx.store.clean_staging()
        imports = _put_imports_back(ctx)
        exports = undo_exports(ctx)
        keys = forget_stray_keys(ctx) + mend_manifest_keys(ctx)
        content = FileLock(ctx.store.locks / "content.lock")
        built = removed = links = incomplete = 0
        if content.try_acquire():
            try:
                built, removed, incomplete = _mend_trees(ctx)
                links = _mend_links(ctx)
            finally:
                content.release()
        return ReconcileReport(built, removed, links, imports, exports, staging, incomplete, keys)


def _mend_trees(ctx: Context) -> tuple[int, int, int]:
    """Build the trees that are shown and missing, and remove those of no version; gives both counts.

    The third number counts trees that the store lacks files of: one lost file must not stop everything else.
    """
    known = ctx.store.versions.in_use()
    present = set(ctx.store.trees.list())
    for key, number in present - known:
        ctx.store.trees.remove(key, number)
    incomplete = 0
    missing = sorted(ctx.store.versions.shown_anywhere() - present)
    for key, number in missing:
        incomplete += not build_tree(ctx, key, number)
    return len(missing) - incomplete, len(present - known), incomplete


def _mend_links(ctx: Context) -> int:
    """Let every environment show what it holds, and those that are no more show nothing; gives the changes."""
    known = [
        (organization.label, environment.label)
        for organization in ctx.store.organizations.list()
        for environment in ctx.store.environments.list(organization.label)
    ]
    for environment in set(ctx.store.trees.environments()) - set(known):
        ctx.store.trees.clear(*environment)
    return sum(point_environment(ctx, *environment) for environment in known)


def _put_imports_back(ctx: Context) -> int:
    """Let imports of a killed process start over."""
    lock = FileLock(ctx.store.locks / "import.lock")
    if not lock.try_acquire():
        return 0
    try:
        left = ctx.store.imports.list(states=(ImportState.CHECKING, ImportState.IMPORTING))
        for row in left:
            with ctx.store.transaction():
                changes = not_its_fault(
                    row, InterruptedByUserError.code, "The import was interrupted and changed nothing."
                )
                ctx.store.imports.update(row.id, updated_at=ctx.clock(), **changes)
        return len(left)
    finally:
        lock.release()


class _OnlyCountingError(Exception):
    """Ends the transaction of a dry run, so that nothing of it stays."""


def collect_garbage(ctx: Context, *, dry_run: bool) -> GarbageReport:
    """Remove old versions beyond the configured number, the blobs that no version needs, and abandoned downloads.

    The long part of revoked certificates goes too; that they were issued and revoked is never forgotten. Jobs and
    regenerations that ended longer ago than configured are forgotten; the audit log keeps who asked for them.
    Versions that the newest export to a destination described stay: a volume may be asked for again, and the next
    incremental export starts there. Raises BusyError while content is being changed. A dry run says what would go and
    removes nothing.
    """
    ctx.require(Permission.BOX_MAINTAIN)
    with ctx.store.session(), _alone(ctx):
        pruned: list[tuple[RepositoryKey, int]] = []
        blobs: list[str] = []
        regenerations: Sequence[int] = ()
        size = jobs = 0
        with suppress(_OnlyCountingError), ctx.store.transaction():
            spared = spared_versions(ctx.store.exports.list())
            keys = [repository.key for repository in ctx.store.repositories.list(derived=True)]
            pruned = ctx.store.versions.prune(keys, ctx.settings.versions.keep, spared)
            ctx.store.certificates.drop_unused_bodies()
            before = ctx.clock() - timedelta(days=ctx.settings.jobs.keep_days)
            jobs = ctx.store.jobs.forget_ended(before)
            regenerations = forget_ended_regenerations(ctx, before)
            blobs = list(_unneeded(ctx))
            size = sum(map(ctx.store.blobs.size, blobs))
            if dry_run:
                raise _OnlyCountingError
            if pruned or blobs or jobs or regenerations:
                counts: dict[str, object] = {"versions": len(pruned), "blobs": len(blobs), "bytes": size, "jobs": jobs}
                counts["regenerations"] = len(regenerations)
                ctx.audit("store.cleanup", "store", details=counts)
        if not dry_run:
            # Rows first: what is left of these files when the process is killed is found by the next run.
            for key, number in pruned:
                ctx.store.trees.remove(key, number)
            for digest in blobs:
                ctx.store.blobs.remove(digest)
            for number in regenerations:
                lock_path(ctx, number).unlink(missing_ok=True)
            ctx.store.clean_staging(downloads=True)
            forget_abandoned(ctx)
            remove_heads(ctx)
        return GarbageReport(len(pruned), len(blobs), size, jobs, len(regenerations), dry_run)


def _alone(ctx: Context) -> FileLock:
    return FileLock(
        ctx.store.locks / "content.lock", busy="content is being changed by a synchronization, import or export"
    )


def _unneeded(ctx: Context) -> Iterator[str]:
    """Give the blobs that no version and no bundle in the making refers to, walking sorted sequences side by side."""
    needed = heapq.merge(ctx.store.versions.referenced_digests(), spared_digests(ctx))
    current = next(needed, None)
    for digest in ctx.store.blobs.digests():
        while current is not None and current < digest:
            current = next(needed, None)
        if current != digest:
            yield digest
