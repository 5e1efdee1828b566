"""`issbox content-export`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from issbox.cli.command import Run, command
from issbox.cli.index import noun
from issbox.cli.options import chosen_id, chosen_organization, id_option, organization_option
from issbox.cli.repositories import find_repositories
from issbox.cli.shapes import Field, Shape, size
from issbox.errors import CommandLineError
from issbox.model import ContentExport

if TYPE_CHECKING:
    from issbox.workflows.exporting import ExportPlan

content_export = noun("content-export")

EXPORT = Shape[ContentExport](
    "content export",
    (
        Field("id", "number of the export in this box", lambda each: each.id, column=True),
        Field("bundle_id", "id of the bundle", lambda each: each.bundle_id),
        Field("organization", "label of the organization", lambda each: each.organization, column=True),
        Field("repositories", "array of `product/repository`", lambda each: each.repositories, column=True),
        Field("destination", "destination server, may be empty", lambda each: each.destination, column=True),
        Field("sequence", "its number among the exports for that destination", lambda each: each.sequence, column=True),
        Field("state", "`written`, or `writing` while it is being made", lambda each: each.state),
        Field("path", "the bundle, a directory", lambda each: each.path, column=True),
        Field("created_at", "when it was made", lambda each: each.created_at, column=True),
        Field("files", "number of files", lambda each: each.files),
        Field("size", "bytes of these files", lambda each: each.size, column=True, show=size),
    ),
)

PLAN: "Shape[ExportPlan]" = Shape(
    "export plan",
    (
        Field("organization", "label of the organization", lambda each: each.organization),
        Field("destination", "destination server, may be empty", lambda each: each.destination),
        Field(
            "repositories",
            "array of `product/repository:version`",
            lambda each: [f"{one.key.product}/{one.key.label}:{version.number}" for one, version in each.repositories],
        ),
        Field("files", "number of files", lambda each: each.files),
        Field("size", "bytes of these files", lambda each: each.size, show=size),
        Field("needed", "bytes of free space that the bundle needs", lambda each: each.needed, show=size),
    ),
)

complete = click.Group("complete", help="Write bundles that hold everything.")
content_export.add_command(complete)


@command(
    "repository",
    group=complete,
    example="issbox content-export complete repository --product Tools --repository base --destination-server island",
    shape=EXPORT,
    dry_run=PLAN,
)
@organization_option
@click.option("--product", metavar="LABEL", help="Product of the repositories; without --repository, all of it.")
@click.option(
    "--repository",
    "--name",
    "repositories",
    multiple=True,
    metavar="LABEL",
    help="Which repository, LABEL or PRODUCT/LABEL. May be given several times.",
)
@click.option(
    "--destination-server",
    default="",
    metavar="NAME",
    help="For whom it is; bundles are numbered for each destination.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write the bundle here instead of the configured directory.",
)
@click.option("--dry-run", is_flag=True, help="Only say what the bundle would hold and how much space it needs.")
def repository(
    run: Run,
    *,
    organization: str | None,
    product: str | None,
    repositories: tuple[str, ...],
    destination_server: str,
    output: Path | None,
    dry_run: bool,
) -> None:
    """Write a bundle with the newest version of one repository or several.

    The bundle is a directory that is signed by this box, and a yum repository that dnf can read as it is. It has its
    name only once it is whole. Carry the whole directory to the other side and drop it into the inbox there.
    """
    from issbox.workflows import exporting

    if product is None and not repositories:
        raise CommandLineError("which repository? Neither --repository nor --product was given")
    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    keys = [each.key for each in find_repositories(ctx, owner, product, repositories)]
    plan = exporting.plan_export(ctx, keys, destination=destination_server)
    if dry_run:
        run.show(PLAN, plan)
        return
    done = exporting.export(ctx, plan, output)
    run.say(f"The bundle is complete: {done.path}")
    run.show(EXPORT, done)


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
