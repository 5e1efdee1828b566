"""Why a sound bundle is not imported yet: volumes, an earlier bundle, or people are missing."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Final

from issbox.bundle.reader import BundleReader
from issbox.model import ContentImport, ImportState, WaitsFor
from issbox.rules.bundles.approvals import approvals_missing
from issbox.workflows.context import Context
from issbox.workflows.imports.incoming import volumes_taken
from issbox.workflows.imports.staging import missing_files

_NOT_ENDED: Final = (
    ImportState.ARRIVING,
    ImportState.SETTLED,
    ImportState.CHECKING,
    ImportState.WAITING,
    ImportState.IMPORTING,
    ImportState.REFUSED,
)
_NAMED: Final = 10
"""How many missing files a reason names."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What an import waits for."""

    what: WaitsFor
    reason: str


def why_to_wait(ctx: Context, row: ContentImport, bundle: BundleReader) -> Waiting | None:
    """Say what has to come before anything of the bundle may be taken in; None when nothing has to."""
    return missing_approval(ctx, row, ctx.settings.inbox.approvals) or missing_base(
        first_named(entry.path for entry in missing_files(ctx, bundle)), inbox=row.inbox
    )


def missing_approval(ctx: Context, row: ContentImport, needed: int) -> Waiting | None:
    """Say how many people still have to approve the bundle when so many are needed; None when nobody has to."""
    missing = approvals_missing(needed, approvals_of(ctx, row), row.made_by)
    if not missing:
        return None
    people = "one person" if missing == 1 else f"{missing} people"
    return Waiting(
        WaitsFor.APPROVAL,
        f"it waits for the approval of {people}: look at it with `issbox content-import preview {row.id}`, then "
        f"`issbox content-import approve {row.id}`",
    )


@dataclass(frozen=True, slots=True)
class FirstNamed:
    """How many things there are, with the names of the first of them."""

    count: int
    names: tuple[str, ...]


def first_named(names: Iterable[str]) -> FirstNamed:
    """Count names, in flat memory."""
    every = iter(names)
    first = tuple(islice(every, _NAMED))
    return FirstNamed(len(first) + sum(1 for _ in every), first)


def missing_base(absent: FirstNamed, *, inbox: bool = True) -> Waiting | None:
    """Say which files are neither carried nor in this box; None when there are none.

    Only what came through the `inbox` goes on by itself.
    """
    count, named = absent.count, absent.names
    if not count:
        return None
    files = "1 file is" if count == 1 else f"{count} files are"
    more = ", ..." if count > len(named) else ""
    next_step = (
        "It goes on by itself when the bundle that it builds on has been imported"
        if inbox
        else "Import the bundle that it builds on, then this one again"
    )
    return Waiting(
        WaitsFor.BASE,
        f"{files} neither carried by the bundle nor in this box: {', '.join(named)}{more}. {next_step}; or have a "
        "complete one exported",
    )


def missing_volumes(ctx: Context, row: ContentImport, bundle: BundleReader) -> list[int]:
    """Give the numbers of the volumes that are not taken in yet, this one aside."""
    count = len(bundle.manifest.volumes)
    if count == 1:
        return []
    assert row.organization is not None, "it is known before anything is taken in"
    taken = volumes_taken(ctx, bundle.manifest.bundle.id, row.organization)
    ours = {number for number, each in taken.items() if each.key_id == bundle.manifest.source.key_id}
    return [number for number in range(1, count + 1) if number != bundle.volume and number not in ours]


def approvals_of(ctx: Context, row: ContentImport) -> Collection[str]:
    """Give the names of those who approved this import of the bundle, be it by another of its volumes."""
    if row.bundle_id is None:
        return row.approvals
    return approvals_given(ctx, row.bundle_id, row.organization, row.key_id).union(row.approvals)


def approvals_given(ctx: Context, bundle_id: str, organization: str | None, key_id: str | None) -> frozenset[str]:
    """Give the names of those who approved that this bundle, signed by this key, goes into the organization.

    What was approved for an import that has ended, and may have been rolled back, does not let the bundle in again.
    """
    rows = ctx.store.imports.list(states=_NOT_ENDED, bundle_id=bundle_id)
    return frozenset(
        name for each in rows if (each.organization, each.key_id) == (organization, key_id) for name in each.approvals
    )


def wait(ctx: Context, row: ContentImport, waiting: Waiting, *, taken: bool = False) -> ContentImport:
    """Write down what the bundle waits for."""
    ctx.progress.note(waiting.reason)
    with ctx.store.transaction():
        return ctx.store.imports.update(
            row.id,
            updated_at=ctx.clock(),
            state=ImportState.WAITING,
            waits_for=waiting.what,
            reason=waiting.reason,
            error_code=None,
            taken=taken,
        )
