"""Exports of another box that never came here, and whose content did not come another way either."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache, partial
from typing import TYPE_CHECKING, Final

from issbox.errors import StoreDamagedError
from issbox.model import ContentImport, ImportState
from issbox.workflows.context import Context
from issbox.workflows.visibility import seen_imports

if TYPE_CHECKING:
    from issbox.model import ImportReport

SKIPPED: Final = "skipped:"
"""Begins the reason of an import before which others were left out."""
_NEWEST: Final = 50
"""Imports that are looked at: what is older has long been settled."""


def skipping(ctx: Context) -> Iterator[ContentImport]:
    """Give the imports before which an export was left out that still matters, newest first; inside a session.

    It does not when it has come since, or when a complete bundle made later by the same box, this one perhaps, brought
    every repository that ever came from there: nothing can be missing then.
    """
    rows = seen_imports(ctx, ctx.store.imports.list(states=(ImportState.IMPORTED,), limit=_NEWEST))
    report = cache(partial(_report, ctx))  # read at most once, and only where numbers do not decide
    for row in rows:
        if row.reason.startswith(SKIPPED) and _still_missing(ctx, row, rows) and not _covered(ctx, row, rows, report):
            yield row


def taken_back(ctx: Context, source_box: str, organization: str, destination: str) -> dict[int, str]:
    """Give what came and was rolled back: sequence number to bundle id. Nobody has to look for it; inside a session."""
    wanted = (source_box, organization, destination)
    return {
        each.sequence: each.bundle_id or ""
        for each in ctx.store.imports.list(states=(ImportState.ROLLED_BACK,))
        if each.sequence is not None and _from(each) == wanted
    }


def _still_missing(ctx: Context, row: ContentImport, rows: Sequence[ContentImport]) -> bool:
    """Tell whether a number has not come yet between the last one before this import and its own."""
    if row.source_box is None or row.organization is None or row.sequence is None:
        return False
    from issbox.rules.bundles.receipts import missing_sequences

    line = (row.source_box, row.destination or "")
    numbers = ctx.store.imports.sequences(row.organization).get(line, {})
    numbers = taken_back(ctx, row.source_box, row.organization, line[1]) | numbers
    before = [
        each.sequence for each in rows if each.id < row.id and each.sequence is not None and _from(each) == _from(row)
    ]
    last = max(before, default=min(numbers, default=0))
    return any(last < first < row.sequence for first, _ in missing_sequences(numbers))


def _from(row: ContentImport) -> tuple[str | None, ...]:
    return row.source_box, row.organization, row.destination


def _covered(
    ctx: Context, row: ContentImport, rows: Sequence[ContentImport], report: Callable[[int], "ImportReport | None"]
) -> bool:
    missing = {
        (each.key.product, each.key.label)
        for each in ctx.store.repositories.list(row.organization)
        if each.imported is not None and each.imported.box_id == row.source_box
    }
    complete = (
        each
        for each in rows
        if (each.source_box, each.organization) == (row.source_box, row.organization) and each.incremental is False
    )
    for each in complete:
        if missing and _not_before(each, row, report):
            found = report(each.id)
            missing -= set() if found is None else {(one.product, one.label) for one in found.repositories}
    return not missing


def _not_before(one: ContentImport, other: ContentImport, report: Callable[[int], "ImportReport | None"]) -> bool:
    """Tell whether the bundle of one import was made after that of another, or is the same.

    Those of one destination are numbered. Those of two have only their times, in whole seconds.
    """
    if _from(one) == _from(other) and one.sequence is not None and other.sequence is not None:
        return one.sequence >= other.sequence
    its, own = report(one.id), report(other.id)
    return its is not None and own is not None and its.created_at > own.created_at


def _report(ctx: Context, number: int) -> "ImportReport | None":
    from issbox.bundle.report import decode_report

    found = ctx.store.reports.find(number)
    with suppress(StoreDamagedError):
        return None if found is None else decode_report(found)
    return None
