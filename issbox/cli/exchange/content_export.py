"""`issbox content-export`."""

from pathlib import Path

import click

from issbox.cli.command import Run, command
from issbox.cli.exchange.export_scopes import complete, incremental
from issbox.cli.exchange.export_shapes import EXPORT, RECUT, SUPERSEDED
from issbox.cli.index import noun
from issbox.cli.options import chosen_id, id_option, yes_option

content_export = noun("content-export")
content_export.add_command(complete)
content_export.add_command(incremental)


@command("list", group=content_export, example="issbox content-export list --json", shape=EXPORT, many=True)
@click.option("--organization", metavar="LABEL", help="Only exports of this organization.")
def list_(run: Run, *, organization: str | None) -> None:
    """List the exports made in this box, newest first."""
    from issbox.workflows import history

    run.show_all(EXPORT, history.list_exports(run.open(), organization))


@command("info", group=content_export, example="issbox content-export info 3", shape=EXPORT)
@id_option("export")
def info(run: Run, *, number: int | None, id_: int | None) -> None:
    """Show one export."""
    from issbox.workflows import history

    export_id = chosen_id(number, id_)
    run.show(EXPORT, history.get_export(run.open(), export_id))


@command(
    "recut",
    group=content_export,
    example="issbox content-export recut --slip IS1/4CZ5R/12V/3,7-9/M1F7K --output /media/usb",
    shape=RECUT,
)
@click.option(
    "--slip",
    required=True,
    metavar="FILE|TEXT|-",
    help="The re-request slip of the other side: a file, its short text, or `-` for standard input.",
)
@click.option("--output", metavar="DIR", help="Write into this directory instead of beside the bundle.")
def recut(run: Run, *, slip: str, output: str | None) -> None:
    """Write single volumes or chunks of an earlier export again, as a re-request slip asks for them.

    They lie in a new directory NAME-recut, and are the same byte for byte. The content comes from the store; what
    `issbox store cleanup` has removed from there cannot be written again.
    """
    from issbox.workflows import exports
    from issbox.workflows.exchange.slips import read_slip

    ctx = run.open()
    done = exports.recut(ctx, read_slip(ctx, slip), None if output is None else Path(output))
    run.say(f"Written again: {done.path}")
    run.show(RECUT, done)


@command(
    "prune",
    group=content_export,
    example="issbox content-export prune --dry-run",
    shape=SUPERSEDED,
    many=True,
)
@click.option("--organization", metavar="LABEL", help="Only bundles of this organization.")
@click.option("--destination", "--destination-server", "destination", metavar="NAME", help="Only bundles for it.")
@click.option("--dry-run", is_flag=True, help="Only say what would go, and why.")
@yes_option
def prune(run: Run, *, organization: str | None, destination: str | None, dry_run: bool, yes: bool) -> None:
    """Delete bundles that were kept long enough.

    How long that is stands in the configuration: [export] keep, keep_days and keep_until_acknowledged. Only directories
    that hold exactly the bundle this box wrote there are deleted; the record of the export stays.
    """
    from issbox.workflows import exports

    ctx = run.open()
    settings = ctx.settings.export
    if not settings.keep and not settings.keep_days:
        run.say("Nothing is ever deleted: neither [export] keep nor keep_days is configured.")
    planned = exports.plan_pruning(ctx, organization, destination)
    going = sum(each.goes for each in planned)
    if going and not dry_run:
        run.confirm(f"Delete {going} {'bundle' if going == 1 else 'bundles'}?", yes=yes)
        exports.prune(ctx, planned)
    run.show_all(SUPERSEDED, planned)
