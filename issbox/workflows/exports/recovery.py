"""Finishing or undoing what killed exports left, and removing what is kept of exports that are no more."""

from pathlib import Path

from issbox.files import FileLock, remove_tree
from issbox.model import ContentExport, ExportState
from issbox.workflows.context import Context
from issbox.workflows.exports.kept import RECUTTING
from issbox.workflows.exports.pruning import remove_bundle
from issbox.workflows.exports.recording import remove_empty_directories


def undo_exports(ctx: Context) -> int:
    """Finish the rows of bundles that are whole, remove what killed exports left, and give the number of these rows.

    Does nothing while an export is running; call it inside a session.
    """
    lock = FileLock(ctx.store.locks / "export.lock")
    if not lock.try_acquire():
        return 0
    try:
        left = ctx.store.exports.list(states=[ExportState.WRITING])
        for export in left:
            _undo_export(ctx, export)
        for note in ctx.store.heads.glob(f"*/{RECUTTING}"):
            _remove_part(Path(note.read_text()))
            note.unlink()
        for export in ctx.store.exports.list(states=[ExportState.PRUNED]):
            if export.path and _is_left(Path(export.path)):
                remove_bundle(ctx, export)
        remove_heads(ctx)
        return len(left)
    finally:
        lock.release()


def remove_heads(ctx: Context) -> None:
    """Remove the kept heads of exports that were pruned or came to nothing; call it while no export is running."""
    needed = ctx.store.exports.bundle_ids(set(ExportState) - {ExportState.PRUNED})
    for place in ctx.store.heads.iterdir():
        if place.name not in needed:
            remove_tree(place)


def _undo_export(ctx: Context, export: ContentExport) -> None:
    path = Path(export.path)
    if export.path and path.exists():
        ctx.store.exports.update(export.id, state=ExportState.WRITTEN)
        return
    if export.path:
        _remove_part(path)
        remove_empty_directories(ctx, export)
    remove_tree(ctx.store.heads / export.bundle_id)
    ctx.store.exports.delete(export.id)


def _is_left(path: Path) -> bool:
    return path.exists() or path.with_name(f".{path.name}.part").exists()


def _remove_part(path: Path) -> None:
    remove_tree(path.with_name(f".{path.name}.part"))
