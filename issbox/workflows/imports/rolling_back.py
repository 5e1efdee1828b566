"""Taking an import back: every repository that it touched shows the version before again."""

from issbox.errors import NotFoundError, WrongStateError
from issbox.files import FileLock
from issbox.model import LIBRARY, ContentImport, ImportState, VersionChange
from issbox.workflows.certificates.following import certificates_follow
from issbox.workflows.content.publishing import changing_content, point_environment
from issbox.workflows.context import Context, Permission
from issbox.workflows.imports.imported_views import take_back_view_version


def roll_back(ctx: Context, import_id: int) -> ContentImport:
    """Let Library hold what it held before this import, and give the import's row.

    Repositories that the import brought stay, empty. A content view version that it brought goes, unless a lifecycle
    environment holds it by now. The versions stay too, so that importing the bundle again copies nothing. Raises
    WrongStateError when it is not imported, changed nothing, or another change has come since, NotFoundError when a
    version before it is no longer kept, and BusyError while an import is running.
    """
    with ctx.store.session():
        row = require_roll_back(ctx, import_id)
        lock = FileLock(ctx.store.locks / "import.lock", busy="an import is running in this box")
        with lock, changing_content(ctx, [change.repository for change in row.changes]):
            _check(ctx, row)
            return _undo(ctx, row)


def require_roll_back(ctx: Context, import_id: int) -> ContentImport:
    """Give an import that could be taken back as things are; raises what `roll_back` raises when it cannot be."""
    ctx.require_anywhere(Permission.CONTENT_IMPORT)
    with ctx.store.session():
        row = ctx.store.imports.get(import_id)
        products = {change.repository.product for change in row.changes}
        ctx.require(Permission.CONTENT_IMPORT, row.organization, products)
        if row.state is not ImportState.IMPORTED:
            raise WrongStateError(
                f"import {import_id} is {row.state}; only an imported one can be rolled back",
                shown="content-import info",
            )
        if not row.changes:
            raise WrongStateError(
                f"import {import_id} changed no repository, so there is nothing to roll back",
                shown="content-import info",
            )
        _check(ctx, row)
        return row


def _check(ctx: Context, row: ContentImport) -> None:
    assert row.organization is not None, "an imported bundle went somewhere"
    held = {repository.key: number for repository, number in ctx.store.versions.promoted(row.organization, LIBRARY)}
    for change in row.changes:
        if held.get(change.repository) != change.after:
            raise WrongStateError(
                f"Library holds version {held.get(change.repository, 'none')} of {change.repository}, not version "
                f"{change.after} that import {row.id} brought: something has changed since",
                hint="Roll back what came later first.",
            )
        if change.before is not None:
            _require_version(ctx, row, change, change.before)


def _require_version(ctx: Context, row: ContentImport, change: VersionChange, number: int) -> None:
    try:
        ctx.store.versions.get(change.repository, number)
    except NotFoundError:
        raise NotFoundError(
            f"version {number} of {change.repository}, which was there before import {row.id}, is no longer kept",
            hint="Import an older bundle with --allow-older instead; [versions] keep says how many versions are kept.",
        ) from None


def _undo(ctx: Context, row: ContentImport) -> ContentImport:
    assert row.organization is not None, "an imported bundle went somewhere"
    ctx.progress.step("record-versions")
    with ctx.store.transaction(), certificates_follow(ctx, row.organization):
        for change in row.changes:
            if change.before is None:
                ctx.store.versions.demote(LIBRARY, change.repository)
            else:
                ctx.store.versions.promote(LIBRARY, change.repository, change.before)
            ctx.store.repositories.update(change.repository, imported=change.mark_before)
        left = "" if row.view_version is None else take_back_view_version(ctx, row.organization, row.view_version)
        if left:
            ctx.progress.note(left)
        after = ctx.store.imports.update(
            row.id,
            updated_at=ctx.clock(),
            state=ImportState.ROLLED_BACK,
            reason="; ".join(filter(None, ("rolled back: its repositories show the versions before", left))),
        )
        ctx.audit(
            "content-import.rollback",
            row.bundle_id or row.path,
            organization=row.organization,
            details={
                "import": row.id,
                "versions": {str(change.repository): change.before for change in row.changes},
            },
        )
    ctx.progress.step("switch-links")
    point_environment(ctx, row.organization, LIBRARY)
    return after
