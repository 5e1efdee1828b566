"""What an import writes down: products and repositories as the plan says, history, and the audit log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from issbox.errors import BundleDamagedError, BundleIncompleteError
from issbox.manifest import Manifest
from issbox.model import (
    LIBRARY,
    ContentImport,
    ImportMark,
    ImportState,
    RepositoryKey,
    RepositoryVersion,
    VersionChange,
    WaitsFor,
)
from issbox.rules.bundles.importing import ImportPlan
from issbox.rules.bundles.receipts import missing_sequences
from issbox.workflows.context import Context
from issbox.workflows.exchange.skipped import SKIPPED, taken_back
from issbox.workflows.imports.imported_views import keep_view_version
from issbox.workflows.inbox.waiting import approvals_of

STREAM: Final = "(standard input)"
"""Stands where a path would be for a bundle that came down a pipe."""
_BAD_COPY: Final = (BundleIncompleteError.code, BundleDamagedError.code)


def not_its_fault(row: ContentImport, code: str, reason: str) -> dict[str, object]:
    """Give what the row of an import says that ended for a reason which is not the bundle's, such as a full disk.

    The inbox tries again by itself, a person has to; what came down a pipe has to be sent again.
    """
    if row.path == STREAM:
        return {"state": ImportState.REFUSED, "error_code": code, "reason": f"{reason} Then send the bundle again."}
    again = "It will be tried again." if row.inbox else f"`issbox content-import retry {row.id}` goes on with it."
    return {"state": ImportState.SETTLED, "error_code": code, "reason": f"{reason} {again}"}


def describe(ctx: Context, plan: ImportPlan) -> None:
    """Create and update what the plan says; in the transaction that records the versions."""
    store, organization = ctx.store, plan.organization
    for credential in plan.credentials_to_create:
        store.credentials.create(credential)
    for credential in plan.credentials_to_update:
        store.credentials.update(organization, credential.label, name=credential.name, content=credential.content)
    for product in plan.products_to_create:
        store.products.create(product)
    for product in plan.products_to_update:
        store.products.update(
            organization,
            product.label,
            name=product.name,
            description=product.description,
            gpg_key=product.gpg_key,
        )
    for planned in plan.repositories:
        repository = planned.repository
        if not planned.exists:
            store.repositories.create(repository)
        elif planned.changed:
            store.repositories.update(
                repository.key,
                name=repository.name,
                content=repository.content,
                variables=repository.variables,
                gpg_key=repository.gpg_key,
            )
        store.repositories.update(repository.key, imported=planned.mark)


@dataclass(frozen=True, slots=True)
class Before:
    """What an organization held of the repositories of a plan."""

    versions: Mapping[RepositoryKey, int]
    marks: Mapping[RepositoryKey, ImportMark | None]


def held_before(ctx: Context, plan: ImportPlan) -> Before:
    """Give what Library holds of the repositories of a plan, and what was imported of them last."""
    planned = {each.repository.key for each in plan.repositories}
    versions = {
        repository.key: number for repository, number in ctx.store.versions.promoted(plan.organization, LIBRARY)
    }
    repositories = ctx.store.repositories.list(plan.organization)
    return Before(
        {key: number for key, number in versions.items() if key in planned},
        {repository.key: repository.imported for repository in repositories if repository.key in planned},
    )


def record_import(
    ctx: Context,
    row: ContentImport,
    manifest: Manifest,
    plan: ImportPlan,
    versions: Sequence[RepositoryVersion],
    *,
    before: Before,
    note: str = "",
) -> tuple[VersionChange, ...]:
    """Write history and audit log of an import; in the transaction that records the versions.

    `before` is what Library held, `note` what else there is to say. Other volumes of the bundle that were taken in are
    imported by this too, and bundles that wait for their base are tried again. Gives what changed, for the report.
    """
    bundle = manifest.bundle
    note = "; ".join(filter(None, (_skipped(ctx, manifest, plan.organization), note)))
    if note:
        ctx.progress.note(note)
    now = ctx.clock()
    changes = tuple(
        VersionChange(key, before.versions.get(key), version.number, before.marks.get(key))
        for version in versions
        for key in (version.repository,)
    )
    done: dict[str, object] = {"state": ImportState.IMPORTED, "waits_for": None, "error_code": None, "taken": False}
    approvals = tuple(sorted(approvals_of(ctx, row)))
    ctx.store.imports.update(row.id, updated_at=now, reason=note, changes=changes, approvals=approvals, **done)
    for other in ctx.store.imports.list(states=(ImportState.WAITING,)):
        if _same(other) == _same(row) and other.id != row.id:
            ctx.store.imports.update(other.id, updated_at=now, reason=f"imported with {row.id}", **done)
        elif other.waits_for is WaitsFor.BASE and other.inbox:
            ctx.store.imports.update(other.id, updated_at=now, state=ImportState.SETTLED, waits_for=None)
    _settle_refused(ctx, row)
    kept = keep_view_version(ctx, manifest.scope, plan)
    ctx.store.imports.update(row.id, updated_at=now, view_version=None if kept is None else str(kept))
    ctx.audit(
        "content-import.import",
        bundle.id,
        organization=plan.organization,
        details={
            "source_box": manifest.source.box_name,
            "key_id": manifest.source.key_id,
            "sequence": bundle.sequence,
            "versions": {str(version.repository): version.number for version in versions},
        },
    )
    return changes


def _same(row: ContentImport) -> tuple[str | None, ...]:
    """Say of which bundle this is an import, and where it goes; ids are chosen by whoever made it."""
    return row.bundle_id, row.key_id, row.organization


def _settle_refused(ctx: Context, row: ContentImport) -> None:
    """Close earlier attempts with the same bundle that came to nothing: nobody has to look at them any more."""
    for earlier in ctx.store.imports.list(states=(ImportState.REFUSED, ImportState.SETTLED)):
        ended = earlier.state is ImportState.REFUSED or earlier.is_given_up
        if ended and earlier.id != row.id and (_is_at_same_place(earlier, row) or _was_bad_copy(earlier, row)):
            reason = f"imported later, as {row.id}; it was: {earlier.reason}"
            ctx.store.imports.update(earlier.id, updated_at=ctx.clock(), state=ImportState.DISCARDED, reason=reason)


def _is_at_same_place(earlier: ContentImport, row: ContentImport) -> bool:
    """Tell whether an attempt was with this bundle as it lies there.

    What could not be read far enough to say which bundle it was is known by its place, but all pipes have the same.
    """
    same = (row.bundle_id,) if row.path == STREAM else (row.bundle_id, None)
    return earlier.path == row.path and earlier.bundle_id in same


def _was_bad_copy(earlier: ContentImport, row: ContentImport) -> bool:
    """Tell whether an attempt by hand was with a cut or damaged copy, of which nothing is kept here.

    What was cut on its way down a pipe is sent as a new bundle, with the same number or a later one.
    """
    if earlier.inbox or earlier.error_code not in _BAD_COPY or earlier.bundle_id is None:
        return False
    line, after = ((each.source_box, each.key_id, each.destination, each.organization) for each in (earlier, row))
    cut = earlier.path == row.path == STREAM and line == after and (earlier.sequence or 0) <= (row.sequence or 0)
    return cut or _same(earlier) == _same(row)


def _skipped(ctx: Context, manifest: Manifest, organization: str) -> str:
    """Say which bundles of the same box were never imported, going by the sequence numbers."""
    bundle = manifest.bundle
    last = ctx.store.imports.last_sequence(manifest.source.box_id, organization, bundle.destination)
    if last is None or bundle.sequence <= last + 1:
        return ""
    whose = f"{manifest.source.box_name} for {bundle.destination or 'no destination'}"
    known = taken_back(ctx, manifest.source.box_id, organization, bundle.destination)
    known |= {last: "", bundle.sequence: ""}
    missing = [(max(first, last + 1), end) for first, end in missing_sequences(known) if end > last]
    if not missing:
        return ""
    numbers = ", ".join(str(first) if first == end else f"{first} to {end}" for first, end in missing)
    if len(missing) == 1 and missing[0][0] == missing[0][1]:
        return f"{SKIPPED} bundle {numbers} of {whose} was never imported here"
    return f"{SKIPPED} bundles {numbers} of {whose} were never imported here"
