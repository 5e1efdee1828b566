"""`issbox content-import`."""

from collections.abc import Sequence
from pathlib import Path

import click

from issbox.cli.command import Run, command
from issbox.cli.exchange.import_lacks import missing, slip
from issbox.cli.exchange.import_preview import preview
from issbox.cli.exchange.import_report import report
from issbox.cli.exchange.import_shapes import IMPORT
from issbox.cli.index import noun
from issbox.cli.options import chosen_id, id_option, yes_option
from issbox.errors import BusyError, CommandLineError, ExitCode, ImportRefusedError, IssboxError, every_error
from issbox.model import ContentImport, ImportState

content_import = noun("content-import")
content_import.add_command(preview)
content_import.add_command(report)
content_import.add_command(missing)
content_import.add_command(slip)

environments_option = click.option(
    "--with-lifecycle-environments",
    "with_environments",
    is_flag=True,
    help="Also make or update the lifecycle environments that the bundle carries, and promote to them what is here. "
    "`content-import preview` shows what that changes.",
)


def refusal(row: ContentImport) -> IssboxError:
    """Give the error that an import's row tells of."""
    known = {error.code: error for error in every_error()}
    return known.get(row.error_code or "", ImportRefusedError)(row.reason)


def _show(run: Run, rows: Sequence[ContentImport]) -> ExitCode:
    """Say that it is done, or what it waits for; a bundle that was imported before has been told of by a note.

    Of the volumes of one bundle only the last one tells how far it has come.
    """
    last = {row.bundle_id: row for row in rows}
    for row in last.values():
        if row.state is ImportState.IMPORTED and not row.reason.startswith(ImportState.IMPORTED):
            run.say(f"Imported into {row.organization}.")
    if len(last) == 1:
        run.show(IMPORT, rows[-1])
    else:
        run.show_all(IMPORT, last.values())
    waiting = any(row.state is ImportState.WAITING for row in last.values())
    return ExitCode.WAITING if waiting else ExitCode.OK


@command(
    "run",
    group=content_import,
    example="issbox content-import run /media/usb/ACME-base-0001-20261101T120000Z",
    shape=IMPORT,
)
@click.argument("path")
@click.option(
    "--organization", metavar="LABEL", help="Import into this organization instead of the one of the same label."
)
@click.option("--allow-older", is_flag=True, help="Accept a bundle that is older than one imported before.")
@click.option("--accept-unsigned", is_flag=True, help="Accept an export of a Katello, which nobody can have signed.")
@environments_option
@click.option(
    "--repair", is_flag=True, help="Read the stored files of its repositories and replace those that are damaged."
)
def run_(
    run: Run,
    *,
    path: str,
    organization: str | None,
    allow_older: bool,
    accept_unsigned: bool,
    with_environments: bool,
    repair: bool,
) -> ExitCode:
    """Import the bundle, or the export of a Katello, at PATH now, in the foreground; it stays where it is.

    PATH is a bundle, an image or a disc, an archive or the table of contents (.toc.json) of one in chunks, a directory
    with several of these, or - for an archive on standard input. Everything is checked, and nothing is unpacked. The
    import is visible all at once, or not at all; of several volumes, when the last one has been taken in.
    """
    from issbox.workflows.imports.by_hand import import_stream, run_import

    if path == "-":
        if repair:
            raise CommandLineError("--repair needs a bundle that can be read twice, not standard input")
        with open(0, "rb", buffering=0, closefd=False) as source:
            done = [
                import_stream(
                    run.open(),
                    source,
                    organization=organization,
                    allow_older=allow_older,
                    with_environments=with_environments,
                )
            ]
    else:
        done = run_import(
            run.open(),
            Path(path),
            organization=organization,
            allow_older=allow_older,
            repair=repair,
            accept_unsigned=accept_unsigned,
            with_environments=with_environments,
        )
    return _show(run, done)


@command("list", group=content_import, example="issbox content-import list --state refused", shape=IMPORT, many=True)
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([str(state) for state in ImportState]),
    help="Only imports in this state. May be given several times.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="NUMBER", help="Only so many of the newest.")
def list_(run: Run, *, states: tuple[str, ...], limit: int | None) -> None:
    """List the bundles that came in, newest first."""
    from issbox.workflows import history

    chosen = [ImportState(state) for state in states] or None
    run.show_all(IMPORT, history.list_imports(run.open(), chosen, limit))


@command("info", group=content_import, example="issbox content-import info 3", shape=IMPORT)
@id_option("import")
def info(run: Run, *, number: int | None, id_: int | None) -> None:
    """Show one import."""
    from issbox.workflows import history

    import_id = chosen_id(number, id_)
    run.show(IMPORT, history.get_import(run.open(), import_id))


