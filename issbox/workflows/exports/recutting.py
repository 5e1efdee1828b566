"""Writing single volumes or chunks of an earlier export again, byte for byte, from the kept head and the store."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from issbox.errors import InvalidValueError, NotFoundError, RecutError
from issbox.files import atomic_write, require_space
from issbox.model import BundleForm, ContentExport, ExportState, Slip, SlipForm
from issbox.rules.bundles.slips import format_ranges
from issbox.workflows.appliance.boxes import signing_key
from issbox.workflows.context import Context, Permission
from issbox.workflows.exports.estimating import ROOM
from issbox.workflows.exports.forms import Job, form_of
from issbox.workflows.exports.kept import RECUTTING, KeptBundle, StoredContent, kept_bundle
from issbox.workflows.exports.locking import alone, damage_in_words
from issbox.workflows.visibility import exported_products, seen_exports

STEPS: Final = ("check-content", "copy-files", "finish-bundle", "record-recut")
"""What `recut` announces, in order."""
_ARCHIVES: Final = {BundleForm.TAR, BundleForm.TGZ}
_NAMED: Final = 3
"""How many missing files a message names."""


@dataclass(frozen=True, slots=True)
class Recut:
    """Volumes or chunks that were written again."""

    export: ContentExport
    path: str
    """The directory they lie in."""
    form: SlipForm
    numbers: tuple[int, ...]
    volumes: tuple[int, ...]
    """Bytes of each of them; a table of contents, which is chunk 0, is not among them."""


def recut(ctx: Context, slip: Slip, output: Path | None = None) -> Recut:
    """Write what a slip asks for into `NAME-recut` below `output`, or beside the bundle.

    Raises NotFoundError when the export is not one of this box, InvalidValueError when it has no such volumes, and
    RecutError when they cannot become what they were, for example because of content that the store has no more.
    """
    with ctx.store.session(), alone(ctx):
        export = _find(ctx, slip)
        _check_numbers(export, slip)
        ctx.progress.step("check-content", f"{slip.form} {format_ranges(slip.numbers)}")
        kept = kept_bundle(ctx, export)
        job = Job(
            name=Path(export.path).name,
            head=kept.head,
            open_entry=StoredContent(ctx, kept.documents),
            key=signing_key(ctx),
            kept=kept.place,
            progress=ctx.progress,
            only=frozenset(slip.numbers) - {0},
        )
        _require_content(ctx, job, kept, export)
        final = _free_name(_parent(ctx, export, output) / f"{job.name}-recut")
        size = sum(export.volumes[number - 1] for number in slip.numbers if number)
        require_space(final.parent, size + ROOM, "the bundle")
        ctx.progress.step("copy-files", f"to {final}")
        ctx.progress.expect(files=0, size=_read_size(job, export))
        with _noted(kept, final), damage_in_words():
            volumes = form_of(kept.style).write(job, final)
        ctx.progress.step("record-recut")
        with ctx.store.transaction():
            ctx.audit(
                "content-export.recut",
                export.bundle_id,
                organization=export.organization,
                details={"export": export.id, slip.form.value: format_ranges(slip.numbers), "path": str(final)},
            )
        return Recut(export, str(final), slip.form, slip.numbers, volumes)


def find_recut(ctx: Context, slip: Slip) -> ContentExport:
    """Give the export that a slip asks something of again, before anything is written.

    Raises NotFoundError when it is not one of this box, InvalidValueError when it has no such volumes, RecutError.
    """
    with ctx.store.session():
        export = _find(ctx, slip)
        _check_numbers(export, slip)
        return export


def _find(ctx: Context, slip: Slip) -> ContentExport:
    export = ctx.store.exports.find(slip.bundle_id)
    if export is None or export.state is ExportState.WRITING or not seen_exports(ctx, [export]):
        raise NotFoundError(
            f"no export of this box made the bundle {slip.bundle_id}",
            hint="`issbox content-export list --json` shows the bundles; was it made by another box?",
        )
    ctx.require(Permission.CONTENT_EXPORT, export.organization, exported_products(export))
    if export.state is ExportState.STREAMED:
        raise RecutError(f"the content export {export.id} went down a pipe, so it has no volumes or chunks")
    return export


def _check_numbers(export: ContentExport, slip: Slip) -> None:
    wanted = SlipForm.CHUNKS if export.form in _ARCHIVES else SlipForm.VOLUMES
    if slip.form is not wanted:
        raise InvalidValueError(
            f"the slip asks for {slip.form}, but the content export {export.id} is made of {wanted}"
        )
    beyond = [number for number in slip.numbers if number > len(export.volumes)]
    if beyond:
        raise InvalidValueError(
            f"the slip asks for {slip.form} {format_ranges(beyond)}, but the content export {export.id} has only "
            f"{len(export.volumes)}"
        )


def _require_content(ctx: Context, job: Job, kept: KeptBundle, export: ContentExport) -> None:
    """Raise RecutError when the store lacks any file that is to be read, before anything is written."""
    content = StoredContent(ctx, kept.documents)
    whole = export.form in _ARCHIVES
    wanted = job.only or frozenset[int]()
    missing, named = 0, list[str]()
    for entry in job.head.entries() if wanted else ():
        volumes = {entry.volume, *(part.volume for part in entry.parts)}
        if entry.carried and (whole or volumes & wanted) and not content.has(entry):
            missing += 1
            if missing <= _NAMED:
                named.append(entry.path)
    if missing:
        more = f" and {missing - _NAMED} more" if missing > _NAMED else ""
        raise RecutError(
            f"{missing} files of the content export {export.id} are not in the store any more, such as "
            f"{', '.join(named)}{more}"
        )


def _read_size(job: Job, export: ContentExport) -> int:
    """Give the bytes that have to be read: of an archive all, since its stream is made from the beginning."""
    if export.form in _ARCHIVES:
        return export.size if job.only else 0
    return sum(volume.size for volume in job.head.manifest.volumes if job.wants(volume.number))


def _parent(ctx: Context, export: ContentExport, output: Path | None) -> Path:
    beside = Path(export.path).parent
    parent = output or (beside if beside.is_dir() else ctx.settings.export.path)
    parent.mkdir(parents=True, exist_ok=True)
    return parent


def _free_name(path: Path) -> Path:
    """Give the path, or the first of `PATH-2`, `PATH-3`, ... that is free."""
    names = (path if number == 1 else path.with_name(f"{path.name}-{number}") for number in count(1))
    return next(each for each in names if not each.exists())


@contextmanager
def _noted(kept: KeptBundle, final: Path) -> Iterator[None]:
    """Note where the volumes go, so that the next start finds what a killed process leaves there."""
    note = kept.place / RECUTTING
    with atomic_write(note) as out:
        out.write(str(final.absolute()).encode())
    try:
        yield
    finally:
        note.unlink(missing_ok=True)
