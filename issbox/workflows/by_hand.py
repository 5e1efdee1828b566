"""Imports that somebody starts: from a path, a medium with several volumes, or a pipe. Nothing is moved or deleted."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from issbox.bundle.opening import opened_stream, sources_at
from issbox.errors import BundleError, ImportRefusedError, NotABundleError, NotFoundError
from issbox.files import Readable
from issbox.model import ContentImport, ImportState
from issbox.workflows.arrival import STREAM
from issbox.workflows.context import Context, Permission
from issbox.workflows.foreign import is_foreign
from issbox.workflows.import_facts import facts, trusted_public_key
from issbox.workflows.import_order import in_order, place_of
from issbox.workflows.importing import (
    accept,
    attempt,
    bundle_limits,
    import_lock,
    put_back,
    refuse,
    update,
)
from issbox.workflows.peeking import peek


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
    first, and what is damaged is taken from the bundle, also when it was imported before. `accept_unsigned` allows an
    export of a Katello, `with_environments` takes over the lifecycle environments that a bundle carries. Raises the
    reason when one is refused, and BusyError while another import is running.
    """
    _require_import(ctx, organization)
    if not path.exists():
        raise NotFoundError(f"there is nothing at {path}", hint="Check the path; is the medium mounted?")
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
        return take(row)
    except (BundleError, ImportRefusedError) as error:
        refuse(ctx, row.id, error)
        if isinstance(error, NotABundleError):  # such as a mistyped path: who typed it knows, and nobody has to look
            update(ctx, row.id, state=ImportState.DISCARDED)
        raise
    except BaseException as error:
        put_back(ctx, row, error)
        raise
