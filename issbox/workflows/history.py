"""What happened in this box: exports, imports and the audit log, for showing."""

from collections.abc import Sequence

from issbox.model import AuditEntry, ContentExport, ContentImport, ImportState
from issbox.workflows.context import Context


def list_exports(ctx: Context, organization: str | None = None) -> list[ContentExport]:
    """Give the exports, of all organizations or of one, newest first."""
    with ctx.store.session():
        if organization is not None:
            ctx.store.organizations.get(organization)
        return sorted(ctx.store.exports.list(organization), key=lambda export: -export.id)


def get_export(ctx: Context, export_id: int) -> ContentExport:
    """Give one export; raises NotFoundError."""
    with ctx.store.session():
        return ctx.store.exports.get(export_id)


def list_imports(
    ctx: Context, states: Sequence[ImportState] | None = None, limit: int | None = None
) -> list[ContentImport]:
    """Give the imports in these states, or all, newest first; `limit` keeps the newest only."""
    with ctx.store.session():
        return list(ctx.store.imports.list(states=states, limit=limit))


def get_import(ctx: Context, import_id: int) -> ContentImport:
    """Give one import; raises NotFoundError."""
    with ctx.store.session():
        return ctx.store.imports.get(import_id)


def list_audit(ctx: Context, *, limit: int | None = None, organization: str | None = None) -> list[AuditEntry]:
    """Give audit entries, of the whole box or of one organization, oldest first; `limit` keeps the newest only."""
    with ctx.store.session():
        if organization is not None:
            ctx.store.organizations.get(organization)
        entries = ctx.store.audit.list(limit=limit, organization=organization)
        return sorted(entries, key=lambda entry: entry.number)


def verify_audit(ctx: Context) -> int:
    """Check that no audit entry was changed or removed and give their number; raises StoreDamagedError."""
    with ctx.store.session():
        return ctx.store.audit.verify()
