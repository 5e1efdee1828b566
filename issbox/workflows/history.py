"""What happened in this box: exports and imports, for showing. Everybody sees what its roles cover."""

from collections.abc import Sequence

from issbox.errors import NotFoundError
from issbox.model import ContentExport, ContentImport, ImportState
from issbox.workflows.context import Context, Permission
from issbox.workflows.newest import newest
from issbox.workflows.visibility import seen_exports, seen_imports, sees_import


def list_exports(ctx: Context, organization: str | None = None, limit: int | None = None) -> list[ContentExport]:
    """Give the exports, of all organizations or of one, newest first; `limit` keeps the newest only."""
    ctx.require_anywhere(Permission.CONTENT_READ)
    with ctx.store.session():
        if organization is not None:
            ctx.require_some(Permission.CONTENT_READ, organization)
            ctx.store.organizations.get(organization)
        return newest(
            lambda before, size: ctx.store.exports.list(organization, before=before, limit=size),
            lambda export: bool(seen_exports(ctx, [export])),
            limit,
        )


def get_export(ctx: Context, export_id: int) -> ContentExport:
    """Give one export; raises NotFoundError."""
    ctx.require_anywhere(Permission.CONTENT_READ)
    with ctx.store.session():
        export = ctx.store.exports.get(export_id)
        if not seen_exports(ctx, [export]):
            raise NotFoundError(f"there is no content export {export_id}", listed="content-export list")
        return export


def list_imports(
    ctx: Context, states: Sequence[ImportState] | None = None, limit: int | None = None
) -> list[ContentImport]:
    """Give the imports in these states, or all, newest first; `limit` keeps the newest only."""
    ctx.require_anywhere(Permission.CONTENT_READ)
    with ctx.store.session():
        return newest(lambda before, size: ctx.store.imports.list(states, size, before=before), sees_import(ctx), limit)


def get_import(ctx: Context, import_id: int) -> ContentImport:
    """Give one import; raises NotFoundError."""
    ctx.require_anywhere(Permission.CONTENT_READ)
    with ctx.store.session():
        row = ctx.store.imports.get(import_id)
        if not seen_imports(ctx, [row]):
            raise NotFoundError(f"there is no content import {import_id}", listed="content-import list")
        return row
