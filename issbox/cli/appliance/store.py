"""`issbox store`."""

from typing import TYPE_CHECKING

import click

from issbox.cli.command import Run, command
from issbox.cli.index import noun
from issbox.cli.shapes import Field, Shape, size

if TYPE_CHECKING:
    from issbox.workflows.appliance.upkeep import GarbageReport, ReconcileReport

store = noun("store")

RECONCILED: "Shape[ReconcileReport]" = Shape(
    "reconcile report",
    (
        Field("trees_built", "published trees that were missing", lambda each: each.trees_built),
        Field("trees_removed", "published trees of versions that do not exist", lambda each: each.trees_removed),
        Field(
            "trees_incomplete",
            "trees that lack stored files: see `issbox scrub`",
            lambda each: each.trees_incomplete,
        ),
        Field(
            "links_changed", "links of environments that pointed to the wrong version", lambda each: each.links_changed
        ),
        Field("imports_put_back", "imports that a killed process had begun", lambda each: each.imports_put_back),
        Field("exports_undone", "exports that a killed process had begun", lambda each: each.exports_undone),
        Field("keys_removed", "private keys that belong to no host", lambda each: each.keys_removed),
        Field("staging_bytes", "bytes of unfinished files removed", lambda each: each.staging_bytes, show=size),
    ),
)

GARBAGE: "Shape[GarbageReport]" = Shape(
    "cleanup report",
    (
        Field("versions", "old repository versions removed", lambda each: each.versions),
        Field("blobs", "stored files removed", lambda each: each.blobs),
        Field("size", "bytes of these files", lambda each: each.size, show=size),
        Field("jobs", "jobs forgotten that ended long ago", lambda each: each.jobs),
        Field("regenerations", "regenerations forgotten that ended long ago", lambda each: each.regenerations),
        Field("dry_run", "true when nothing was removed, only counted", lambda each: each.dry_run),
    ),
)


@command("reconcile", group=store, example="issbox store reconcile", shape=RECONCILED)
def reconcile(run: Run) -> None:
    """Make the published trees and links agree with the database, and clear up after killed processes.

    The service does it at every start; it is safe at any time.
    """
    from issbox.workflows.appliance import upkeep

    run.show(RECONCILED, upkeep.reconcile(run.open()))


@command("cleanup", group=store, example="issbox store cleanup --dry-run", shape=GARBAGE)
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
def cleanup(run: Run, *, dry_run: bool) -> None:
    """Remove old repository versions, the files that no version needs, abandoned downloads, and jobs of long ago.

    Of each repository as many versions stay as [versions] keep says, and those an environment uses. Jobs are forgotten
    [jobs] keep_days after their end, and regenerations of certificates with them.
    """
    from issbox.workflows.appliance import upkeep

    run.show(GARBAGE, upkeep.collect_garbage(run.open(), dry_run=dry_run))
