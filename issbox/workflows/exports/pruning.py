"""Deleting exported bundles that are kept long enough: what goes is planned and shown first."""

from pathlib import Path

from issbox.files import remove_tree
from issbox.model import ContentExport, ExportState
from issbox.rules.bundles.retention import Retention, Superseded, plan_retention
from issbox.workflows.context import Context, Permission
from issbox.workflows.exchange.received import acknowledged
from issbox.workflows.exports.locking import alone
from issbox.workflows.exports.ownership import foreign_content
from issbox.workflows.exports.recording import remove_empty_directories
from issbox.workflows.visibility import exported_products


def plan_pruning(ctx: Context, organization: str | None = None, destination: str | None = None) -> list[Superseded]:
    """Say which bundles go by the configured rules, and which of them stay since no receipt acknowledged them.

    Of all organizations where who asks may export everything, or of one, and of all destinations or of one.
    """
    settings = ctx.settings.export
    rules = Retention(settings.keep, settings.keep_days, settings.keep_until_acknowledged)
    with ctx.store.session():
        if organization is not None:
            ctx.require(Permission.CONTENT_EXPORT, organization)
            ctx.store.organizations.get(organization)
        else:
            ctx.require_anywhere(Permission.CONTENT_EXPORT)
        reach = ctx.reach(Permission.CONTENT_EXPORT)
        exports = [
            each
            for each in ctx.store.exports.list(organization, destination)
            if reach.products(each.organization).cover(())
        ]
        planned = plan_retention(exports, rules, ctx.clock(), lambda export: acknowledged(ctx, export))
        return [_spare_foreign(ctx, each) for each in planned]


def prune(ctx: Context, planned: list[Superseded]) -> list[ContentExport]:
    """Delete the bundles that go, and give their rows as they are then.

    The row comes first: what a killed process leaves of a bundle is removed by the next start.
    """
    gone = []
    with ctx.store.session(), alone(ctx):
        for each in planned:
            if not each.goes:
                continue
            export = each.export
            ctx.require(Permission.CONTENT_EXPORT, export.organization, exported_products(export))
            ctx.progress.step("prune", export.path)
            with ctx.store.transaction():
                ctx.audit(
                    "content-export.prune",
                    export.bundle_id,
                    organization=export.organization,
                    details={"path": export.path, "reason": each.reason},
                )
                gone.append(ctx.store.exports.update(export.id, state=ExportState.PRUNED))
            try:
                remove_bundle(ctx, export)
            except OSError as error:
                ctx.progress.note(f"{export.path} could not be removed ({error.strerror}); the next start tries again")
    return gone


def remove_bundle(ctx: Context, export: ContentExport) -> None:
    """Remove the files of an export and what is kept of it; what is not its own stays. May be called again."""
    path = Path(export.path)
    hidden = path.with_name(f".{path.name}.part")
    if path.exists() and foreign_content(ctx, export) is None:
        path.rename(hidden)
    remove_tree(hidden)
    remove_tree(ctx.store.heads / export.bundle_id)
    remove_empty_directories(ctx, export)


def _spare_foreign(ctx: Context, each: Superseded) -> Superseded:
    if not each.goes:
        return each
    if not Path(each.export.path).exists():
        return Superseded(each.export, goes=True, reason=f"{each.reason}; it is not at its place any more")
    why = foreign_content(ctx, each.export)
    return each if why is None else Superseded(each.export, goes=False, reason=f"{each.reason}, but {why}")
