"""`issbox content-export`."""

import click

from issbox.cli.command import Run, command
from issbox.cli.export_scopes import complete, incremental
from issbox.cli.export_shapes import EXPORT
from issbox.cli.index import noun
from issbox.cli.options import chosen_id, id_option

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
