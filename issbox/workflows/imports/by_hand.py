"""Imports that somebody starts: from a path, a medium with several volumes, or a pipe. Nothing is moved or deleted."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from issbox.bundle.opening import opened_stream, sources_at
from issbox.errors import BundleError, ImportRefusedError, NotABundleError, NothingCameError
from issbox.files import Readable, require_path
from issbox.model import ContentImport, ImportState
from issbox.workflows.context import Context, Permission
from issbox.workflows.foreign import is_foreign
from issbox.workflows.imports.arrival import STREAM
from issbox.workflows.imports.import_facts import facts, trusted_public_key
from issbox.workflows.imports.importing import (
    accept,
    attempt,
    bundle_limits,
    import_lock,
    putting_back,
    refuse,
    update,
)
from issbox.workflows.inbox.import_order import in_order, place_of
from issbox.workflows.inbox.peeking import peek


def run_import(
    ctx: Context,
    path: Path,
    *,
    organization: str | None = None,
    allow_older: bool = False,
    repair: bool = False,
    accept_unsigned: bool = False,
    with_environments: bool = False,
) -> list[ContentImport]:
    """Import what lies at this path by hand, and give a row for each bundle or volume; it stays where it is.

    A directory that is no bundle itself gives all bundles and volumes in it and in its folders, by their names, but
    those of one source and destination by their numbers. With `repair` every stored file of its repositories is read
    first, and what is damaged is taken from the bundle, also when it was imported before; without it, the row of the
    earlier import is given for such a bundle, its reason saying so. `accept_unsigned` allows an export of a Katello,
    `with_environments` takes over the lifecycle environments that a bundle carries. Raises NotFoundError, the reason
    when a bundle is refused, and BusyError while another import is running.
    """
    _require_import(ctx, organization)
    require_path(path)
    with ctx.store.session(), import_lock(ctx):
        return [
            _by_hand(
                ctx,
                str(source.resolve()),
                partial(attempt, ctx, repair=repair, accept_unsigned=accept_unsigned),
                organization=organization,
                allow_older=allow_older,
                with_environments=with_environments,
            )
            for source in _sources(path)
        ]


def import_stream(
    ctx: Context,
    source: Readable,
    *,
    organization: str | None = None,
    allow_older: bool = False,
    with_environments: bool = False,
) -> ContentImport:
    """Import a bundle that comes down a pipe; nothing is kept of it but what the store lacks.

    Raises what `run_import` raises. A bundle that has to wait cannot be taken up again: it has to be sent again.
    """
    _require_import(ctx, organization)

    def take(row: ContentImport) -> ContentImport:
        ctx.progress.step("check-bundle", row.path)
        update(ctx, row.id, state=ImportState.CHECKING)
        trusted, limits = trusted_public_key(ctx), bundle_limits(ctx)
        with (
            ctx.store.scratch() as scratch,
            opened_stream(source, Path(STREAM), trusted, limits, scratch) as (bundle, form),
        ):
            return accept(ctx, update(ctx, row.id, **facts(bundle, form)), bundle, repair=False)

    with ctx.store.session(), import_lock(ctx):
        return _by_hand(
            ctx,
            STREAM,
            take,
            organization=organization,
            allow_older=allow_older,
            with_environments=with_environments,
        )


def _sources(path: Path) -> list[Path]:
    """Give what there is to import at a path, in the order in which it is to be imported.

    An export of a Katello is one thing, whatever archives lie in it.
    """
    return list(in_order([(each, place_of(None, peek(each))) for each in sources_at(path, is_foreign)]))


def _require_import(ctx: Context, organization: str | None) -> None:
    ctx.require_anywhere(Permission.CONTENT_IMPORT)
    if organization is not None:
        ctx.require_some(Permission.CONTENT_IMPORT, organization)
        with ctx.store.session():
            ctx.store.organizations.get(organization)


def _by_hand(
    ctx: Context,
    path: str,
    take: Callable[[ContentImport], ContentImport],
    *,
    organization: str | None,
    allow_older: bool,
    with_environments: bool,
) -> ContentImport:
    row = ctx.store.imports.add(
        path,
        inbox=False,
        organization=organization,
        first_seen=ctx.clock(),
        allow_older=allow_older,
        with_environments=with_environments,
    )
    try:
        with putting_back(ctx, row):
            return _once(ctx, take(row))
    except NothingCameError:
        with ctx.store.transaction():
            ctx.store.imports.remove(row.id)
        raise
    except (BundleError, ImportRefusedError) as error:
        refuse(ctx, row.id, error)
        if isinstance(error, NotABundleError):  # such as a mistyped path: who typed it knows, and nobody has to look
            update(ctx, row.id, state=ImportState.DISCARDED)
        raise


def _once(ctx: Context, row: ContentImport) -> ContentImport:
    """Give a row as it is, but the import that brought the bundle or volume in the place of one that had nothing to do.

    Nothing is kept of the latter, which was told of by a note; its reason is given with the earlier one.
    """
    before = _done_before(ctx, row)
    if before is None or before.id == row.id:
        return row
    with ctx.store.transaction():
        ctx.store.imports.remove(row.id)
    return replace(before, reason=row.reason)


def _done_before(ctx: Context, row: ContentImport) -> ContentImport | None:
    """Give the import that did before what this one was to do, the same volume if it is one of several; else None."""
    if row.bundle_id is None:
        return None
    nothing_done = row.state is ImportState.IMPORTED and not row.with_environments
    if not row.taken and (not nothing_done or ctx.store.reports.find(row.id) is not None):
        return None
    alike = [
        each
        for each in ctx.store.imports.list(states=(row.state,), bundle_id=row.bundle_id, before=row.id)
        if (each.organization, each.volume) == (row.organization, row.volume) and each.taken >= row.taken
    ]
    if alike:
        return alike[-1]
    return None if row.taken else ctx.store.imports.imported_bundle(row.bundle_id, row.organization)
