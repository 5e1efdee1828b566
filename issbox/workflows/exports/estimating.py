"""What an export will come to, said before anything is written."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from issbox.files import free_space
from issbox.workflows.context import Context
from issbox.workflows.exports.forms import form_of
from issbox.workflows.exports.heads import prepare
from issbox.workflows.exports.plan import ExportPlan
from issbox.workflows.exports.recording import new_row

ROOM: Final = 16 << 20
"""Bytes kept free besides the bundle, for directories and what else needs room meanwhile."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an export will come to."""

    plan: ExportPlan
    files: int
    """Files carried."""
    size: int
    """Their bytes."""
    volumes: tuple[int, ...]
    """Bytes of each volume or chunk on its medium."""
    needed: int
    """Bytes of free space that writing it needs."""
    free: int
    """Bytes that are free where it would be written."""
    seconds: float | None
    """How long it will take, going by the last exports of this form; None when there was none."""


def estimate(ctx: Context, plan: ExportPlan, output: Path | None = None, *, streamed: bool = False) -> Estimate:
    """Lay a planned bundle out in volumes without writing it; raises VolumeSizeError and NameClashError.

    Of one that is to be streamed, only the file table needs space here.
    """
    parent = ctx.store.state_dir if streamed else output or ctx.settings.export.path
    with ctx.store.session(), ctx.store.scratch() as scratch:
        ctx.progress.step("plan-export", f"{plan.files} files")
        form = form_of(plan.request.style)
        head, _ = prepare(ctx, plan, new_row(ctx, plan, output, streamed=streamed), form, scratch)
        carried = head.manifest.files
        return Estimate(
            plan,
            carried.carried_count,
            carried.carried_size,
            form.volume_sizes(head),
            (head.manifest.table.size if streamed else form.total_size(head)) + ROOM,
            free_space(_nearest(parent)),
            _seconds(ctx, plan, carried.carried_size),
        )


def _nearest(path: Path) -> Path:
    """Give the directory itself, or the nearest one above that is there already."""
    return next(each for each in (path.absolute(), *path.absolute().parents) if each.is_dir())


def _seconds(ctx: Context, plan: ExportPlan, size: int) -> float | None:
    """Give the time that so many bytes will take, going by the last three exports of the form that tell anything."""
    told = ctx.store.exports.timed(plan.organization, plan.request.form, 3)
    bytes_then = sum(each.size for each in told)
    return round(size * sum(each.seconds for each in told) / bytes_then, 1) if told else None
