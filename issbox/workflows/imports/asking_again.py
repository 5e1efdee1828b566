"""Re-request slips on the side that receives: what an import lacks, in a form that the sender can act on."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from issbox.bundle.slip import SLIP_SUFFIX, encode_short_slip, encode_slip
from issbox.errors import NotFoundError, WrongStateError
from issbox.files import atomic_write
from issbox.model import SLIP_FORMAT, SLIP_FORMAT_VERSION, ContentImport, Slip, SlipForm
from issbox.rules.bundles.slips import slip_items
from issbox.workflows.context import Context, Permission
from issbox.workflows.history import get_import
from issbox.workflows.imports.chunk_sets import is_part_of_set, toc_of
from issbox.workflows.imports.chunks import chunk_folders, peek_toc
from issbox.workflows.imports.lacking import Lack, LackKind, lacking
from issbox.workflows.inbox.peeking import Hint, peek

_LONGEST_DETAIL = 1000


@dataclass(frozen=True, slots=True)
class MadeSlip:
    """A slip and its forms."""

    slip: Slip
    file: bytes
    short: str


def make_slip(ctx: Context, import_id: int) -> MadeSlip:
    """Ask for everything again that an import lacks.

    Raises WrongStateError when it lacks nothing that could be asked for, NotFoundError when nothing says which
    bundle it is, and what `lacking` raises.
    """
    ctx.require_anywhere(Permission.CONTENT_IMPORT)
    found = list(lacking(ctx, import_id))
    row = get_import(ctx, import_id)
    numbered = [each for each in found if each.number is not None]
    if not numbered:
        base = " The files that it lacks are not carried by it: export a complete bundle." if found else ""
        raise WrongStateError(
            f"import {import_id} lacks no volume, chunk or carried file.{base}",
            hint=f"`issbox content-import info {import_id}` says what it waits for.",
        )
    chunks = any(each.kind is LackKind.CHUNK for each in numbered)
    slip = _slip(ctx, row, numbered, SlipForm.CHUNKS if chunks else SlipForm.VOLUMES)
    return MadeSlip(slip, encode_slip(slip), encode_short_slip(slip))


def write_slip(ctx: Context, made: MadeSlip, path: Path | None) -> Path:
    """Write a slip to a file, without a path into the export directory, named after the bundle; gives its path."""
    target = path or ctx.settings.export.path / f"{made.slip.bundle_id}{SLIP_SUFFIX}"
    if path is None:
        target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(target) as out:
        out.write(made.file)
    return target.absolute()


def _slip(ctx: Context, row: ContentImport, found: list[Lack], form: SlipForm) -> Slip:
    damaged: defaultdict[int, list[str]] = defaultdict(list)
    details: dict[int, str] = {}
    missing = set()
    for each in found:
        assert each.number is not None, "only these are asked for"
        if each.kind is LackKind.FILE:
            damaged[each.number].append(each.name)
        elif each.damaged:
            damaged[each.number] = []
        else:
            missing.add(each.number)
        if each.kind is not LackKind.FILE and each.detail:
            line = " ".join(each.detail.split())
            details[each.number] = "".join(filter(str.isprintable, line))[:_LONGEST_DETAIL]
    bundle_id, hint = _which(ctx, row)
    with ctx.store.session():
        own = [each.label for each in ctx.store.organizations.list()]
        box = ctx.store.box.get().name
    return Slip(
        format=SLIP_FORMAT,
        format_version=SLIP_FORMAT_VERSION,
        created_at=ctx.clock().replace(microsecond=0),
        box=box,
        bundle_id=bundle_id,
        organization=(hint.organization.label if hint else "") or row.organization or own[0],
        destination=(hint.bundle.destination if hint else row.destination) or "",
        sequence=(hint.bundle.sequence if hint else row.sequence) or 0,
        form=form,
        items=slip_items(missing, damaged, details),
    )


def _which(ctx: Context, row: ContentImport) -> tuple[str, Hint | None]:
    """Give the bundle's id and what its manifest claims, as far as that can be read anywhere."""
    path = Path(row.path)
    toc = peek_toc(toc_of(path) or path) if row.path and is_part_of_set(path) else None
    kept = ctx.store.incoming / (row.bundle_id or "")
    hint = peek(path, chunk_folders(ctx, path)) if row.path else None
    if hint is None and row.bundle_id is not None and kept.is_dir():
        hint = peek(kept)
    bundle_id = row.bundle_id or (toc.bundle_id if toc is not None else None) or (hint.bundle.id if hint else None)
    if not bundle_id:
        raise NotFoundError(
            f"nothing that is there says which bundle import {row.id} belongs to",
            hint="Bring its table of contents or its manifest; or ask for the whole bundle again.",
        )
    return bundle_id, hint if hint is not None and hint.bundle.id == bundle_id else None
