"""What an import lacks, all of it: volumes, chunks or files that are missing or damaged, by exact name."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from issbox.bundle.katello import read_metadata as read_katello
from issbox.bundle.opening import opened
from issbox.bundle.tar.toc_reader import signature_path
from issbox.bundle.verifying import find_problems
from issbox.errors import BundleDamagedError, NotFoundError
from issbox.model import ContentImport, ImportState, WaitsFor
from issbox.rules.bundles.importing import plan_import
from issbox.workflows.context import Context, Permission
from issbox.workflows.foreign import importing as katello
from issbox.workflows.foreign import is_foreign
from issbox.workflows.history import get_import
from issbox.workflows.imports import importing
from issbox.workflows.imports.chunk_sets import bad_chunks, is_part_of_set, toc_of
from issbox.workflows.imports.chunks import chunk_folders, peek_toc
from issbox.workflows.imports.import_facts import trusted_public_key
from issbox.workflows.imports.planning import library_of
from issbox.workflows.imports.staging import missing_files
from issbox.workflows.inbox.peeking import peek


class LackKind(StrEnum):
    """What it is that is lacking."""

    VOLUME = "volume"
    CHUNK = "chunk"
    """Of an archive; number 0 is its table of contents."""
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Lack:
    """One thing that an import lacks."""

    kind: LackKind
    number: int | None
    """Of the volume or chunk; of a file, the volume that it belongs into, None when the bundle does not carry it."""
    name: str
    """Path of a file in the bundle, name of a chunk; empty for a volume."""
    damaged: bool
    """Whether something else lies in its place."""
    detail: str
    """In words, for people."""


def lacking(ctx: Context, import_id: int) -> Iterator[Lack]:
    """Give everything that an import lacks; nothing when it could go on.

    For a bundle that waits for its base these are all the files that neither it carries nor this box has. Whatever
    may be damaged is read to its end. Raises NotFoundError when the bundle is not there any more, and the BundleError
    that says why it cannot be read at all.
    """
    ctx.require_anywhere(Permission.CONTENT_IMPORT)
    row = get_import(ctx, import_id)
    path = Path(row.path)
    with ctx.store.session():
        if row.path and is_part_of_set(path):
            yield from _of_set(ctx, toc_of(path) or path)
        yield from _volumes(ctx, row)
        if row.taken or (row.path and is_part_of_set(path) and row.waits_for is WaitsFor.VOLUMES):
            return
        if not row.path or not path.exists():
            raise NotFoundError(
                f"the bundle of import {import_id} is no longer at {row.path or 'any place known here'}",
                hint="Put it into the inbox again.",
            )
        if row.waits_for is WaitsFor.BASE:
            yield from _base(ctx, row)
        elif row.state is ImportState.REFUSED and not is_part_of_set(path) and not is_foreign(path):
            yield from _files(ctx, row)


def _of_set(ctx: Context, toc: Path) -> Iterator[Lack]:
    if peek_toc(toc) is None:
        damaged = toc.exists()
        yield Lack(LackKind.CHUNK, 0, toc.name, damaged, "cannot be read" if damaged else "")
        return
    folders = chunk_folders(ctx, toc)
    signature = signature_path(toc, folders)
    if not signature.exists():
        yield Lack(LackKind.CHUNK, 0, signature.name, damaged=False, detail="")
    for each in bad_chunks(toc, folders, lambda size: ctx.progress.advance(size=size)):
        detail = f"must have {each.size} bytes"
        yield Lack(LackKind.CHUNK, each.number, each.name, each.damaged, detail)


def _volumes(ctx: Context, row: ContentImport) -> Iterator[Lack]:
    """Give the volumes of a bundle that never came, or were refused."""
    if not row.volumes or row.bundle_id is None or row.state is ImportState.IMPORTED:
        return
    rows = ctx.store.imports.list(bundle_id=row.bundle_id)
    here: dict[int, ContentImport] = {}
    for each in rows:  # newest first, and one that was taken in is better than one that was refused
        if each.organization == row.organization and each.volume is not None and each.state in _OPEN:
            here.setdefault(each.volume, each)
    refused = {each.volume: each for each in reversed(rows) if each.state is ImportState.REFUSED and each.volume}
    for number in range(1, row.volumes + 1):
        if number not in here and number in refused and refused[number].id != row.id:
            yield Lack(LackKind.VOLUME, number, "", damaged=True, detail=refused[number].reason)
        elif number not in here and number not in refused:
            yield Lack(LackKind.VOLUME, number, "", damaged=False, detail="")


_OPEN = (
    ImportState.ARRIVING,
    ImportState.SETTLED,
    ImportState.CHECKING,
    ImportState.WAITING,
    ImportState.IMPORTING,
)


def _base(ctx: Context, row: ContentImport) -> Iterator[Lack]:
    path = Path(row.path)
    if is_foreign(path):
        yield from (Lack(LackKind.FILE, None, name, damaged=False, detail="") for name in _katello_base(ctx, row))
        return
    trusted, limits = trusted_public_key(ctx), importing.bundle_limits(ctx)
    with (
        ctx.store.scratch() as scratch,
        opened(path, trusted, limits, scratch, folders=chunk_folders(ctx, path)) as (bundle, _),
    ):
        for entry in missing_files(ctx, bundle):
            yield Lack(LackKind.FILE, None, entry.path, damaged=False, detail=f"SHA-256 {entry.sha256}")


def _katello_base(ctx: Context, row: ContentImport) -> list[str]:
    metadata = read_katello(Path(row.path))
    export = katello.open_export(ctx, Path(row.path), metadata)
    library = library_of(ctx, katello.organization_of(ctx, row.organization, metadata))
    synthesis = katello.described(ctx, metadata, library, export)
    plan = plan_import(synthesis.manifest, library, allow_older=True)
    return export.missing(ctx, katello.targets_of(synthesis, [each.repository for each in plan.repositories]))


def _files(ctx: Context, row: ContentImport) -> Iterator[Lack]:
    """Give the files of a directory or image that are missing or damaged, after reading all of them."""
    path = Path(row.path)
    trusted, limits = trusted_public_key(ctx), importing.bundle_limits(ctx)
    try:
        with (
            ctx.store.scratch() as scratch,
            opened(path, trusted, limits, scratch) as (bundle, _),
        ):
            ctx.progress.step("verify", f"reading every file of {path.name}")
            if bundle.sequential:
                yield Lack(LackKind.CHUNK, 1, path.name, damaged=True, detail=row.reason)
                return
            for problem in find_problems(bundle, lambda size: ctx.progress.advance(size=size)):
                yield Lack(LackKind.FILE, bundle.volume, problem.piece.path, not problem.missing, problem.detail)
    except BundleDamagedError as error:  # not even its file table can be read
        hint = peek(path)
        if hint is None:
            raise
        yield Lack(LackKind.VOLUME, hint.volume, "", damaged=True, detail=str(error))