@command("retry", group=content_import, example="issbox content-import retry 3", shape=IMPORT)
@id_option("import")
@click.option("--allow-older", is_flag=True, help="Accept a bundle that is older than one imported before.")
@click.option("--accept-unsigned", is_flag=True, help="Accept an export of a Katello, which nobody can have signed.")
@environments_option
def retry(
    run: Run, *, number: int | None, id_: int | None, allow_older: bool, accept_unsigned: bool, with_environments: bool
) -> ExitCode:
    """Import a refused bundle again, now and in the foreground, after its reason has been removed.

    The bundle is taken from where it lies, quarantine or inbox.
    """
    from issbox.workflows.imports.importing import import_bundle
    from issbox.workflows.inbox import inbox

    import_id = chosen_id(number, id_)
    ctx = run.open()
    inbox.retry(ctx, import_id, allow_older=allow_older, with_environments=with_environments)
    row = inbox.finish_bundle(ctx, import_bundle(ctx, import_id, accept_unsigned=accept_unsigned))
    if row.state is ImportState.REFUSED:
        raise refusal(row)
    return _show(run, [row])


@command("approve", group=content_import, example="issbox content-import approve 3", shape=IMPORT)
@id_option("import")
@environments_option
def approve(run: Run, *, number: int | None, id_: int | None, with_environments: bool) -> ExitCode:
    """Approve a bundle that waits for it, and import it when nobody else has to.

    Look at it with `issbox content-import preview` first. Whoever exported a bundle cannot approve it, and nobody
    approves it twice.
    """
    from issbox.workflows.imports.importing import import_bundle
    from issbox.workflows.inbox import inbox
    from issbox.workflows.inbox.approving import approve as approve_import
    from issbox.workflows.inbox.approving import approved_with

    ctx = run.open()
    row = approve_import(ctx, chosen_id(number, id_), with_environments=with_environments)
    if row.state is ImportState.WAITING:
        run.say("Approved; it still waits for the approval of somebody else.")
        return _show(run, [row])
    try:
        for volume in [*approved_with(ctx, row), row]:
            row = inbox.finish_bundle(ctx, import_bundle(ctx, volume.id))
    except BusyError:
        if not row.inbox:
            raise
        run.say("Approved; another import is running, and the service takes this one up next.")
        return _show(run, [row])
    if row.state is ImportState.REFUSED:
        raise refusal(row)
    return _show(run, [row])


@command(
    "refuse",
    group=content_import,
    example='issbox content-import refuse 3 --reason "not announced by the sender"',
    shape=IMPORT,
)
@id_option("import")
@click.option("--reason", required=True, metavar="TEXT", help="Why, in one line; it is recorded and lies beside it.")
def refuse(run: Run, *, number: int | None, id_: int | None, reason: str) -> None:
    """Turn a bundle away that waits, for an approval or for anything else.

    All its volumes go to quarantine with the reason, and approvals that it had are forgotten. `content-import retry`
    has it decided on once more.
    """
    from issbox.workflows.inbox.approving import refuse_import

    row = refuse_import(run.open(), chosen_id(number, id_), reason)
    run.say(f"Import {row.id} refused.")
    run.show(IMPORT, row)


@command("rollback", group=content_import, example="issbox content-import rollback 3 --yes", shape=IMPORT)
@id_option("import")
@yes_option
def rollback(run: Run, *, number: int | None, id_: int | None, yes: bool) -> None:
    """Take an import back: every repository that it changed shows the version before again, in one step.

    Lifecycle environments other than Library are not touched. Importing the bundle again brings it back, without
    copying anything.
    """
    from issbox.workflows.imports.rolling_back import require_roll_back, roll_back

    import_id = chosen_id(number, id_)
    ctx = run.open()
    row = require_roll_back(ctx, import_id)
    words = ", ".join(
        f"{change.repository} to {f'version {change.before}' if change.before else 'nothing'}" for change in row.changes
    )
    run.confirm(f"Go back in the Library of {row.organization}: {words}?", yes=yes)
    row = roll_back(ctx, import_id)
    run.say(f"Import {row.id} rolled back.")
    run.show(IMPORT, row)


@command("discard", group=content_import, example="issbox content-import discard 3 --yes", shape=IMPORT)
@id_option("import")
@yes_option
def discard(run: Run, *, number: int | None, id_: int | None, yes: bool) -> None:
    """Give up a refused bundle and delete it from quarantine."""
    from issbox.workflows import history
    from issbox.workflows.inbox import inbox

    import_id = chosen_id(number, id_)
    ctx = run.open()
    row = history.get_import(ctx, import_id)
    run.confirm(f"Discard the bundle {row.path}?", yes=yes)
    row = inbox.discard(ctx, import_id)
    run.say(f"Import {row.id} discarded.")
    run.show(IMPORT, row)
