"""The inbox as people think of it: one line for each bundle, however many volumes or chunks it comes in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from issbox.bundle.tar.toc_checks import TOC_SUFFIX
from issbox.model import BundleForm, ContentImport, ImportState, WaitsFor
from issbox.workflows.context import Context, Permission
from issbox.workflows.imports.chunks import ChunkFolders, missing_chunks, peek_toc
from issbox.workflows.inbox.import_order import in_their_order
from issbox.workflows.inbox.inbox import list_inbox
from issbox.workflows.inbox.peeking import Hint, peek_in_inbox

_MOVING: Final = (ImportState.IMPORTING, ImportState.CHECKING)
_COMING: Final = (ImportState.SETTLED, ImportState.ARRIVING)
_ORDER: Final = (*_MOVING, *_COMING, ImportState.WAITING, ImportState.REFUSED)
"""Of the volumes of a bundle, the state that says most about it comes first."""


@dataclass(frozen=True, slots=True)
class BundleOnItsWay:
    """A bundle of the inbox, or something that may become one."""

    row: ContentImport
    """Of its volumes, the one that says most about it: the one to preview, approve or retry."""
    rows: tuple[ContentImport, ...]
    bundle_id: str | None
    """As checked, else as it claims."""
    organization: str | None
    form: BundleForm | None
    destination: str | None
    sequence: int | None
    chunks: bool
    """Whether the numbers below count chunks of an archive, not volumes."""
    count: int
    """How many volumes or chunks there are; 1 while that is not known."""
    here: tuple[int, ...]
    """Numbers of those that are here, and not refused."""
    missing: tuple[int, ...]
    """Numbers of the others."""
    reason: str
    """In words: how far it has come, what it waits for, why it was refused."""
    next: str
    """What to do, or what happens next."""

    @property
    def first_seen(self) -> datetime:
        """Give when its first part was seen."""
        return min(row.first_seen for row in self.rows)


@dataclass(frozen=True, slots=True)
class _Known:
    """A row and what it claims."""

    row: ContentImport
    hint: Hint | None
    toc_id: str | None

    @property
    def bundle_id(self) -> str | None:
        return self.row.bundle_id or self.toc_id or (self.hint.bundle.id if self.hint and self.hint.bundle.id else None)

    @property
    def organization(self) -> str | None:
        return self.row.organization or (self.hint.organization.label if self.hint else None)

    @property
    def group(self) -> tuple[object, ...]:
        return ("row", self.row.id) if self.bundle_id is None else (self.bundle_id, self.organization)

    @property
    def volume(self) -> int | None:
        return self.row.volume or (self.hint.volume if self.hint and len(self.hint.volumes) > 1 else None)


def list_bundles(ctx: Context) -> list[BundleOnItsWay]:
    """Give what is in the inbox or in quarantine, bundle by bundle, in the order in which it will be imported.

    What is being imported comes first, then what is complete or arriving, what waits, and what was refused.
    """
    ctx.require_anywhere(Permission.CONTENT_READ)
    folders = ChunkFolders(ctx)
    known = [_know(row, folders) for row in list_inbox(ctx, taken=True)]
    groups: dict[tuple[object, ...], list[_Known]] = {}
    for each in _in_order(known):
        groups.setdefault(each.group, []).append(each)
    found = [_describe(group, folders) for group in groups.values()]
    return sorted(found, key=lambda each: min(_ORDER.index(each.row.state), 2))


def _know(row: ContentImport, folders: ChunkFolders) -> _Known:
    path = Path(row.path)
    toc = peek_toc(path)
    return _Known(row, peek_in_inbox(path, folders, row.organization), None if toc is None else toc.bundle_id)


def _in_order(known: Sequence[_Known]) -> Iterator[_Known]:
    """Give rows in the order in which they are imported; waiting and refused ones follow, oldest first."""
    by_id = {each.row.id: each for each in known}
    yield from (each for each in known if each.row.state in _MOVING)
    coming = [(each.row, each.hint) for each in known if each.row.state in _COMING]
    yield from (by_id[row.id] for row in in_their_order(coming))
    for state in (ImportState.WAITING, ImportState.REFUSED):
        yield from sorted((each for each in known if each.row.state is state), key=lambda each: each.row.id)


def _describe(group: Sequence[_Known], folders: ChunkFolders) -> BundleOnItsWay:
    chief = min(group, key=lambda each: _ORDER.index(each.row.state))
    row, hint = chief.row, chief.hint
    is_set = row.path.endswith(TOC_SUFFIX)
    if is_set:
        count, absent = missing_chunks(Path(row.path), folders.of(Path(row.path), row.organization))
        here = [number for number in range(1, count + 1) if number not in set(absent)]
    else:
        count = row.volumes or (len(hint.volumes) if hint is not None else 1) or 1
        here = [each.volume or 1 for each in group if each.row.state is not ImportState.REFUSED]
        here = sorted({number for number in here if number <= count})
        absent = [number for number in range(1, count + 1) if number not in here] if here or count > 1 else []
    return BundleOnItsWay(
        row=row,
        rows=tuple(each.row for each in group),
        bundle_id=chief.bundle_id,
        organization=chief.organization,
        form=row.form,
        destination=row.destination if row.destination is not None or hint is None else hint.bundle.destination,
        sequence=row.sequence or (hint.bundle.sequence or None if hint is not None else None),
        chunks=is_set,
        count=max(count, 1),
        here=tuple(here),
        missing=tuple(absent),
        reason=_reason(chief, group),
        next=_what_next(row),
    )


def _reason(chief: _Known, group: Sequence[_Known]) -> str:
    """Give the chief's reason, and those of volumes that were refused while others are not."""
    refused = [each for each in group if each.row.state is ImportState.REFUSED and each is not chief]
    named = (f"volume {each.volume or 1} (import {each.row.id}) was refused: {each.row.reason}" for each in refused)
    return "; ".join(filter(None, (chief.row.reason, *named)))


def _what_next(row: ContentImport) -> str:
    number = row.id
    if row.state is ImportState.WAITING:
        return {
            WaitsFor.VOLUMES: f"bring what is missing; `issbox content-import slip {number}` asks for it again",
            WaitsFor.BASE: f"import the bundle that it builds on; `issbox content-import missing {number}` lists files",
            WaitsFor.APPROVAL: f"`issbox content-import preview {number}`, then approve {number} or refuse {number}",
            None: "",
        }[row.waits_for]
    return {
        ImportState.ARRIVING: "wait until all of it has been copied",
        ImportState.SETTLED: "nothing: it is imported next by the service, or by `issbox inbox scan`",
        ImportState.REFUSED: f"`issbox content-import retry {number}` when the cause is removed, or discard {number}",
    }.get(row.state, "nothing: it is being imported")
